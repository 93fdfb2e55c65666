//! Judging logs from files alone: no database, no network, no node.
//!
//! Each file is read as a stream and replayed by the code that coordinators decide by, with signatures checked ahead on all
//! cores ([`prepare_ahead`]); then the logs are compared with each other. Memory is that of one replay's state, and about 80 bytes an entry when several logs are compared.
//!
//! What is concluded, and when:
//! - *exposed*: a rule is broken, by the log's author or by a peer whose signed statement stands in the log. A fault is
//!   marked as [signed](LocatedFault::signed) if the author's checkpoint covers the entry that shows it: then whoever wrote
//!   the file has no part in it.
//! - *unusable*: the file is damaged, it is no log of this network and these rules, or its entries are not those that the
//!   author signed. Nobody is blamed.
//! - *suspected*: the author signed more entries than the file holds.
//! - *clean*: everything is computed correctly from what the log claims.
//!
//! Spec: chapters 12 (replay and verdicts) and 15 (storage and export).

mod ahead;
mod export_file;
mod files;
mod json;
mod log_audit;
mod report;
mod table;

pub use ahead::prepare_ahead;
pub use export_file::{ExportFile, InputError};
pub use files::{Audit, AuditProgress, audit_files};
pub use json::report_json;
pub use log_audit::{CheckpointClaimError, LogAudit};
pub(crate) use report::per_second;
pub use report::{LocatedFault, LogReport, SignedState, Verdict};
pub use table::report_table;
