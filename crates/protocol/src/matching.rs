//! φ: how well a capability fits a requirement.
//!
//! Anyone who has the two statements recomputes it, so a bidder cannot claim a match that it does not have.
//!
//! Spec: SELECT-8.

use crate::embedding::{Embedding, similarity};
use crate::number::floor_ppm;

/// What a capability says or a beacon asks for.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    /// Tags: words that both sides spell alike.
    pub tags: &'a [String],
    /// Meaning beyond the tags.
    pub embedding: &'a Embedding,
}

/// φ in parts per million: half the share of required tags that the capability has, half the likeness of the embeddings.
///
/// A capability with none of the required tags and an unrelated embedding gets about 250 000, below the usual threshold of
/// 300 000. A requirement without tags is covered by everybody.
///
/// Spec: SELECT-8.
pub fn match_ppm(capability: &Profile<'_>, requirement: &Profile<'_>) -> u32 {
    Fit::of(capability, requirement).match_ppm
}

/// How a capability fits a requirement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fit {
    /// φ, in parts per million.
    pub(crate) match_ppm: u32,
    /// Likeness of the embeddings, in 0 to 1 (SELECT-7).
    pub(crate) similarity: f64,
}

impl Fit {
    pub(crate) fn of(capability: &Profile<'_>, requirement: &Profile<'_>) -> Self {
        let coverage = coverage(capability.tags, requirement.tags);
        let similarity = similarity(capability.embedding, requirement.embedding);
        Self {
            match_ppm: floor_ppm(0.5 * coverage + 0.5 * similarity),
            similarity,
        }
    }
}

/// The share of the required tags that are offered, each compared byte for byte; 1 if none is required.
fn coverage(offered: &[String], required: &[String]) -> f64 {
    if required.is_empty() {
        return 1.0;
    }
    // At most 8 required tags against 32 offered ones.
    let covered = required.iter().filter(|tag| offered.contains(tag)).count();
    covered as f64 / required.len() as f64
}

#[cfg(test)]
mod tests {
    use super::{Profile, match_ppm};
    use crate::embedding::Embedding;

    fn tags(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    fn of(offered: &[&str], required: &[&str], left: &Embedding, right: &Embedding) -> u32 {
        match_ppm(
            &Profile {
                tags: &tags(offered),
                embedding: left,
            },
            &Profile {
                tags: &tags(required),
                embedding: right,
            },
        )
    }

    #[test]
    fn select_8_a_full_match_is_one_million() {
        let one = Embedding::of_text("boolean");
        assert_eq!(
            of(&["boolean", "logic"], &["boolean"], &one, &one),
            1_000_000
        );
        assert_eq!(of(&[], &[], &one, &one), 1_000_000);
    }

    #[test]
    fn select_8_without_a_fitting_tag_it_lies_below_the_threshold() {
        let zero = Embedding::ZERO;
        assert_eq!(of(&["navigate"], &["boolean"], &zero, &zero), 250_000);
        assert_eq!(of(&[], &["boolean"], &zero, &zero), 250_000);
    }

    #[test]
    fn select_8_counts_the_share_of_tags() {
        let zero = Embedding::ZERO;
        assert_eq!(of(&["a"], &["a", "b", "c"], &zero, &zero), 416_666);
        assert_eq!(
            of(&["A"], &["a"], &zero, &zero),
            250_000,
            "tags are compared byte for byte"
        );
    }
}
