//! The executor: bids where it can help, executes once, and opens its ballot when asked. Spec: chapter 08.

mod bid;
mod chain;
mod open_bids;
mod opening;
mod order;
mod reveal;

use symphony_protocol::records::{AnswerForm, TaskKey};
use symphony_transparency::{Digest, PublicKey};

use crate::{peer::Peer, plan::HAND_OVER_TAG};

use self::chain::Chain;
pub(crate) use self::chain::{Link, chain_tags};
pub use self::open_bids::OpenBids;

/// Orders that a peer remembers: answered ones are kept so that stored bytes can be sent again.
const SESSIONS_MAX: usize = 4_096;
/// An order that this peer took.
pub(crate) struct Session {
    coordinator: PublicKey,
    key: TaskKey,
    form: AnswerForm,
    chain: Option<Chain>,
    stage: Stage,
}

enum Stage {
    Running,
    /// The own step is done, and the rest of the chain is at work elsewhere.
    HandedOn,
    /// The receipt's place and digest, its exact bytes, and what opens the ballot.
    Answered {
        place: (u64, Digest),
        receipt: Vec<u8>,
        ballot: Option<Box<Opening>>,
    },
    /// The reveal's place and digest, and the exact bytes of both statements.
    Revealed {
        place: (u64, Digest),
        receipt: Vec<u8>,
        reveal: Vec<u8>,
        private: Vec<u8>,
    },
}

struct Opening {
    answer: String,
    output: String,
    digest: Digest,
    confidence_ppm: u32,
    salt: [u8; 32],
}

impl Session {
    pub(crate) fn running(&self) -> bool {
        matches!(self.stage, Stage::Running | Stage::HandedOn)
    }
}

impl Peer {
    /// Takes an order of its own; gives the prompt to execute, and the form that it asks for.
    pub(crate) fn begin_own_session(
        &mut self,
        assignment: Digest,
        (key, prompt): (TaskKey, String),
        (form, tags): (AnswerForm, &[String]),
        due_ms: u64,
    ) -> (String, AnswerForm) {
        self.make_room();
        let handed_over = tags.iter().any(|tag| tag == HAND_OVER_TAG);
        let chain = handed_over.then(|| Chain::read(&prompt, due_ms)).flatten();
        let step = chain
            .as_ref()
            .map_or_else(|| (prompt, form), |chain| chain.own_step(form));
        let coordinator = self.author();
        self.sessions.insert(
            assignment,
            Session {
                coordinator,
                key,
                form,
                chain,
                stage: Stage::Running,
            },
        );
        step
    }

    /// Forgets sessions that the log has forgotten. Returns whether there is room for another.
    fn make_room(&mut self) -> bool {
        if self.sessions.len() >= SESSIONS_MAX {
            let state = self.replay.state();
            self.sessions
                .retain(|digest, session| session.running() || state.has_assignment(digest));
        }
        self.sessions.len() < SESSIONS_MAX
    }

    /// Gives up executions whose time is over: an engine that never answers must not make this peer look busy for ever.
    pub(crate) fn forget_overdue_sessions(&mut self) {
        let state = self.replay.state();
        self.sessions.retain(|digest, session| {
            !session.running()
                || state.has_assignment(digest)
                || state.pending_assignment(digest).is_some()
        });
    }

    /// Whose assignment this is, if this peer took it and still knows it.
    pub fn coordinator_of(&self, assignment: &Digest) -> Option<PublicKey> {
        self.sessions
            .get(assignment)
            .map(|session| session.coordinator)
    }

    /// Stored bytes of the receipt, if the assignment was answered.
    pub fn stored_receipt(&self, assignment: &Digest) -> Option<&[u8]> {
        match &self.sessions.get(assignment)?.stage {
            Stage::Running | Stage::HandedOn => None,
            Stage::Answered { receipt, .. } | Stage::Revealed { receipt, .. } => Some(receipt),
        }
    }
}
