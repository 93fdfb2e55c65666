//! The executor: bids where it can help, executes once, and opens its ballot when asked. Spec: chapter 08.

use symphony_protocol::{
    matching::{Profile as MatchProfile, match_ppm},
    records::{
        AnswerForm, Assignment, AssignmentPrivate, Beacon, Bid, Body, Issued, Reach, Receipt,
        Received, ResultClass, Reveal, RevealPrivate, TaskKey, ballot_commitment,
    },
};
use symphony_transparency::{Digest, PublicKey, VerifiedStatement};

use crate::{
    answer,
    event::{Effect, Execution, ExecutionOutcome},
    peer::{Peer, ProposeError, Taken},
};

/// Beacons that a peer remembers having bid on; the oldest deadlines are forgotten first.
const BIDS_MAX: usize = 4_096;
/// Orders that a peer remembers: answered ones are kept so that stored bytes can be sent again.
const SESSIONS_MAX: usize = 4_096;
/// How long after its deadline a beacon that was bid on is remembered, in milliseconds: assignments follow the close.
const BID_MEMORY_MS: u64 = 60_000;

/// A beacon that this peer bid on.
pub(crate) struct OpenBid {
    /// Who may assign: a beacon's digest alone does not say who announced it.
    coordinator: PublicKey,
    form: AnswerForm,
    until_ms: u64,
}

/// An order that this peer took.
pub(crate) struct Session {
    coordinator: PublicKey,
    key: TaskKey,
    form: AnswerForm,
    stage: Stage,
}

enum Stage {
    Running,
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
        matches!(self.stage, Stage::Running)
    }
}

impl Peer {
    /// Bids on a beacon if this peer may and can.
    pub(crate) fn beacon_heard(
        &mut self,
        statement: VerifiedStatement,
    ) -> Result<Result<Taken, String>, ProposeError> {
        let beacon = match Received::<Beacon>::from_statement(statement) {
            Ok(beacon) => beacon,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let Some(bid) = self.bid_for(&beacon) else {
            return Ok(Ok(Taken::Noted));
        };
        let issued = Issued::new(bid);
        let to = *beacon.statement.author();
        let (digest, form, deadline_ms) = (
            beacon.digest(),
            beacon.record.form,
            beacon.record.close_deadline_ms,
        );
        let bytes = self.sign(&issued).into_bytes();
        let place = (self.replay.size(), issued.digest);
        // The beacon is another peer's, so the rules may refuse a bid on it without a defect here.
        if let Err(reason) = self.log_received(Body::BidIssued(issued, beacon)) {
            return Ok(Err(reason));
        }
        self.remember_bid(
            digest,
            OpenBid {
                coordinator: to,
                form,
                until_ms: deadline_ms.saturating_add(BID_MEMORY_MS),
            },
        );
        self.send_awaited(to, place, bytes, Vec::new());
        Ok(Ok(Taken::Noted))
    }

    /// The bid on a beacon, or silence: not asked, too late, already bid, busy, or a match below the threshold.
    fn bid_for(&self, beacon: &Received<Beacon>) -> Option<Bid> {
        let record = &beacon.record;
        let profile = self.config.profile.as_ref()?;
        let known = self
            .state()
            .capabilities()
            .get(&self.author())
            .filter(|known| !known.revoked)?;
        let now_ms = self.now_ms.max(self.state().time_ms());
        let asked =
            record.reach == Reach::Gossip || record.asked.binary_search(&self.author()).is_ok();
        let busy = self.load() >= profile.parallel_max.saturating_add(self.config.queue_max);
        if !asked
            || busy
            || now_ms >= record.close_deadline_ms
            || self.state().has_bid(&beacon.digest())
            || !known.capability.valid_at(now_ms)
        {
            return None;
        }
        let match_ppm = match_ppm(
            &MatchProfile {
                tags: &known.capability.tags,
                embedding: &known.capability.embedding,
            },
            &MatchProfile {
                tags: &record.tags,
                embedding: &record.embedding,
            },
        );
        (match_ppm >= self.state().params().match_threshold_ppm()).then(|| Bid {
            origin: self.next_origin(),
            beacon: beacon.digest(),
            capability: known.statement,
            match_ppm,
            load_ppm: self.load_ppm(),
            queue: self.queue(),
            price_microunits: known.capability.price_microunits,
        })
    }

    fn remember_bid(&mut self, beacon: Digest, bid: OpenBid) {
        let now_ms = self.now_ms;
        self.bids.retain(|_, known| known.until_ms > now_ms);
        if self.bids.len() >= BIDS_MAX
            && let Some(oldest) = self
                .bids
                .iter()
                .min_by_key(|(_, known)| known.until_ms)
                .map(|(digest, _)| *digest)
        {
            self.bids.remove(&oldest);
        }
        self.bids.insert(beacon, bid);
    }

    pub(crate) fn assignment_heard(
        &mut self,
        statement: VerifiedStatement,
        private: &[u8],
    ) -> Result<Result<Taken, String>, ProposeError> {
        let received = match Received::<Assignment>::from_statement(statement) {
            Ok(received) => received,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let digest = received.digest();
        if self.sessions.contains_key(&digest) {
            self.send_again(&digest);
            return Ok(Ok(Taken::Noted));
        }
        let private = match AssignmentPrivate::parse(private) {
            Ok(private) => private,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let order = received.record;
        let coordinator = *received.statement.author();
        let Some(form) = self
            .bids
            .get(&order.beacon)
            .filter(|bid| bid.coordinator == coordinator)
            .map(|bid| bid.form)
        else {
            return Ok(Err(
                "an assignment without a bid of this peer that is not taken up yet".to_owned(),
            ));
        };
        if private.task_key.commitment() != order.key_commitment
            || private.task_key.prompt(&private.prompt) != order.prompt
        {
            return Ok(Err(
                "a task key or prompt that is not the one committed to".to_owned()
            ));
        }
        if !self.make_room() {
            return Ok(Err(
                "no room for another assignment; try again later".to_owned()
            ));
        }
        let taken = self.log_received(Body::AssignmentReceived(received));
        if taken.is_ok() {
            // A bid is taken up once: the same order, delivered again when all else about it is forgotten, finds no bid.
            self.bids.remove(&order.beacon);
            self.sessions.insert(
                digest,
                Session {
                    coordinator,
                    key: private.task_key,
                    form,
                    stage: Stage::Running,
                },
            );
            self.effect(Effect::Execute {
                assignment: digest,
                prompt: private.prompt,
                execute_ms: order.execute_ms,
            });
        }
        Ok(taken)
    }

    pub(crate) fn begin_own_session(&mut self, assignment: Digest, key: TaskKey, form: AnswerForm) {
        self.make_room();
        let coordinator = self.author();
        self.sessions.insert(
            assignment,
            Session {
                coordinator,
                key,
                form,
                stage: Stage::Running,
            },
        );
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

    /// Signs the receipt of an execution that ended; never twice.
    pub(crate) fn executed(
        &mut self,
        assignment: Digest,
        execution: Execution,
        salt: [u8; 32],
    ) -> Result<(), ProposeError> {
        let Some(session) = self
            .sessions
            .get(&assignment)
            .filter(|session| session.running())
        else {
            return Ok(());
        };
        let (coordinator, key, form) = (session.coordinator, session.key.clone(), session.form);
        let (class, text, completion) = match &execution.outcome {
            ExecutionOutcome::Completed(completion) => {
                let answer = answer::extract(&completion.text, form);
                (
                    answer.ok_or(ResultClass::Unparsable),
                    completion.text.as_str(),
                    Some(completion),
                )
            }
            ExecutionOutcome::Failed => (Err(ResultClass::Failed), "", None),
            ExecutionOutcome::Abstained => (Err(ResultClass::Abstained), "", None),
        };
        let confidence_ppm =
            completion.map_or(0, |completion| completion.confidence_ppm.min(1_000_000));
        let opening = class.as_ref().ok().map(|answer| Opening {
            digest: key.answer(answer),
            answer: answer.clone(),
            output: text.to_owned(),
            confidence_ppm,
            salt,
        });
        // Without an answer the commitment is to nothing that could be opened: the salt alone.
        let committed = opening
            .as_ref()
            .map_or(Digest::ZERO, |opening| opening.digest);
        let issued = Issued::new(Receipt {
            origin: self.next_origin(),
            assignment,
            model: execution.model,
            device: execution.device,
            temperature_ppm: execution.temperature_ppm,
            output_tokens_max: execution.output_tokens_max,
            output: key.output(text),
            prompt_tokens: completion.map_or(0, |completion| completion.prompt_tokens),
            output_tokens: completion.map_or(0, |completion| completion.output_tokens),
            duration_ms: execution.duration_ms,
            class: class
                .as_ref()
                .map_or_else(|class| *class, |_| ResultClass::Answered),
            ballot: ballot_commitment(
                &assignment,
                &self.author(),
                &committed,
                confidence_ppm,
                &salt,
            ),
        });
        let bytes = self.sign(&issued).into_bytes();
        let place = (self.replay.size(), issued.digest);
        // Too late by the own log: silence is what the coordinator will have noted.
        if self.try_propose(Body::ReceiptIssued(issued)).is_err() {
            self.sessions.remove(&assignment);
            return Ok(());
        }
        if let Some(session) = self.sessions.get_mut(&assignment) {
            session.stage = Stage::Answered {
                place,
                receipt: bytes.clone(),
                ballot: opening.map(Box::new),
            };
        }
        if coordinator != self.author() {
            self.send_awaited(coordinator, place, bytes, Vec::new());
        }
        Ok(())
    }

    /// Answers a coordinator that asks for the reveal.
    pub(crate) fn reveal_asked(
        &mut self,
        assignment: &Digest,
        token: u64,
    ) -> Result<(), ProposeError> {
        match self.sessions.get(assignment).map(|session| &session.stage) {
            None => self.refuse(Some(token), "no assignment of this digest"),
            Some(Stage::Running) => self.refuse(Some(token), "not answered yet"),
            Some(Stage::Answered { ballot: None, .. }) => {
                self.refuse(Some(token), "no ballot to open")
            }
            Some(Stage::Answered { .. } | Stage::Revealed { .. }) => {
                self.reveal_own(assignment)?;
                self.effect(Effect::Acknowledge {
                    token,
                    statement: Vec::new(),
                });
                self.send_again(assignment);
            }
        }
        Ok(())
    }

    /// Opens the ballot in the own log, once.
    pub(crate) fn reveal_own(&mut self, assignment: &Digest) -> Result<(), ProposeError> {
        let author = self.author();
        let origin = self.next_origin();
        let Some(session) = self.sessions.get(assignment) else {
            return Ok(());
        };
        let Stage::Answered {
            receipt,
            ballot: Some(opening),
            ..
        } = &session.stage
        else {
            return Ok(());
        };
        let own = session.coordinator == author;
        let issued = Issued::new(Reveal {
            origin,
            assignment: *assignment,
            answer: opening.digest,
            confidence_ppm: opening.confidence_ppm,
            salt: opening.salt,
        });
        let private = RevealPrivate {
            answer: opening.answer.clone(),
            output: opening.output.clone(),
        };
        let (receipt, answer, digest) = (receipt.clone(), opening.answer.clone(), opening.digest);
        let reveal = self.sign(&issued).into_bytes();
        let place = (self.replay.size(), issued.digest);
        if own {
            self.note_own_answer(assignment, digest, answer);
        }
        // Too late by the own log: the ballot stays closed.
        if self.try_propose(Body::RevealIssued(issued)).is_err() {
            return Ok(());
        }
        if let Some(session) = self.sessions.get_mut(assignment) {
            session.stage = Stage::Revealed {
                place,
                receipt,
                reveal,
                private: private.encode(),
            };
        }
        Ok(())
    }

    /// Sends stored bytes again: nothing is executed or signed twice.
    fn send_again(&mut self, assignment: &Digest) {
        let Some(session) = self.sessions.get(assignment) else {
            return;
        };
        let to = session.coordinator;
        let (place, statement, private) = match &session.stage {
            Stage::Running => return,
            Stage::Answered { place, receipt, .. } => (*place, receipt.clone(), Vec::new()),
            Stage::Revealed {
                place,
                reveal,
                private,
                ..
            } => (*place, reveal.clone(), private.clone()),
        };
        self.send_awaited(to, place, statement, private);
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
            Stage::Running => None,
            Stage::Answered { receipt, .. } | Stage::Revealed { receipt, .. } => Some(receipt),
        }
    }
}
