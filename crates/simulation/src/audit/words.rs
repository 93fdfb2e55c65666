//! What a signed word says of a place in a log, and what stands there. Spec: REPLAY-14.

use symphony_protocol::records::{
    Acknowledgement, Assignment, Beacon, Bid, Body, Call, Capability, Opening, Origin, Receipt,
    Received, Reveal, Revocation,
};
use symphony_transparency::{Digest, PublicKey, StatementKind, VerifiedStatement};

/// Whether a log holds a statement as its author's own or as one that it received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Issued,
    Received,
}

/// A signed word on what stands at a place of its signer's log.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) signer: PublicKey,
    pub(crate) place: Origin,
    pub(crate) named: Digest,
    pub(crate) standing: Standing,
    /// The statement that says so.
    pub(crate) statement: VerifiedStatement,
}

/// What a statement says of a place, if it can be read.
pub(crate) fn word(statement: &VerifiedStatement) -> Option<Word> {
    let (place, named, standing) = match statement.kind() {
        StatementKind::Capability => issued(statement, Capability::parse, |record| record.origin)?,
        StatementKind::Revocation => issued(statement, Revocation::parse, |record| record.origin)?,
        StatementKind::Beacon => issued(statement, Beacon::parse, |record| record.origin)?,
        StatementKind::Bid => issued(statement, Bid::parse, |record| record.origin)?,
        StatementKind::Assignment => issued(statement, Assignment::parse, |record| record.origin)?,
        StatementKind::Receipt => issued(statement, Receipt::parse, |record| record.origin)?,
        StatementKind::Reveal => issued(statement, Reveal::parse, |record| record.origin)?,
        StatementKind::Call => issued(statement, Call::parse, |record| record.origin)?,
        StatementKind::Opening => issued(statement, Opening::parse, |record| record.origin)?,
        StatementKind::Acknowledgement => {
            let record = Acknowledgement::parse(statement.payload()).ok()?;
            (record.origin, record.statement, Standing::Received)
        }
        _ => return None,
    };
    Some(Word {
        signer: *statement.author(),
        place,
        named,
        standing,
        statement: statement.clone(),
    })
}

fn issued<R, E>(
    statement: &VerifiedStatement,
    parse: impl Fn(&[u8]) -> Result<R, E>,
    origin: impl Fn(&R) -> Origin,
) -> Option<(Origin, Digest, Standing)> {
    let record = parse(statement.payload()).ok()?;
    Some((
        origin(&record),
        statement.payload_digest(),
        Standing::Issued,
    ))
}

/// The statement that an entry holds, if it holds one.
pub(crate) fn held(body: &Body) -> Option<(Standing, Digest)> {
    let own = |digest: Digest| Some((Standing::Issued, digest));
    match body {
        Body::CapabilityIssued(statement) => own(statement.digest),
        Body::RevocationIssued(statement) => own(statement.digest),
        Body::BeaconIssued(statement) => own(statement.digest),
        Body::BidIssued(statement, _) => own(statement.digest),
        Body::AssignmentIssued(statement) => own(statement.digest),
        Body::ReceiptIssued(statement) => own(statement.digest),
        Body::RevealIssued(statement) => own(statement.digest),
        Body::CallIssued(statement) => own(statement.digest),
        Body::OpeningIssued(statement, _) => own(statement.digest),
        body => foreign(body)
            .filter(|_| !matches!(body, Body::BidIssued(..) | Body::OpeningIssued(..)))
            .map(|statement| (Standing::Received, statement.payload_digest())),
    }
}

/// The statement of another peer that an entry holds, if it holds one.
pub(crate) fn foreign(body: &Body) -> Option<&VerifiedStatement> {
    fn statement<R>(received: &Received<R>) -> Option<&VerifiedStatement> {
        Some(&received.statement)
    }
    match body {
        Body::BidIssued(_, beacon) => statement(beacon),
        Body::OpeningIssued(_, call) => statement(call),
        Body::OpeningReceived(received) => statement(received),
        Body::CapabilityReceived(received) => statement(received),
        Body::RevocationReceived(received) => statement(received),
        Body::BidReceived(received) => statement(received),
        Body::AssignmentReceived(received) => statement(received),
        Body::ReceiptReceived(received) => statement(received),
        Body::RevealReceived(received, ..) => statement(received),
        Body::AcknowledgementReceived(received) => statement(received),
        _ => None,
    }
}
