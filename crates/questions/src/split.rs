//! Which questions may teach a model and which may ask it: decided by the question's own text, so that the two sets
//! cannot meet whatever seeds are used.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::random::mix;

/// One question text in this many belongs to [`Split::Demo`].
pub const SPLIT_MODULUS: u64 = 16;

/// The two sets, disjoint by construction: a text's [`text_digest`] modulo [`SPLIT_MODULUS`] is 0 for `Demo`, and
/// anything else for `Train`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Questions that train models.
    Train,
    /// Questions that no shipped model was trained on: the demo's, the tests' and the cards' figures.
    Demo,
}

impl Split {
    /// The set to which a question with this text belongs.
    #[must_use]
    pub fn of(input: &str) -> Self {
        if text_digest(input).is_multiple_of(SPLIT_MODULUS) {
            Self::Demo
        } else {
            Self::Train
        }
    }

    /// The name on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Demo => "demo",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that is no split's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown split {actual:?}, expected \"train\" or \"demo\"")]
pub struct UnknownSplit {
    /// The name given.
    pub actual: String,
}

impl FromStr for Split {
    type Err = UnknownSplit;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "train" => Ok(Self::Train),
            "demo" => Ok(Self::Demo),
            _ => Err(UnknownSplit {
                actual: name.to_owned(),
            }),
        }
    }
}

/// A 64-bit digest of a question's text: FNV-1a over its UTF-8 bytes, then SplitMix64's finaliser, since the low bits of
/// FNV alone depend on the low bits of the text only. It separates sets; it protects nothing.
#[must_use]
pub fn text_digest(input: &str) -> u64 {
    let hash = input.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_one_text_in_sixteen_is_for_the_demo() {
        let demo = (0..16_000)
            .filter(|number| Split::of(&format!("question {number}")) == Split::Demo)
            .count();
        assert!((850..1_150).contains(&demo), "{demo} of 16,000");
    }

    #[test]
    fn the_digest_of_a_text_never_changes() {
        assert_eq!(text_digest(""), mix(0xcbf2_9ce4_8422_2325));
        assert_eq!(text_digest("True is"), 10_896_641_949_673_560_078);
    }

    #[test]
    fn names_are_read_back() {
        for split in [Split::Train, Split::Demo] {
            assert_eq!(split.name().parse(), Ok(split));
        }
        assert!("eval".parse::<Split>().is_err());
    }
}
