//! The portable file of one log, `.symlog`: written by an export, read by an auditor who has no database.
//!
//! The module needs `std::io` and nothing of RocksDB. Spec: STORE-20, STORE-21, STORE-22, which holds the layout.

mod error;
mod header;
mod reader;
mod writer;

pub use error::SymlogError;
pub use header::{
    EXPORT_CHECKPOINT_SIZE_MAX, EXPORT_HEADER_SIZE_MAX, EXPORT_PARAMS_SIZE_MAX, ExportHeader,
};
pub use reader::ExportReader;
pub use writer::ExportWriter;

use symphony_transparency::{Digest, Domain, DomainHasher};

/// The first 8 bytes of every file: a name, a zero byte that no text file has, and the format's version.
pub const MAGIC: [u8; 8] = *b"symlog\0\x01";

/// Bytes of the check before each entry and after the header.
pub const CHECK_LENGTH: usize = 16;

/// The check of one frame: 16 bytes of the export digest of its place and its bytes. It names the damaged entry itself,
/// where the hash chain would only name the next.
fn check(place: u64, bytes: &[u8]) -> [u8; CHECK_LENGTH] {
    let mut hasher = DomainHasher::new(Domain::Export);
    hasher.update(b"frame");
    hasher.update(&place.to_be_bytes());
    hasher.update(bytes);
    let digest: Digest = hasher.finalize();
    let mut check = [0; CHECK_LENGTH];
    check.copy_from_slice(&digest.as_bytes()[..CHECK_LENGTH]);
    check
}

/// The place of the header's frame: no entry can have it, since a log of 2⁶⁴ entries has none there.
const HEADER_PLACE: u64 = u64::MAX;
