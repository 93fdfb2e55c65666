//! Entry bundles.

use super::TILE_WIDTH;
use crate::chain::ENTRY_SIZE_MAX;

/// Bytes before each entry: its length.
const PREFIX_LENGTH: usize = 2;

// The length of every entry that LOG-5 allows fits its prefix, so that each log has bundles.
const _: () = assert!(ENTRY_SIZE_MAX <= u16::MAX as usize);

/// Largest bundle in bytes: full, of entries of the largest size.
pub const BUNDLE_SIZE_MAX: usize = TILE_WIDTH as usize * (PREFIX_LENGTH + ENTRY_SIZE_MAX);

/// Why entries make no bundle, or bytes are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// An entry larger than [`ENTRY_SIZE_MAX`].
    #[error("entry {position} of the bundle has {actual} bytes, more than {limit}")]
    EntryTooLarge {
        /// Its position in the bundle, from 0.
        position: usize,
        /// [`ENTRY_SIZE_MAX`].
        limit: usize,
        /// Its size in bytes.
        actual: usize,
    },
    /// More entries than [`TILE_WIDTH`], or another number than the path says.
    #[error("the bundle has {actual} entries, not {expected}")]
    Count {
        /// The number that the path says; when a bundle is made, [`TILE_WIDTH`].
        expected: usize,
        /// The number of entries, counted up to one more than expected.
        actual: usize,
    },
    /// The bytes end within an entry.
    #[error("the bundle ends within its entry {position}")]
    Truncated {
        /// Position of the entry, from 0.
        position: usize,
    },
}

/// The bytes of a bundle: each entry after its length in two big-endian bytes.
///
/// # Errors
/// [`BundleError::EntryTooLarge`] or [`BundleError::Count`].
///
/// Spec: TILE-4.
pub fn encode_bundle<'a>(
    entries: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    for (position, entry) in entries.into_iter().enumerate() {
        if position == usize::from(TILE_WIDTH) {
            return Err(BundleError::Count {
                expected: position,
                actual: position + 1,
            });
        }
        push_entry(&mut bytes, position, entry)?;
    }
    Ok(bytes)
}

/// Adds one entry to the bytes of a bundle.
pub(super) fn push_entry(
    bytes: &mut Vec<u8>,
    position: usize,
    entry: &[u8],
) -> Result<(), BundleError> {
    let length = u16::try_from(entry.len())
        .ok()
        .filter(|_| entry.len() <= ENTRY_SIZE_MAX)
        .ok_or(BundleError::EntryTooLarge {
            position,
            limit: ENTRY_SIZE_MAX,
            actual: entry.len(),
        })?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle that a path says to have `width` of them. Whether they are the log's entries shows when their
/// leaf hashes are those of the tile of level 0.
///
/// # Errors
/// Any [`BundleError`].
///
/// Spec: TILE-4, TILE-5.
pub fn decode_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let expected = usize::from(width);
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let position = entries.len();
        if position == expected {
            return Err(BundleError::Count {
                expected,
                actual: position + 1,
            });
        }
        let (prefix, behind) = rest
            .split_first_chunk::<PREFIX_LENGTH>()
            .ok_or(BundleError::Truncated { position })?;
        let length = usize::from(u16::from_be_bytes(*prefix));
        if length > ENTRY_SIZE_MAX {
            return Err(BundleError::EntryTooLarge {
                position,
                limit: ENTRY_SIZE_MAX,
                actual: length,
            });
        }
        let (entry, behind) = behind
            .split_at_checked(length)
            .ok_or(BundleError::Truncated { position })?;
        entries.push(entry);
        rest = behind;
    }
    if entries.len() != expected {
        return Err(BundleError::Count {
            expected,
            actual: entries.len(),
        });
    }
    Ok(entries)
}
