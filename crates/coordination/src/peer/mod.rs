//! One peer: its log, its two roles, and the loop that keeps duties and deadlines.

mod capabilities;
mod coordinator;
mod entries;
mod entropy;
mod executor;
mod known;
mod statements;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use symphony_protocol::{
    Fault, Rule,
    records::{
        Body, Capability, Issued, Learning, MeasuresImported, Model, Policy, Received, TaskKey,
    },
    replay::Replay,
    state::State,
};
use symphony_transparency::{Checkpoint, Digest, PublicKey, SecretKey, SignedCheckpoint};

use crate::event::{Event, Execution, Output, TaskRequest};

pub use self::executor::OpenBids;
pub(crate) use self::executor::{Link, chain_tags};
pub(crate) use self::statements::Taken;
use self::{
    coordinator::{PlannedTask, ReadyStep, Task},
    executor::Session,
    known::{KnownCapabilities, Room, Standing},
};

/// Capabilities of other peers kept beyond those in the log: a network of 10,000 has room, and a flood of the largest can fill
/// 32 MiB of statements.
const CAPABILITIES_ROOM: Room = Room {
    count: 16_384,
    size: 32 * 1024 * 1024,
};
/// Own statements whose acknowledgement is awaited at once; the oldest are forgotten first. An acknowledgement that nobody
/// awaits is not logged: otherwise anyone could fill this log.
const AWAITED_MAX: usize = 4_096;
/// Exposed peers remembered at most. Whoever is not here makes room for others: who tells of a fault tells again when its peer comes.
const EXPOSED_MAX: usize = 16_384;
/// A capability is renewed when less than this part of its validity is left.
const RENEWAL_PART: u64 = 4;

/// Room in a prompt for the answers of earlier steps, in bytes.
pub(crate) const CONTEXT_SIZE_MAX: usize = 4 * 1024;

/// The rest of a chain, to be handed on in a task of its own.
pub(crate) struct LinkTask {
    pub(crate) link: Link,
    pub(crate) task: TaskRequest,
    pub(crate) key: TaskKey,
}

/// What a peer offers.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Skills, strictly sorted.
    pub tags: Vec<String>,
    /// Text whose embedding describes the skills.
    pub description: String,
    /// Models, strictly sorted by name.
    pub models: Vec<Model>,
    /// Price of one answer, in microunits.
    pub price_microunits: u64,
    /// Answers computed at the same time, 1 to 1024.
    pub parallel_max: u32,
}

/// How a peer behaves. Nothing in here can change a verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerConfig {
    /// What the peer offers; nothing for a peer that only asks.
    pub profile: Option<Profile>,
    /// The policy by which it learns.
    pub policy: Policy,
    /// Validity of a capability, in milliseconds.
    pub capability_ms: u64,
    /// Orders that may wait for the model, beyond those that run.
    pub queue_max: u32,
    /// Tasks that may be open at once.
    pub tasks_max: u32,
}

/// An own entry was refused by the rules: a defect of this program, not of a peer. Nothing was appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("own entry refused: {0}")]
pub struct ProposeError(pub Fault);

/// Whether a peer's statements bear its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signing {
    Signed,
    Unsigned,
}

/// One peer.
pub struct Peer {
    pub(crate) secret: SecretKey,
    signing: Signing,
    pub(crate) replay: Replay,
    pub(crate) config: PeerConfig,
    pub(crate) now_ms: u64,
    pub(crate) output: Output,
    pub(crate) tasks: BTreeMap<u64, Task>,
    /// Steps to announce as soon as no duty and no deadline is due; at most one for each plan of an open task.
    pub(crate) ready: VecDeque<ReadyStep>,
    /// Rests of chains to be handed on at such a time, at most one for each session.
    pub(crate) link_tasks: VecDeque<LinkTask>,
    /// Orders to be answered at such a time with what came back of the rest of their chain.
    pub(crate) links_back: VecDeque<(Digest, Execution, [u8; 32])>,
    /// Tasks to open at such a time, in place of the planning tasks that they had.
    pub(crate) planned: VecDeque<PlannedTask>,
    pub(crate) sessions: BTreeMap<Digest, Session>,
    pub(crate) bids: OpenBids,
    pub(crate) known: KnownCapabilities,
    pub(crate) reachable: BTreeSet<PublicKey>,
    pub(crate) exposed: BTreeSet<PublicKey>,
    pub(crate) retired: BTreeSet<PublicKey>,
    /// Size of the log when reveals were last asked for.
    reveals_asked_at: u64,
    /// Who has yet to acknowledge which own statement (by digest), with the index of the statement's entry.
    awaited: BTreeMap<Digest, (PublicKey, u64)>,
    /// The same by the index of the statement's entry: the oldest first.
    awaited_since: BTreeMap<u64, Digest>,
}

impl Peer {
    /// A peer that continues this log. `secret` is its log key.
    pub fn new(secret: SecretKey, replay: Replay, config: PeerConfig) -> Self {
        Self {
            secret,
            signing: Signing::Signed,
            replay,
            config,
            now_ms: 0,
            output: Output::default(),
            tasks: BTreeMap::new(),
            ready: VecDeque::new(),
            link_tasks: VecDeque::new(),
            links_back: VecDeque::new(),
            planned: VecDeque::new(),
            sessions: BTreeMap::new(),
            bids: OpenBids::default(),
            known: KnownCapabilities::new(CAPABILITIES_ROOM),
            reachable: BTreeSet::new(),
            exposed: BTreeSet::new(),
            retired: BTreeSet::new(),
            reveals_asked_at: 0,
            awaited: BTreeMap::new(),
            awaited_since: BTreeMap::new(),
        }
    }

    /// The same peer, whose statements bear 64 zero bytes where its signature would stand. Choices, states and roots are the same.
    ///
    /// The hazard: nobody accepts a word of it. It is for simulations of many tasks, in which nothing is verified that the same
    /// program said. `clippy.toml` bans it elsewhere (spec/decisions/0020).
    pub fn without_signatures(secret: SecretKey, replay: Replay, config: PeerConfig) -> Self {
        Self {
            signing: Signing::Unsigned,
            ..Self::new(secret, replay, config)
        }
    }

    /// The same peer, which remembers the bids that its log holds: calls and orders for them are answered.
    #[must_use]
    pub fn with_bids(mut self, bids: OpenBids) -> Self {
        self.bids = bids;
        self
    }

    /// Begins after a start or restart: settles what was open as void, then sets the policy and issues the capability
    /// where they changed.
    ///
    /// # Errors
    /// [`ProposeError`], a defect of this program.
    pub fn start(&mut self, now_ms: u64) -> Result<Output, ProposeError> {
        self.now_ms = now_ms.max(self.state().time_ms());
        if self.replay.size() > 1 {
            self.record_root().map_err(ProposeError)?;
            self.propose(Body::Resumed)?;
            self.keep_duties()?;
        }
        let policy = self.config.policy.clone();
        let learning = match self.state().learner() {
            Some(learner) if learner.policy == policy => None,
            Some(learner) if policy.may_follow(&learner.policy) => Some(Learning::Kept),
            Some(_) | None => Some(Learning::Anew),
        };
        if let Some(learning) = learning {
            self.propose(Body::PolicySet(policy, learning))?;
        }
        self.renew_capability()?;
        Ok(std::mem::take(&mut self.output))
    }

    /// Takes an event at a time (milliseconds since 1970). Deadlines that passed come first.
    ///
    /// # Errors
    /// [`ProposeError`], a defect of this program. What comes from other peers is refused, never an error.
    pub fn handle(&mut self, event: Event, now_ms: u64) -> Result<Output, ProposeError> {
        self.now_ms = now_ms.max(self.state().time_ms());
        self.keep_deadlines()?;
        self.go_on()?;
        match event {
            Event::Tick => {
                self.forget_overdue_sessions();
                self.renew_capability()?;
            }
            Event::Submit {
                request,
                task,
                key,
                planning_key,
            } => self.submit(request, task, (key, planning_key))?,
            Event::Cancel { request } => self.cancel(request),
            Event::Statement {
                statement,
                private,
                token,
            } => self.take_statement(statement, &private, token)?,
            Event::RevealAsked { assignment, token } => self.reveal_asked(&assignment, token)?,
            Event::Executed {
                assignment,
                execution,
                salt,
                key,
            } => self.executed(assignment, execution, (salt, key))?,
            Event::Reachable {
                peer,
                reachable: true,
            } => {
                self.reachable.insert(peer);
                self.known.stand(&peer, Standing::Present);
            }
            Event::Reachable {
                peer,
                reachable: false,
            } => {
                self.reachable.remove(&peer);
                self.known.stand(&peer, self.standing_of(&peer));
            }
            Event::Exposed { peer } => {
                self.note_exposed(peer);
                self.leave_out(peer)?;
            }
            Event::Retired { peer } => {
                self.retired.insert(peer);
            }
        }
        self.go_on()?;
        Ok(std::mem::take(&mut self.output))
    }

    /// How much the capability of a peer is needed. Spec: CAP-12.
    fn standing_of(&self, peer: &PublicKey) -> Standing {
        if self.reachable.contains(peer) {
            Standing::Present
        } else if self.state().capabilities().contains_key(peer) {
            Standing::Absent
        } else {
            Standing::Stranger
        }
    }

    /// A peer that broke a rule gets no work, and what it says is refused. Spec: REPLAY-8.
    pub(crate) fn note_exposed(&mut self, peer: PublicKey) {
        if self.exposed.insert(peer) && self.exposed.len() > EXPOSED_MAX {
            let others = || self.exposed.iter().filter(|other| **other != peer);
            let gone = others().find(|other| !self.reachable.contains(*other));
            if let Some(forgotten) = gone.or_else(|| others().next()).copied() {
                self.exposed.remove(&forgotten);
            }
        }
    }

    /// What an exposed peer measured counts no more. Spec: IMPORT-1.
    fn leave_out(&mut self, peer: PublicKey) -> Result<(), ProposeError> {
        if self.state().sources().contains_key(&peer) {
            self.propose(Body::MeasuresImported(MeasuresImported::leave_out(peer)))?;
        }
        Ok(())
    }

    /// A source may be exposed while its log is replayed for an import.
    fn refuse_exposed(&self, import: &MeasuresImported) -> Result<(), Fault> {
        if import.taken.is_none() || !self.exposed.contains(&import.source) {
            return Ok(());
        }
        Err(Fault {
            peer: self.author(),
            rule: Rule::Import,
            entry: self.replay.size(),
            expected: "measures of a peer that is not exposed".to_owned(),
            found: import.source.to_string(),
        })
    }

    /// Takes in what other peers measured, or leaves a source out. The rules may refuse an import: those before it stand, and the
    /// fault that it would have been says why. Spec: chapter 21.
    ///
    /// # Errors
    /// [`ProposeError`], a defect of this program.
    pub fn import(
        &mut self,
        imports: Vec<MeasuresImported>,
        now_ms: u64,
    ) -> Result<(Output, Result<(), Fault>), ProposeError> {
        self.now_ms = now_ms.max(self.state().time_ms());
        self.keep_deadlines()?;
        self.go_on()?;
        let taken = imports.into_iter().try_for_each(|import| {
            self.refuse_exposed(&import)?;
            self.try_propose(Body::MeasuresImported(import)).map(drop)
        });
        self.go_on()?;
        Ok((std::mem::take(&mut self.output), taken))
    }

    /// When the next deadline is due, in milliseconds since 1970.
    pub fn next_wake_ms(&self) -> Option<u64> {
        self.state().next_due().map(|due| due.time_ms)
    }

    /// The own log's replay.
    pub fn replay(&self) -> &Replay {
        &self.replay
    }

    /// The state of the own log.
    pub fn state(&self) -> &State {
        self.replay.state()
    }

    /// Log key of this peer.
    pub fn author(&self) -> PublicKey {
        self.replay.author()
    }

    /// Executions that run or wait, as a claim for bids.
    pub fn load(&self) -> u32 {
        u32::try_from(
            self.sessions
                .values()
                .filter(|session| session.running())
                .count(),
        )
        .unwrap_or(u32::MAX)
    }

    /// Newest capability of every peer that this one has heard of, beyond its own log.
    pub fn capabilities(&self) -> impl Iterator<Item = &Received<Capability>> {
        self.known.iter().map(|(_, received)| received)
    }

    /// The newest own capability as a statement, to be gossiped again.
    pub fn own_capability(&self) -> Option<Vec<u8>> {
        let known = self.state().capabilities().get(&self.author())?;
        Some(
            self.sign(&Issued::new(known.capability.clone()))
                .into_bytes(),
        )
    }

    /// The checkpoint of everything proposed so far.
    pub fn checkpoint(&mut self) -> Checkpoint {
        self.replay.checkpoint()
    }

    /// Signs a checkpoint. The caller has stored it in the signing record before. Spec: LOG-24.
    pub fn sign_checkpoint(&self, checkpoint: &Checkpoint) -> SignedCheckpoint {
        checkpoint.sign(&self.secret)
    }
}
