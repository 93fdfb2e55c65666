//! Domain types of everything that is signed or logged, and their canonical bytes.
//!
//! Generated protobuf types stay behind this module. A record that was read lies within every range that the schema
//! documents; what only a log's history can show (is this the right match, was this capability revoked?) is judged by
//! [`crate::state`].

mod beacon;
mod capability;
mod challenge;
mod chance;
mod decision;
mod draw;
mod entry;
mod error;
mod execution;
mod genesis;
mod hops;
mod import;
mod origin;
mod params;
mod private;
mod retirement;
mod views;

pub use beacon::{ASKED_MAX, AnswerForm, Beacon, Bid, OwnBid, REQUIREMENT_TAGS_MAX, Reach};
pub use capability::{CAPABILITY_TAGS_MAX, Capability, MODELS_MAX, Model, Revocation};
pub use challenge::{AnswerError, AnsweredEntry, CHALLENGED_ENTRIES_MAX, Challenge};
pub use chance::{Call, Opening};
pub(crate) use decision::LIST_MAX;
pub use decision::{
    Close, Outcome, OutcomeClass, Ranked, Replacement, RootRecorded, Selection, Settlement,
    TaskDecided, Winner,
};
pub use draw::Draw;
pub use entry::{
    AnswerCheck, Body, CheckerVerdict, ENTRY_SIZE_MAX, Entry, Issued, PLANS_MAX, Phase, Received,
    STEPS_MAX, Signatures, StatementMismatch, StatementRecord, TaskOpened, Timeout, origin_of,
};
pub(crate) use error::Reader;
pub use error::{PPM, RecordError};
pub use execution::{
    Acknowledgement, Assignment, Device, Receipt, ResultClass, Reveal, TaskKey, ballot_commitment,
};
pub use genesis::{Genesis, leading_zero_bits};
pub use hops::{HopChain, RELAYED_SIZE_MAX, RelayedBeacon, hop_anchor, next_hop};
pub use import::{IMPORT_SIZE_MAX, MeasuresImported, TakenMeasures};
pub use origin::{Origin, TAG_SIZE_MAX};
pub use params::{Learning, NAMED_MAX, Params, Policy, RULES_REVISION};
pub use private::{ANSWER_SIZE_MAX, AssignmentPrivate, RevealPrivate, TEXT_SIZE_MAX};
pub use retirement::Retirement;
