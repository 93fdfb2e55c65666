//! The signing record: the highest size and root that this peer ever signed, kept apart from its data directory.
//!
//! A peer whose data directory is restored from a backup would append other entries after the ones that it already
//! signed, and every other peer would rightly expose it as a forker. The record is what a backup of the data directory does
//! not roll back. The rule is: append, sync, record, and only then release a signature.
//!
//! Spec: STORE-12 to STORE-15.

mod record;
mod slot;
mod text;

pub(crate) use record::Inspection;
pub use record::{SigningRecord, SigningRecordError};
pub use slot::SIGNING_RECORD_LOGS_COUNT_MAX;
pub(crate) use slot::Slot;
