//! The entries of a log. Spec: chapters 04 and 12, LOG-1 to LOG-5.

use symphony_proto::log::v1 as wire;
use symphony_transparency::{
    Digest, StatementKind, UnverifiedStatement, VerifiedStatement, encode,
};

use super::{
    beacon::{Beacon, Bid},
    capability::{Capability, Revocation},
    challenge::Challenge,
    chance::{Call, Opening},
    decision::{Close, Replacement, RootRecorded, Settlement, TaskDecided},
    draw::Draw,
    error::{Reader, RecordError},
    execution::{Acknowledgement, Assignment, Receipt, Reveal},
    genesis::Genesis,
    import::MeasuresImported,
    origin::Origin,
    params::{Learning, Policy},
    retirement::Retirement,
    views::{BodyView, EntryView, TaskOpenedView, TimeoutView},
};

/// Largest entry, in bytes: the largest statements fit together with the entry's own fields.
pub const ENTRY_SIZE_MAX: usize = 8 * 1024;
/// Most plans of a task.
pub const PLANS_MAX: usize = 8;
/// Most steps of a plan.
pub const STEPS_MAX: u32 = 8;

/// One entry of a log. Spec: LOG-1 to LOG-5.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Position in the log, from 0.
    pub index: u64,
    /// Digest of the previous entry; zero in entry 0.
    pub previous: Digest,
    /// Time, in milliseconds since 1970; never smaller than the previous entry's.
    pub time_ms: u64,
    /// What the entry says.
    pub body: Body,
}

/// A statement of the author, which stands in its own log before it is released.
#[derive(Clone, Debug, PartialEq)]
pub struct Issued<R> {
    /// Exact bytes of the payload.
    pub payload: Vec<u8>,
    /// What it says.
    pub record: R,
    /// Digest of the statement: what its signature covers. Spec: CAP-5.
    pub digest: Digest,
}

/// A foreign statement, with its signature verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Received<R> {
    /// The statement.
    pub statement: VerifiedStatement,
    /// What it says.
    pub record: R,
}

/// A record that travels as a statement.
pub trait StatementRecord: Sized {
    /// The type of the statement.
    const KIND: StatementKind;
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    fn read(payload: &[u8]) -> Result<Self, RecordError>;
    /// The canonical payload.
    fn write(&self) -> Vec<u8>;
}

macro_rules! statement_records {
    ($($record:ty => $kind:ident,)*) => {
        $(impl StatementRecord for $record {
            const KIND: StatementKind = StatementKind::$kind;
            fn read(payload: &[u8]) -> Result<Self, RecordError> { Self::parse(payload) }
            fn write(&self) -> Vec<u8> { self.encode() }
        })*
    };
}

statement_records! {
    Capability => Capability,
    Revocation => Revocation,
    Beacon => Beacon,
    Bid => Bid,
    Assignment => Assignment,
    Receipt => Receipt,
    Reveal => Reveal,
    Acknowledgement => Acknowledgement,
    Challenge => Challenge,
    Retirement => Retirement,
    Call => Call,
    Opening => Opening,
}

impl<R: StatementRecord> Issued<R> {
    /// Wraps a record of the author.
    pub fn new(record: R) -> Self {
        let payload = record.write();
        Self {
            digest: symphony_transparency::payload_digest(R::KIND, &payload),
            payload,
            record,
        }
    }

    fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        Ok(Self {
            digest: symphony_transparency::payload_digest(R::KIND, payload),
            record: R::read(payload)?,
            payload: payload.to_vec(),
        })
    }
}

/// The place in its author's log that a statement names. `None` for a kind that names none, and for a payload that is not of
/// its kind.
///
/// Spec: KEYS-15.
pub fn origin_of(statement: &VerifiedStatement) -> Option<Origin> {
    fn read<R: StatementRecord>(
        statement: &VerifiedStatement,
        origin: impl FnOnce(R) -> Origin,
    ) -> Option<Origin> {
        R::read(statement.payload()).ok().map(origin)
    }
    match statement.kind() {
        StatementKind::Capability => read(statement, |it: Capability| it.origin),
        StatementKind::Revocation => read(statement, |it: Revocation| it.origin),
        StatementKind::Beacon => read(statement, |it: Beacon| it.origin),
        StatementKind::Bid => read(statement, |it: Bid| it.origin),
        StatementKind::Assignment => read(statement, |it: Assignment| it.origin),
        StatementKind::Receipt => read(statement, |it: Receipt| it.origin),
        StatementKind::Reveal => read(statement, |it: Reveal| it.origin),
        StatementKind::Acknowledgement => read(statement, |it: Acknowledgement| it.origin),
        StatementKind::Call => read(statement, |it: Call| it.origin),
        StatementKind::Opening => read(statement, |it: Opening| it.origin),
        _ => None,
    }
}

/// Whether the signatures of foreign statements are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// Each must be its author's. The rule for everything that came from a peer or a file.
    Verify,
    /// The caller verified these very bytes before, and nobody else could change them since.
    AssumeVerified,
}

impl<R: StatementRecord> Received<R> {
    /// Reads and verifies a foreign statement of this kind.
    ///
    /// # Errors
    /// Bytes that are no statement of this network and kind, a wrong signature, or a payload that is no such record.
    pub fn parse(bytes: &[u8], network: &Digest) -> Result<Self, RecordError> {
        Self::parse_with(bytes, network, Signatures::Verify)
    }

    fn parse_with(
        bytes: &[u8],
        network: &Digest,
        signatures: Signatures,
    ) -> Result<Self, RecordError> {
        let reader = Reader(R::KIND.name());
        let statement = UnverifiedStatement::parse(bytes)
            .and_then(|statement| match signatures {
                Signatures::Verify => statement.verify(network),
                Signatures::AssumeVerified => statement.assume_verified(network),
            })
            .map_err(|source| RecordError::Statement {
                record: R::KIND.name(),
                field: "statement",
                source,
            })?;
        Self::from_statement(statement).map_err(|error| match error {
            StatementMismatch::Kind(found) => reader
                .refuse::<()>("type", "a statement of this kind", found.name())
                .expect_err("refuse always refuses"),
            StatementMismatch::Record(error) => error,
        })
    }

    /// Reads what a verified statement says.
    ///
    /// # Errors
    /// A statement of another kind, or a payload that is no such record.
    pub fn from_statement(statement: VerifiedStatement) -> Result<Self, StatementMismatch> {
        if statement.kind() != R::KIND {
            return Err(StatementMismatch::Kind(statement.kind()));
        }
        let record = R::read(statement.payload()).map_err(StatementMismatch::Record)?;
        Ok(Self { statement, record })
    }

    /// Digest of the statement: what its signature covers. Spec: CAP-5.
    pub fn digest(&self) -> Digest {
        self.statement.payload_digest()
    }
}

/// Why a verified statement is not the record that was asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatementMismatch {
    /// Another kind of statement.
    #[error("a statement of type {0}")]
    Kind(StatementKind),
    /// The payload is no such record.
    #[error(transparent)]
    Record(RecordError),
}

/// What an entry says. Inputs arrived; decisions follow from them and from nothing else.
#[expect(
    clippy::large_enum_variant,
    reason = "entries are read and applied one at a time; a box would only cost an allocation each"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Entry 0.
    Genesis(Box<Genesis>),
    /// The policy from here on.
    PolicySet(Policy, Learning),
    /// The author's capability.
    CapabilityIssued(Issued<Capability>),
    /// The author withdraws a capability.
    RevocationIssued(Issued<Revocation>),
    /// A task begins.
    TaskOpened(TaskOpened),
    /// The author announces a step.
    BeaconIssued(Issued<Beacon>),
    /// The author bids; the beacon's statement stands beside it.
    BidIssued(Issued<Bid>, Received<Beacon>),
    /// The author orders an execution.
    AssignmentIssued(Issued<Assignment>),
    /// The author reports an execution.
    ReceiptIssued(Issued<Receipt>),
    /// The author opens a ballot.
    RevealIssued(Issued<Reveal>),
    /// A capability arrived.
    CapabilityReceived(Received<Capability>),
    /// A revocation arrived.
    RevocationReceived(Received<Revocation>),
    /// A bid arrived.
    BidReceived(Received<Bid>),
    /// An order to execute arrived.
    AssignmentReceived(Received<Assignment>),
    /// A receipt arrived.
    ReceiptReceived(Received<Receipt>),
    /// A reveal arrived, with the author's check of the text and the checker's word.
    RevealReceived(Received<Reveal>, AnswerCheck, CheckerVerdict),
    /// An acknowledgement arrived.
    AcknowledgementReceived(Received<Acknowledgement>),
    /// A deadline passed.
    Timeout(Timeout),
    /// The author is back after a restart.
    Resumed,
    /// A beacon closes.
    Close(Close),
    /// Another executor takes the place of one that failed.
    Replacement(Replacement),
    /// A vote is complete.
    Settlement(Settlement),
    /// A task is decided.
    TaskDecided(TaskDecided),
    /// The author calls for the openings of a step.
    CallIssued(Issued<Call>),
    /// The author opens the nonce of a bid, called for by the statement beside it.
    OpeningIssued(Issued<Opening>, Received<Call>),
    /// An opening arrived.
    OpeningReceived(Received<Opening>),
    /// Chance has its say.
    Draw(Draw),
    /// The state root where none was recorded for long.
    RootRecorded(RootRecorded),
    /// What another peer measured is taken in, or left out again.
    MeasuresImported(MeasuresImported),
}

impl Body {
    /// Names of all kinds, in the words and the order of the schema.
    pub const NAMES: [&'static str; 29] = [
        "genesis",
        "policy_set",
        "capability_issued",
        "revocation_issued",
        "task_opened",
        "beacon_issued",
        "bid_issued",
        "assignment_issued",
        "receipt_issued",
        "reveal_issued",
        "capability_received",
        "revocation_received",
        "bid_received",
        "assignment_received",
        "receipt_received",
        "reveal_received",
        "acknowledgement_received",
        "timeout",
        "resumed",
        "close",
        "replacement",
        "settlement",
        "task_decided",
        "call_issued",
        "opening_issued",
        "opening_received",
        "draw",
        "root_recorded",
        "measures_imported",
    ];

    /// The kind's name in the words of the schema.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "genesis",
            Self::PolicySet(..) => "policy_set",
            Self::CapabilityIssued(_) => "capability_issued",
            Self::RevocationIssued(_) => "revocation_issued",
            Self::TaskOpened(_) => "task_opened",
            Self::BeaconIssued(_) => "beacon_issued",
            Self::BidIssued(..) => "bid_issued",
            Self::AssignmentIssued(_) => "assignment_issued",
            Self::ReceiptIssued(_) => "receipt_issued",
            Self::RevealIssued(_) => "reveal_issued",
            Self::CapabilityReceived(_) => "capability_received",
            Self::RevocationReceived(_) => "revocation_received",
            Self::BidReceived(_) => "bid_received",
            Self::AssignmentReceived(_) => "assignment_received",
            Self::ReceiptReceived(_) => "receipt_received",
            Self::RevealReceived(..) => "reveal_received",
            Self::AcknowledgementReceived(_) => "acknowledgement_received",
            Self::Timeout(_) => "timeout",
            Self::Resumed => "resumed",
            Self::Close(_) => "close",
            Self::Replacement(_) => "replacement",
            Self::Settlement(_) => "settlement",
            Self::TaskDecided(_) => "task_decided",
            Self::CallIssued(_) => "call_issued",
            Self::OpeningIssued(..) => "opening_issued",
            Self::OpeningReceived(_) => "opening_received",
            Self::Draw(_) => "draw",
            Self::RootRecorded(_) => "root_recorded",
            Self::MeasuresImported(_) => "measures_imported",
        }
    }
}

/// A task begins. Spec: BEACON-2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskOpened {
    /// Commitment to the task key.
    pub key_commitment: Digest,
    /// Steps of each plan.
    pub plan_steps: Vec<u32>,
}

/// The coordinator's check of a revealed answer's text (a claimed input). Spec: EXEC-15, CLAIM-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerCheck {
    /// The text has the revealed digest and parses.
    Parses,
    /// The text has the revealed digest and does not parse.
    Unparsable,
    /// No text with the revealed digest came.
    Withheld,
}

/// What a checker of answers said (a claimed input). Spec: SETTLE-6, CLAIM-9.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CheckerVerdict {
    /// No checker ran.
    #[default]
    Unchecked,
    /// The answer is right.
    Passed,
    /// The answer is wrong.
    Failed,
}

/// What a deadline was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Bids.
    Bids,
    /// The receipt of this selection.
    Receipt(u32),
    /// Reveals.
    Reveals,
    /// Openings of nonces.
    Openings,
}

/// A deadline passed. Spec: SETTLE-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout {
    /// Index of the beacon's entry.
    pub beacon: u64,
    /// What the deadline was for.
    pub phase: Phase,
}

impl Entry {
    /// Reads the exact bytes of an entry. `network` is the network of its log; only entry 0 may be read without.
    ///
    /// Foreign statements are verified: an author that logs what nobody signed has broken LOG-26.
    ///
    /// # Errors
    /// Bytes that are not canonical, a field outside its range, or a foreign statement that does not verify.
    pub fn parse(bytes: &[u8], network: Option<&Digest>) -> Result<Self, RecordError> {
        Self::parse_with(bytes, network, Signatures::Verify)
    }

    /// [`Entry::parse`], with or without a look at the signatures of foreign statements.
    ///
    /// # Errors
    /// As [`Entry::parse`].
    pub fn parse_with(
        bytes: &[u8],
        network: Option<&Digest>,
        signatures: Signatures,
    ) -> Result<Self, RecordError> {
        let reader = Reader("Entry");
        let value: EntryView<'_> = reader.read(bytes, ENTRY_SIZE_MAX)?;
        let body = reader.require("body", value.body)?;
        Ok(Self {
            index: value.index,
            previous: reader.digest("previous", value.previous)?,
            time_ms: value.time_ms,
            body: read_body(reader, body, network, signatures)?,
        })
    }

    /// The exact bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::Entry {
            index: self.index,
            previous: self.previous.as_bytes().to_vec(),
            time_ms: self.time_ms,
            body: Some(write_body(&self.body)),
        })
    }
}

fn read_body(
    reader: Reader,
    body: BodyView<'_>,
    network: Option<&Digest>,
    signatures: Signatures,
) -> Result<Body, RecordError> {
    use BodyView as Wire;
    let network = match (&body, network) {
        (Wire::Genesis(_), _) => &Digest::ZERO,
        (_, Some(network)) => network,
        (_, None) => {
            return reader.refuse("body", "entry 0 (genesis) first", "another kind of entry");
        }
    };
    Ok(match body {
        Wire::Genesis(value) => Body::Genesis(Box::new(Genesis::read(*value)?)),
        Wire::PolicySet(value) => Body::PolicySet(
            Policy::from_wire(&reader.require("policy_set.policy", value.policy)?)?,
            if value.keep {
                Learning::Kept
            } else {
                Learning::Anew
            },
        ),
        Wire::CapabilityIssued(value) => Body::CapabilityIssued(Issued::parse(value.payload)?),
        Wire::RevocationIssued(value) => Body::RevocationIssued(Issued::parse(value.payload)?),
        Wire::TaskOpened(value) => Body::TaskOpened(read_task_opened(reader, value)?),
        Wire::BeaconIssued(value) => Body::BeaconIssued(Issued::parse(value.payload)?),
        Wire::BidIssued(value) => Body::BidIssued(
            Issued::parse(value.payload)?,
            Received::parse_with(value.beacon, network, signatures)?,
        ),
        Wire::AssignmentIssued(value) => Body::AssignmentIssued(Issued::parse(value.payload)?),
        Wire::ReceiptIssued(value) => Body::ReceiptIssued(Issued::parse(value.payload)?),
        Wire::RevealIssued(value) => Body::RevealIssued(Issued::parse(value.payload)?),
        Wire::CapabilityReceived(value) => {
            Body::CapabilityReceived(Received::parse_with(value.statement, network, signatures)?)
        }
        Wire::RevocationReceived(value) => {
            Body::RevocationReceived(Received::parse_with(value.statement, network, signatures)?)
        }
        Wire::BidReceived(value) => {
            Body::BidReceived(Received::parse_with(value.statement, network, signatures)?)
        }
        Wire::AssignmentReceived(value) => {
            Body::AssignmentReceived(Received::parse_with(value.statement, network, signatures)?)
        }
        Wire::ReceiptReceived(value) => {
            Body::ReceiptReceived(Received::parse_with(value.statement, network, signatures)?)
        }
        Wire::RevealReceived(value) => {
            let check = match wire::AnswerCheck::try_from(value.check) {
                Ok(wire::AnswerCheck::Parses) => AnswerCheck::Parses,
                Ok(wire::AnswerCheck::Unparsable) => AnswerCheck::Unparsable,
                Ok(wire::AnswerCheck::Withheld) => AnswerCheck::Withheld,
                Ok(wire::AnswerCheck::Unspecified) | Err(_) => {
                    return reader.refuse("reveal_received.check", "a known check", value.check);
                }
            };
            let checker = match wire::CheckerVerdict::try_from(value.checker) {
                Ok(wire::CheckerVerdict::Unspecified) => CheckerVerdict::Unchecked,
                Ok(wire::CheckerVerdict::Passed) => CheckerVerdict::Passed,
                Ok(wire::CheckerVerdict::Failed) => CheckerVerdict::Failed,
                Err(_) => {
                    return reader.refuse(
                        "reveal_received.checker",
                        "a known verdict",
                        value.checker,
                    );
                }
            };
            Body::RevealReceived(
                Received::parse_with(value.statement, network, signatures)?,
                check,
                checker,
            )
        }
        Wire::AcknowledgementReceived(value) => Body::AcknowledgementReceived(
            Received::parse_with(value.statement, network, signatures)?,
        ),
        Wire::Timeout(value) => Body::Timeout(read_timeout(reader, value)?),
        Wire::Resumed => Body::Resumed,
        Wire::Close(value) => Body::Close(Close::read(value)?),
        Wire::Replacement(value) => Body::Replacement(Replacement::read(value)?),
        Wire::Settlement(value) => Body::Settlement(Settlement::read(value)?),
        Wire::TaskDecided(value) => Body::TaskDecided(TaskDecided::read(value)?),
        Wire::CallIssued(value) => Body::CallIssued(Issued::parse(value.payload)?),
        Wire::OpeningIssued(value) => Body::OpeningIssued(
            Issued::parse(value.payload)?,
            Received::parse_with(value.call, network, signatures)?,
        ),
        Wire::OpeningReceived(value) => {
            Body::OpeningReceived(Received::parse_with(value.statement, network, signatures)?)
        }
        Wire::Draw(value) => Body::Draw(Draw::read(value)?),
        Wire::RootRecorded(value) => Body::RootRecorded(RootRecorded::read(value)?),
        Wire::MeasuresImported(value) => {
            Body::MeasuresImported(MeasuresImported::read(*value, network, signatures)?)
        }
    })
}

fn read_task_opened(reader: Reader, value: TaskOpenedView<'_>) -> Result<TaskOpened, RecordError> {
    if !(1..=PLANS_MAX).contains(&value.plan_steps.len()) {
        return reader.refuse(
            "task_opened.plan_steps",
            "1 to 8 plans",
            value.plan_steps.len(),
        );
    }
    for steps in &value.plan_steps {
        reader.within(
            "task_opened.plan_steps",
            *steps,
            1..=STEPS_MAX,
            "1 to 8 steps",
        )?;
    }
    Ok(TaskOpened {
        key_commitment: reader.digest("task_opened.key_commitment", value.key_commitment)?,
        plan_steps: value.plan_steps,
    })
}

fn read_timeout(reader: Reader, value: TimeoutView) -> Result<Timeout, RecordError> {
    let phase = match (wire::Phase::try_from(value.phase), value.slot) {
        (Ok(wire::Phase::Bids), 0) => Phase::Bids,
        (Ok(wire::Phase::Receipt), slot) => Phase::Receipt(slot),
        (Ok(wire::Phase::Reveals), 0) => Phase::Reveals,
        (Ok(wire::Phase::Openings), 0) => Phase::Openings,
        _ => {
            return reader.refuse(
                "timeout.phase",
                "a known phase, with a slot only for a receipt",
                value.phase,
            );
        }
    };
    Ok(Timeout {
        beacon: value.beacon,
        phase,
    })
}

fn write_body(body: &Body) -> wire::entry::Body {
    use wire::entry::Body as Wire;
    match body {
        Body::Genesis(genesis) => Wire::Genesis(genesis.write()),
        Body::PolicySet(policy, learning) => Wire::PolicySet(wire::PolicySet {
            policy: Some(policy.to_wire()),
            keep: *learning == Learning::Kept,
        }),
        Body::CapabilityIssued(issued) => Wire::CapabilityIssued(wire::CapabilityIssued {
            payload: issued.payload.clone(),
        }),
        Body::RevocationIssued(issued) => Wire::RevocationIssued(wire::RevocationIssued {
            payload: issued.payload.clone(),
        }),
        Body::TaskOpened(task) => Wire::TaskOpened(wire::TaskOpened {
            key_commitment: task.key_commitment.as_bytes().to_vec(),
            plan_steps: task.plan_steps.clone(),
        }),
        Body::BeaconIssued(issued) => Wire::BeaconIssued(wire::BeaconIssued {
            payload: issued.payload.clone(),
        }),
        Body::BidIssued(issued, beacon) => Wire::BidIssued(wire::BidIssued {
            payload: issued.payload.clone(),
            beacon: beacon.statement.bytes().to_vec(),
        }),
        Body::AssignmentIssued(issued) => Wire::AssignmentIssued(wire::AssignmentIssued {
            payload: issued.payload.clone(),
        }),
        Body::ReceiptIssued(issued) => Wire::ReceiptIssued(wire::ReceiptIssued {
            payload: issued.payload.clone(),
        }),
        Body::RevealIssued(issued) => Wire::RevealIssued(wire::RevealIssued {
            payload: issued.payload.clone(),
        }),
        Body::CapabilityReceived(received) => Wire::CapabilityReceived(wire::CapabilityReceived {
            statement: received.statement.bytes().to_vec(),
        }),
        Body::RevocationReceived(received) => Wire::RevocationReceived(wire::RevocationReceived {
            statement: received.statement.bytes().to_vec(),
        }),
        Body::BidReceived(received) => Wire::BidReceived(wire::BidReceived {
            statement: received.statement.bytes().to_vec(),
        }),
        Body::AssignmentReceived(received) => Wire::AssignmentReceived(wire::AssignmentReceived {
            statement: received.statement.bytes().to_vec(),
        }),
        Body::ReceiptReceived(received) => Wire::ReceiptReceived(wire::ReceiptReceived {
            statement: received.statement.bytes().to_vec(),
        }),
        Body::RevealReceived(received, check, checker) => {
            Wire::RevealReceived(wire::RevealReceived {
                statement: received.statement.bytes().to_vec(),
                check: match check {
                    AnswerCheck::Parses => wire::AnswerCheck::Parses,
                    AnswerCheck::Unparsable => wire::AnswerCheck::Unparsable,
                    AnswerCheck::Withheld => wire::AnswerCheck::Withheld,
                }
                .into(),
                checker: match checker {
                    CheckerVerdict::Unchecked => wire::CheckerVerdict::Unspecified,
                    CheckerVerdict::Passed => wire::CheckerVerdict::Passed,
                    CheckerVerdict::Failed => wire::CheckerVerdict::Failed,
                }
                .into(),
            })
        }
        Body::AcknowledgementReceived(received) => {
            Wire::AcknowledgementReceived(wire::AcknowledgementReceived {
                statement: received.statement.bytes().to_vec(),
            })
        }
        Body::Timeout(timeout) => {
            let (phase, slot) = match timeout.phase {
                Phase::Bids => (wire::Phase::Bids, 0),
                Phase::Receipt(slot) => (wire::Phase::Receipt, slot),
                Phase::Reveals => (wire::Phase::Reveals, 0),
                Phase::Openings => (wire::Phase::Openings, 0),
            };
            Wire::Timeout(wire::Timeout {
                beacon: timeout.beacon,
                phase: phase.into(),
                slot,
            })
        }
        Body::Resumed => Wire::Resumed(wire::Resumed {}),
        Body::Close(close) => Wire::Close(close.write()),
        Body::Replacement(replacement) => Wire::Replacement(replacement.write()),
        Body::Settlement(settlement) => Wire::Settlement(settlement.write()),
        Body::TaskDecided(decided) => Wire::TaskDecided(decided.write()),
        Body::CallIssued(issued) => Wire::CallIssued(wire::CallIssued {
            payload: issued.payload.clone(),
        }),
        Body::OpeningIssued(issued, call) => Wire::OpeningIssued(wire::OpeningIssued {
            payload: issued.payload.clone(),
            call: call.statement.bytes().to_vec(),
        }),
        Body::OpeningReceived(received) => Wire::OpeningReceived(wire::OpeningReceived {
            statement: received.statement.bytes().to_vec(),
        }),
        Body::Draw(draw) => Wire::Draw(draw.write()),
        Body::RootRecorded(recorded) => Wire::RootRecorded(recorded.write()),
        Body::MeasuresImported(import) => Wire::MeasuresImported(import.write()),
    }
}

#[cfg(test)]
mod tests {
    use super::Body;

    #[test]
    fn names_are_those_of_the_schema_in_its_order() {
        let schema = include_str!("../../../../proto/symphony/log/v1/entry.proto");
        let (_, behind) = schema.split_once("oneof body {").expect("a body");
        let (bodies, _) = behind.split_once('}').expect("its end");
        let names: Vec<&str> = bodies
            .lines()
            .filter(|line| line.trim_end().ends_with(';'))
            .filter_map(|line| line.split_whitespace().nth(1))
            .collect();
        assert_eq!(names, Body::NAMES);
    }
}
