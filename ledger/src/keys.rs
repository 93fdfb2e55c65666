//! Every key of the database, and nothing else: no other file builds one.
//!
//! Spec: STORE-2, STORE-3. Numbers are big-endian, so that the byte order of keys is the order of entries.

use std::ops::Range;

use symphony_transparency::Digest;

/// Version of the layout of keys and values. A database of another version is refused. Spec: STORE-1.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// Column family of the entries: large values, written once, read in order.
pub(crate) const FAMILY_ENTRIES: &str = "entries";
/// Column family of the Merkle nodes: small values, written once, read at random.
pub(crate) const FAMILY_NODES: &str = "nodes";
/// Column family of everything that is overwritten: heads, checkpoints, memos, the format.
pub(crate) const FAMILY_RECORDS: &str = "records";

/// All column families, in the order in which they are opened. `default` belongs to RocksDB and stays empty.
pub(crate) const FAMILIES: [&str; 4] = ["default", FAMILY_ENTRIES, FAMILY_NODES, FAMILY_RECORDS];

/// Prefix of entries: `e ‖ log id ‖ index`.
pub(crate) const TABLE_ENTRY: u8 = b'e';
/// Prefix of Merkle nodes: `n ‖ log id ‖ level ‖ index within the level`.
pub(crate) const TABLE_NODE: u8 = b'n';
/// Prefix of the format record: `f`.
pub(crate) const TABLE_FORMAT: u8 = b'f';
/// Prefix of the pointer to this peer's own log: `o`.
pub(crate) const TABLE_OWN: u8 = b'o';
/// Prefix of heads: `h ‖ log id`.
pub(crate) const TABLE_HEAD: u8 = b'h';
/// Prefix of checkpoints: `c ‖ log id ‖ size`.
pub(crate) const TABLE_CHECKPOINT: u8 = b'c';
/// Prefix of memos: `m ‖ key`.
pub(crate) const TABLE_MEMO: u8 = b'm';

const ID_LENGTH: usize = 32;

/// Key of the format record.
pub(crate) const FORMAT: [u8; 1] = [TABLE_FORMAT];
/// Key of the pointer to this peer's own log.
pub(crate) const OWN: [u8; 1] = [TABLE_OWN];

fn log_prefix(table: u8, log: &Digest) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + ID_LENGTH + 9);
    key.push(table);
    key.extend_from_slice(log.as_bytes());
    key
}

/// Key of the entry at `index`.
pub(crate) fn entry(log: &Digest, index: u64) -> Vec<u8> {
    let mut key = log_prefix(TABLE_ENTRY, log);
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// Key of the root of the perfect subtree at `level` (0 is a leaf) and `index` within that level.
pub(crate) fn node(log: &Digest, level: u8, index: u64) -> Vec<u8> {
    let mut key = log_prefix(TABLE_NODE, log);
    key.push(level);
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// Key of a log's head.
pub(crate) fn head(log: &Digest) -> Vec<u8> {
    log_prefix(TABLE_HEAD, log)
}

/// Key of the checkpoint of `log` at `size`.
pub(crate) fn checkpoint(log: &Digest, size: u64) -> Vec<u8> {
    let mut key = log_prefix(TABLE_CHECKPOINT, log);
    key.extend_from_slice(&size.to_be_bytes());
    key
}

/// Key of a memo.
pub(crate) fn memo(key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(1 + key.len());
    full.push(TABLE_MEMO);
    full.extend_from_slice(key);
    full
}

/// All keys of `table` that belong to `log`.
pub(crate) fn range_of_log(table: u8, log: &Digest) -> Range<Vec<u8>> {
    let start = log_prefix(table, log);
    let end = end_of_prefix(&start);
    start..end
}

/// The first key behind all keys that begin with `prefix`. A prefix of only 0xFF bytes has none below 64 more of them,
/// and no key of ours begins with 0xFF.
pub(crate) fn end_of_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![u8::MAX; 64]
}

/// What a stored key says, for checks of a whole database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ParsedKey {
    Entry { log: Digest, index: u64 },
    Node { log: Digest, level: u8, index: u64 },
    Format,
    Own,
    Head { log: Digest },
    Checkpoint { log: Digest, size: u64 },
    Memo { key: Vec<u8> },
}

/// Reads a key back; `None` for a key that this version never writes into `family`.
pub(crate) fn parse(family: &str, key: &[u8]) -> Option<ParsedKey> {
    let (&table, rest) = key.split_first()?;
    let split_log = || -> Option<(Digest, &[u8])> {
        let (log, rest) = rest.split_first_chunk::<ID_LENGTH>()?;
        Some((Digest::from_bytes(*log), rest))
    };
    let number = |bytes: &[u8]| Some(u64::from_be_bytes(bytes.try_into().ok()?));
    match (family, table) {
        (FAMILY_ENTRIES, TABLE_ENTRY) => {
            let (log, rest) = split_log()?;
            Some(ParsedKey::Entry {
                log,
                index: number(rest)?,
            })
        }
        (FAMILY_NODES, TABLE_NODE) => {
            let (log, rest) = split_log()?;
            let (&level, rest) = rest.split_first()?;
            Some(ParsedKey::Node {
                log,
                level,
                index: number(rest)?,
            })
        }
        (FAMILY_RECORDS, TABLE_FORMAT) if rest.is_empty() => Some(ParsedKey::Format),
        (FAMILY_RECORDS, TABLE_OWN) if rest.is_empty() => Some(ParsedKey::Own),
        (FAMILY_RECORDS, TABLE_HEAD) => {
            let (log, rest) = split_log()?;
            rest.is_empty().then_some(ParsedKey::Head { log })
        }
        (FAMILY_RECORDS, TABLE_CHECKPOINT) => {
            let (log, rest) = split_log()?;
            Some(ParsedKey::Checkpoint {
                log,
                size: number(rest)?,
            })
        }
        (FAMILY_RECORDS, TABLE_MEMO) => Some(ParsedKey::Memo { key: rest.to_vec() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(byte: u8) -> Digest {
        Digest::from_bytes([byte; 32])
    }

    #[test]
    fn store_2_every_key_reads_back() {
        let cases = [
            (
                FAMILY_ENTRIES,
                entry(&log(7), 258),
                ParsedKey::Entry {
                    log: log(7),
                    index: 258,
                },
            ),
            (
                FAMILY_NODES,
                node(&log(7), 3, 9),
                ParsedKey::Node {
                    log: log(7),
                    level: 3,
                    index: 9,
                },
            ),
            (FAMILY_RECORDS, FORMAT.to_vec(), ParsedKey::Format),
            (FAMILY_RECORDS, OWN.to_vec(), ParsedKey::Own),
            (
                FAMILY_RECORDS,
                head(&log(1)),
                ParsedKey::Head { log: log(1) },
            ),
            (
                FAMILY_RECORDS,
                checkpoint(&log(1), 5),
                ParsedKey::Checkpoint {
                    log: log(1),
                    size: 5,
                },
            ),
            (
                FAMILY_RECORDS,
                memo(b"abc"),
                ParsedKey::Memo {
                    key: b"abc".to_vec(),
                },
            ),
        ];
        for (family, key, parsed) in cases {
            assert_eq!(parse(family, &key), Some(parsed));
        }
    }

    #[test]
    fn store_2_keys_of_other_shapes_are_strange() {
        let mut long = entry(&log(7), 258);
        long.push(0);
        assert_eq!(parse(FAMILY_ENTRIES, &long), None);
        assert_eq!(parse(FAMILY_NODES, &entry(&log(7), 1)), None);
        assert_eq!(parse(FAMILY_RECORDS, b"o1"), None);
        assert_eq!(parse(FAMILY_RECORDS, b""), None);
    }

    #[test]
    fn store_3_entries_sort_by_index() {
        assert!(entry(&log(7), 255) < entry(&log(7), 256));
        let range = range_of_log(TABLE_ENTRY, &log(0xFF));
        assert!(range.contains(&entry(&log(0xFF), u64::MAX)));
        assert!(!range.contains(&entry(&log(0xFE), u64::MAX)));
    }
}
