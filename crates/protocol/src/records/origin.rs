//! Where a statement stands in its author's log, and the tags that statements share.

use symphony_proto::statement::v1 as wire;
use symphony_transparency::Digest;

use super::{
    error::{Reader, RecordError},
    views::OriginView,
};

/// A place in a log: log id and index. Spec: KEYS-15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Id of the log.
    pub log: Digest,
    /// Index of the entry, from 0.
    pub index: u64,
}

impl Origin {
    pub(super) fn read(reader: Reader, value: Option<OriginView<'_>>) -> Result<Self, RecordError> {
        let value = reader.require("origin", value)?;
        Ok(Self {
            log: reader.digest("origin.log_id", value.log_id)?,
            index: value.index,
        })
    }

    pub(super) fn write(self) -> Option<wire::Origin> {
        Some(wire::Origin {
            log_id: self.log.as_bytes().to_vec(),
            index: self.index,
        })
    }
}

/// Longest tag, in bytes: enough for a name, too short for prose.
pub const TAG_SIZE_MAX: usize = 64;

/// Checks that tags are strictly sorted words of a-z, 0-9 and '-'. Spec: CAP-3.
pub(super) fn check_tags(
    reader: Reader,
    field: &'static str,
    tags: &[&str],
    count_max: usize,
) -> Result<(), RecordError> {
    reader.strictly_sorted(field, tags, count_max)?;
    for tag in tags {
        let fits = (1..=TAG_SIZE_MAX).contains(&tag.len())
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !fits {
            return reader.refuse(
                field,
                "tags of 1 to 64 bytes of a-z, 0-9 and '-'",
                format!("{tag:?}"),
            );
        }
    }
    Ok(())
}

/// Texts that were read in place.
pub(super) fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
