//! Evidence: a self-contained proof that a peer broke a rule, which anyone can check who trusts neither its finder nor the peer.
//!
//! There are two ways to convict. *Statements and entries* that one peer signed and that cannot all be right need no state:
//! two bids for one beacon, two histories of one log. A *window* shows a wrong decision: a recorded state root, the parts of
//! that state which the rules read, and the exact entries from there to the faulty one. They are applied by
//! [`State::apply`](crate::state::State::apply), as in every replay: there is no second implementation of any rule.
//!
//! Why an honest peer is never convicted: what it signed is true of its one log. So a root that it recorded is the root of its
//! true state, and openings under that root are parts of it. A rule that reads a part which is not opened gives no answer
//! ([`EvidenceError::NotOpened`]); all others read what a replay of the whole log would read, and find no fault.
//!
//! Spec: chapter 16.

mod checked;
mod convict;
mod entries;
mod error;
mod explain;
mod findings;
mod history;
mod make;
mod prove;
mod statements;
mod window;

use symphony_proto::evidence::v1 as wire;
use symphony_transparency::{CanonicalError, Digest, Domain, decode_canonical, digest, encode};

pub use convict::Conviction;
pub use error::EvidenceError;
pub use make::{ForkPoint, SignedEntry};
pub use prove::{LogSource, ProveError};
pub use window::{Base, WindowParts};

/// Largest evidence file, in bytes: it travels whole in one gossip message. With the agreed parameters of a standard network,
/// evidence of every rule is below a quarter of this.
///
/// Spec: EVIDENCE-2.
pub const EVIDENCE_SIZE_MAX: usize = 62 * 1024;

/// A proof that a peer broke a rule. Nothing is known of it before [`Evidence::verify`] but that its bytes are well formed.
///
/// Spec: EVIDENCE-1.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    bytes: Vec<u8>,
    proof: wire::evidence::Proof,
}

impl Evidence {
    /// Reads the bytes of an evidence file. Size first, then canonical form; nothing is checked yet.
    ///
    /// # Errors
    /// [`EvidenceError::Unreadable`] or [`EvidenceError::NoProof`].
    ///
    /// Spec: EVIDENCE-1, EVIDENCE-2.
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let value: wire::Evidence =
            decode_canonical(bytes, EVIDENCE_SIZE_MAX).map_err(EvidenceError::Unreadable)?;
        let proof = value.proof.ok_or(EvidenceError::NoProof)?;
        Ok(Self {
            bytes: bytes.to_vec(),
            proof,
        })
    }

    fn new(proof: wire::evidence::Proof) -> Result<Self, EvidenceError> {
        let bytes = encode(&wire::Evidence {
            proof: Some(proof.clone()),
        });
        if bytes.len() > EVIDENCE_SIZE_MAX {
            return Err(EvidenceError::Unreadable(CanonicalError::TooLarge {
                limit: EVIDENCE_SIZE_MAX,
                actual: bytes.len(),
            }));
        }
        Ok(Self { bytes, proof })
    }

    /// Checks the proof, from its bytes and from nothing else.
    ///
    /// # Errors
    /// Why it convicts nobody. Nothing is said of anybody then.
    ///
    /// Spec: EVIDENCE-3.
    pub fn verify(&self) -> Result<Conviction, EvidenceError> {
        use wire::evidence::Proof;
        let found = match &self.proof {
            Proof::TwoCapabilities(pair) => statements::two_capabilities(pair),
            Proof::TwoBids(pair) => statements::two_bids(pair),
            Proof::TwoReceipts(pair) => statements::two_receipts(pair),
            Proof::BidMatch(proof) => statements::bid_match(proof),
            Proof::ClosedBallot(proof) => statements::closed_ballot(proof),
            Proof::TwoCheckpoints(pair) => history::two_checkpoints(pair),
            Proof::TwoEntries(pair) => history::two_entries(pair),
            Proof::BrokenWord(proof) => history::broken_word(proof),
            Proof::LoneEntry(proof) => entries::lone_entry(proof),
            Proof::BrokenLink(proof) => entries::broken_link(proof),
            Proof::Window(proof) => window::verify(proof),
            Proof::TwoLogs(pair) => history::two_logs(pair),
        }?;
        Ok(Conviction::new(found, self.kind(), self.bytes.len()))
    }

    /// What kind of proof it is, in the words of the schema.
    pub fn kind(&self) -> &'static str {
        use wire::evidence::Proof;
        match &self.proof {
            Proof::TwoCapabilities(_) => "two_capabilities",
            Proof::TwoBids(_) => "two_bids",
            Proof::TwoReceipts(_) => "two_receipts",
            Proof::BidMatch(_) => "bid_match",
            Proof::ClosedBallot(_) => "closed_ballot",
            Proof::TwoCheckpoints(_) => "two_checkpoints",
            Proof::TwoEntries(_) => "two_entries",
            Proof::BrokenWord(_) => "broken_word",
            Proof::LoneEntry(_) => "lone_entry",
            Proof::BrokenLink(_) => "broken_link",
            Proof::Window(_) => "window",
            Proof::TwoLogs(_) => "two_logs",
        }
    }

    /// The exact bytes: what is stored and gossiped, without anybody's signature.
    ///
    /// Spec: EVIDENCE-16.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Name of the evidence.
    ///
    /// Spec: EVIDENCE-1.
    pub fn digest(&self) -> Digest {
        digest(Domain::Evidence, &self.bytes)
    }
}
