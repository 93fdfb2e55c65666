//! One peer: its log, its two roles, and the loop that keeps duties and deadlines.

mod coordinator;
mod executor;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use symphony_protocol::{
    Fault,
    embedding::Embedding,
    records::{
        Acknowledgement, Body, Capability, Entry, Issued, Model, Origin, Policy, Received,
        Revocation, StatementRecord,
    },
    replay::Replay,
    state::{Applied, Duty, State},
};
use symphony_transparency::{
    Checkpoint, Digest, PublicKey, SecretKey, SignedCheckpoint, StatementKind, VerifiedStatement,
    sign_statement,
};

use crate::event::{Effect, Event, Output, Refusal};

use self::{
    coordinator::{ReadyStep, Task},
    executor::Session,
};

/// Capabilities of other peers kept at most, beyond those in the log: enough for a large network, a few MiB.
const CAPABILITIES_MAX: usize = 4_096;
/// Own statements whose acknowledgement is awaited at once; the oldest are forgotten first. An acknowledgement that nobody
/// awaits is not logged: otherwise anyone could fill this log.
const AWAITED_MAX: usize = 4_096;
/// A capability is renewed when less than this part of its validity is left.
const RENEWAL_PART: u64 = 4;

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

/// One peer.
pub struct Peer {
    pub(crate) secret: SecretKey,
    pub(crate) replay: Replay,
    pub(crate) config: PeerConfig,
    pub(crate) now_ms: u64,
    pub(crate) output: Output,
    pub(crate) tasks: BTreeMap<u64, Task>,
    /// Steps to announce as soon as no duty and no deadline is due; at most one for each plan of an open task.
    pub(crate) ready: VecDeque<ReadyStep>,
    pub(crate) sessions: BTreeMap<Digest, Session>,
    /// Beacons that this peer bid on: their answer form and when to forget them.
    pub(crate) bids: BTreeMap<Digest, executor::OpenBid>,
    pub(crate) known: BTreeMap<PublicKey, Received<Capability>>,
    pub(crate) reachable: BTreeSet<PublicKey>,
    pub(crate) exposed: BTreeSet<PublicKey>,
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
            replay,
            config,
            now_ms: 0,
            output: Output::default(),
            tasks: BTreeMap::new(),
            ready: VecDeque::new(),
            sessions: BTreeMap::new(),
            bids: BTreeMap::new(),
            known: BTreeMap::new(),
            reachable: BTreeSet::new(),
            exposed: BTreeSet::new(),
            awaited: BTreeMap::new(),
            awaited_since: BTreeMap::new(),
        }
    }

    /// Begins after a start or restart: settles what was open as void, then sets the policy and issues the capability
    /// where they changed.
    ///
    /// # Errors
    /// [`ProposeError`], a defect of this program.
    pub fn start(&mut self, now_ms: u64) -> Result<Output, ProposeError> {
        self.now_ms = now_ms.max(self.state().time_ms());
        if self.replay.size() > 1 {
            self.propose(Body::Resumed)?;
            self.keep_duties()?;
        }
        if self
            .state()
            .learner()
            .is_none_or(|learner| learner.policy != self.config.policy)
        {
            self.propose(Body::PolicySet(self.config.policy.clone()))?;
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
            Event::Submit { request, task, key } => self.submit(request, task, key)?,
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
            } => self.executed(assignment, execution, salt)?,
            Event::Reachable {
                peer,
                reachable: true,
            } => {
                self.reachable.insert(peer);
            }
            Event::Reachable {
                peer,
                reachable: false,
            } => {
                self.reachable.remove(&peer);
            }
            Event::Exposed { peer } => {
                self.exposed.insert(peer);
            }
        }
        self.go_on()?;
        Ok(std::mem::take(&mut self.output))
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
        self.known.values()
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

    // --- entries ---

    /// Where the next entry will stand.
    pub(crate) fn next_origin(&self) -> Origin {
        Origin {
            log: self.state().log(),
            index: self.replay.size(),
        }
    }

    /// Applies and hands out an entry. Decisions and inputs alike pass through here.
    pub(crate) fn propose(&mut self, body: Body) -> Result<Applied, ProposeError> {
        self.try_propose(body).map_err(ProposeError)
    }

    /// The same for an input of another peer, which the rules may refuse: then nothing has changed.
    pub(crate) fn try_propose(&mut self, body: Body) -> Result<Applied, Fault> {
        let in_turn = self.state().duty().is_some();
        let time_ms = if in_turn {
            self.state().time_ms()
        } else {
            self.now_ms.max(self.state().time_ms())
        };
        let entry = Entry {
            index: self.replay.size(),
            previous: self.replay.end().last,
            time_ms,
            body,
        };
        let bytes = entry.encode();
        let (_, applied) = self.replay.push(&bytes)?;
        self.output.entries.push(bytes);
        for finding in &applied.findings {
            // One finding convicts; what the peer says afterwards would only fill the log.
            self.exposed.insert(finding.peer);
            self.output.effects.push(Effect::Found(finding.clone()));
        }
        Ok(applied)
    }

    pub(crate) fn sign<R: StatementRecord>(&self, issued: &Issued<R>) -> VerifiedStatement {
        sign_statement(
            &self.secret,
            &self.state().network(),
            R::KIND,
            issued.payload.clone(),
        )
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.output.effects.push(effect);
    }

    /// Sends an own statement, which stands at this index, to a peer that is to acknowledge it.
    pub(crate) fn send_awaited(
        &mut self,
        to: PublicKey,
        (index, digest): (u64, Digest),
        statement: Vec<u8>,
        private: Vec<u8>,
    ) {
        self.awaited.insert(digest, (to, index));
        self.awaited_since.insert(index, digest);
        if self.awaited.len() > AWAITED_MAX
            && let Some((_, oldest)) = self.awaited_since.pop_first()
        {
            self.awaited.remove(&oldest);
        }
        self.effect(Effect::Send {
            to,
            statement,
            private,
        });
    }

    /// What follows from the state without being a duty: steps to announce, reveals to ask for. Only after every deadline
    /// that passed has its time-out: an announcement before it would break the order of the log. Spec: REPLAY-25.
    fn go_on(&mut self) -> Result<(), ProposeError> {
        loop {
            self.keep_duties()?;
            if let Some(step) = self.ready.pop_front() {
                self.announce(step)?;
                continue;
            }
            self.ask_reveals()?;
            if self.state().duty().is_none() && self.ready.is_empty() {
                return Ok(());
            }
        }
    }

    /// Carries out what is due next, as long as something is. Each round appends an entry, and every chain of duties ends.
    fn keep_duties(&mut self) -> Result<(), ProposeError> {
        while let Some(duty) = self.state().duty() {
            let size = self.replay.size();
            match duty {
                Duty::Assign(beacon, slot) => self.assign(beacon, slot)?,
                _ => {
                    let Some(body) = self.replay.state_mut().decide(duty) else {
                        break;
                    };
                    let index = self.replay.size();
                    let before = self.step_of(duty);
                    self.propose(body.clone())?;
                    self.after_decision(index, &body, before);
                }
            }
            if self.replay.size() == size {
                // A duty that this memory cannot carry out: only `start` can settle what an earlier run left.
                break;
            }
        }
        Ok(())
    }

    fn keep_deadlines(&mut self) -> Result<(), ProposeError> {
        self.keep_duties()?;
        while let Some(due) = self
            .state()
            .next_due()
            .filter(|due| due.time_ms <= self.now_ms)
        {
            let index = self.replay.size();
            self.report_timeout(index, &due);
            self.propose(Body::Timeout(due.timeout()))?;
            self.keep_duties()?;
        }
        Ok(())
    }

    // --- statements ---

    fn take_statement(
        &mut self,
        statement: VerifiedStatement,
        private: &[u8],
        token: Option<u64>,
    ) -> Result<(), ProposeError> {
        let (author, kind, digest) = (
            *statement.author(),
            statement.kind(),
            statement.payload_digest(),
        );
        if author == self.author() {
            self.refuse(token, "a statement of this peer itself");
            return Ok(());
        }
        if self.exposed.contains(&author) {
            self.refuse(token, "a statement of an exposed peer");
            return Ok(());
        }
        let taken = match kind {
            StatementKind::Capability => self.capability_heard(statement),
            StatementKind::Revocation => self.revocation_heard(statement),
            StatementKind::Beacon => self.beacon_heard(statement)?,
            StatementKind::Bid => self.bid_heard(statement)?,
            StatementKind::Assignment => self.assignment_heard(statement, private)?,
            StatementKind::Receipt => self.receipt_heard(statement)?,
            StatementKind::Reveal => self.reveal_heard(statement, private)?,
            StatementKind::Acknowledgement => self.acknowledgement_heard(statement),
            _ => Err(format!("no use for a statement of type {}", kind.name())),
        };
        match taken {
            Ok(Taken::Logged(index)) => self.acknowledge(token, index, digest),
            Ok(Taken::Noted) => {
                if let Some(token) = token {
                    self.effect(Effect::Acknowledge {
                        token,
                        statement: Vec::new(),
                    });
                }
            }
            Err(reason) => self.refuse(token, &reason),
        }
        Ok(())
    }

    /// Logs a statement as it is, if the rules allow it here.
    pub(crate) fn log_received(&mut self, body: Body) -> Result<Taken, String> {
        let index = self.replay.size();
        self.try_propose(body).map_err(|fault| {
            format!(
                "{}: expected {}, found {}",
                fault.rule, fault.expected, fault.found
            )
        })?;
        Ok(Taken::Logged(index))
    }

    fn acknowledge(&mut self, token: Option<u64>, index: u64, statement: Digest) {
        let Some(token) = token else { return };
        let acknowledgement = Acknowledgement {
            origin: Origin {
                log: self.state().log(),
                index,
            },
            statement,
        };
        let statement = self.sign(&Issued::new(acknowledgement)).into_bytes();
        self.effect(Effect::Acknowledge { token, statement });
    }

    pub(crate) fn refuse(&mut self, token: Option<u64>, reason: &str) {
        if let Some(token) = token {
            let reason = reason.chars().take(REFUSAL_LETTERS_MAX).collect();
            self.effect(Effect::Refuse {
                token,
                refusal: Refusal(reason),
            });
        }
    }

    /// Logs an acknowledgement that is awaited, once.
    fn acknowledgement_heard(&mut self, statement: VerifiedStatement) -> Result<Taken, String> {
        let received = Received::<Acknowledgement>::from_statement(statement)
            .map_err(|error| error.to_string())?;
        let (peer, digest) = (*received.statement.author(), received.record.statement);
        let Some((_, index)) = self
            .awaited
            .get(&digest)
            .copied()
            .filter(|(awaited, _)| *awaited == peer)
        else {
            return Err("an acknowledgement that is not awaited".to_owned());
        };
        self.log_received(Body::AcknowledgementReceived(received))?;
        self.awaited.remove(&digest);
        self.awaited_since.remove(&index);
        Ok(Taken::Noted)
    }

    /// Logs the revocation of a capability that this log relies on; forgets one that it does not.
    fn revocation_heard(&mut self, statement: VerifiedStatement) -> Result<Taken, String> {
        let received =
            Received::<Revocation>::from_statement(statement).map_err(|error| error.to_string())?;
        let peer = *received.statement.author();
        let sequence = received.record.sequence;
        let known = self
            .known
            .get(&peer)
            .is_some_and(|known| known.record.sequence == sequence);
        if known {
            self.known.remove(&peer);
        }
        let logged = self
            .state()
            .capabilities()
            .get(&peer)
            .is_some_and(|logged| logged.capability.sequence == sequence && !logged.revoked);
        if logged {
            return self.log_received(Body::RevocationReceived(received));
        }
        if known {
            Ok(Taken::Noted)
        } else {
            Err("a revocation of a capability that is not relied on".to_owned())
        }
    }

    /// Remembers the newest capability of a peer; it is logged when first relied on.
    fn capability_heard(&mut self, statement: VerifiedStatement) -> Result<Taken, String> {
        let received =
            Received::<Capability>::from_statement(statement).map_err(|error| error.to_string())?;
        let peer = *received.statement.author();
        if received.record.valid_until_ms <= self.now_ms {
            return Err(format!(
                "a capability that expired at {} ms",
                received.record.valid_until_ms
            ));
        }
        let revoked = self
            .state()
            .capabilities()
            .get(&peer)
            .is_some_and(|logged| {
                logged.revoked && logged.capability.sequence >= received.record.sequence
            });
        if revoked {
            return Err("a capability that was revoked".to_owned());
        }
        match self.known.get(&peer) {
            Some(known) if known.record.sequence > received.record.sequence => {
                return Err("an older capability than the one known".to_owned());
            }
            Some(known)
                if known.record.sequence == received.record.sequence
                    && known.digest() != received.digest() =>
            {
                // Two capabilities under one number: keep the first, log both, so that the fault stands in the log.
                let first = known.clone();
                self.rely_on(&first)?;
                return self.log_received(Body::CapabilityReceived(received));
            }
            Some(_) => {}
            None if self.known.len() >= CAPABILITIES_MAX => {
                return Err("no room for another peer's capability".to_owned());
            }
            None => {}
        }
        self.known.insert(peer, received);
        Ok(Taken::Noted)
    }

    /// Logs a capability at first reliance. Spec: CAP-8.
    pub(crate) fn rely_on(&mut self, received: &Received<Capability>) -> Result<(), String> {
        let peer = *received.statement.author();
        let logged = self.state().capabilities().get(&peer);
        if logged.is_some_and(|known| {
            known.statement == received.digest()
                || known.capability.sequence >= received.record.sequence
        }) {
            return Ok(());
        }
        self.log_received(Body::CapabilityReceived(received.clone()))
            .map(|_| ())
    }

    fn renew_capability(&mut self) -> Result<(), ProposeError> {
        let Some(profile) = self.config.profile.clone() else {
            return Ok(());
        };
        if self.state().duty().is_some() {
            return Ok(());
        }
        let embedding = Embedding::of_text(&profile.description);
        let known = self.state().capabilities().get(&self.author());
        let renewal_ms = self
            .now_ms
            .saturating_add(self.config.capability_ms / RENEWAL_PART);
        if known.is_some_and(|known| {
            let capability = &known.capability;
            !known.revoked
                && capability.valid_until_ms > renewal_ms
                && capability.tags == profile.tags
                && capability.embedding == embedding
                && capability.models == profile.models
                && capability.price_microunits == profile.price_microunits
                && capability.parallel_max == profile.parallel_max
        }) {
            return Ok(());
        }
        let issued = Issued::new(Capability {
            origin: self.next_origin(),
            sequence: known.map_or(1, |known| known.capability.sequence.saturating_add(1)),
            tags: profile.tags,
            embedding,
            models: profile.models,
            price_microunits: profile.price_microunits,
            parallel_max: profile.parallel_max,
            valid_from_ms: self.now_ms,
            valid_until_ms: self.now_ms.saturating_add(self.config.capability_ms.max(1)),
        });
        let statement = self.sign(&issued).into_bytes();
        self.propose(Body::CapabilityIssued(issued))?;
        self.effect(Effect::Publish { statement });
        Ok(())
    }
}

/// Longest refusal, in letters: it must fit a response.
const REFUSAL_LETTERS_MAX: usize = 200;

/// What became of a statement that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It stands in the log at this index.
    Logged(u64),
    /// It is known, and needs no entry.
    Noted,
}
