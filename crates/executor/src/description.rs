//! Which model answers, and how far that is known.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Context of the key derivation for the digest of a model that is known by name only.
pub const MODEL_CLAIM_CONTEXT: &str = "symphony v1 model claim";

/// Identity of a model: 32 bytes. What they are a digest of, [`DigestBasis`] says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelDigest([u8; 32]);

impl ModelDigest {
    /// Size in bytes.
    pub const LENGTH: usize = 32;

    /// A digest from its bytes.
    pub fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The digest that stands for a model of which only a name is known.
    ///
    /// BLAKE3 in key-derivation mode with the context [`MODEL_CLAIM_CONTEXT`], over each of `kind`, `base` and `model`:
    /// its size as 8 bytes, big-endian, then its bytes. `base` is the endpoint's base URL or the command's program as
    /// configured. It identifies a claim and proves nothing about weights.
    pub fn of_claim(kind: ExecutorKind, base: &str, model: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(MODEL_CLAIM_CONTEXT);
        for part in [kind.name(), base, model] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The first 10 hexadecimal digits, for logs.
    pub fn fmt_short(&self) -> String {
        HEXLOWER.encode(&self.0[..5])
    }
}

impl fmt::Display for ModelDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for ModelDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ModelDigest({})", self.fmt_short())
    }
}

/// A text is not 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a model digest has 64 lowercase hexadecimal digits, not {actual:?}")]
pub struct ParseModelDigestError {
    /// The text, cut to 80 characters.
    pub actual: String,
}

impl FromStr for ModelDigest {
    type Err = ParseModelDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| ParseModelDigestError {
            actual: text.chars().take(80).collect(),
        })
    }
}

impl Serialize for ModelDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ModelDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What a [`ModelDigest`] is a digest of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestBasis {
    /// The model's files, as the engine read them.
    Files,
    /// The name that the operator gave: a claim.
    Claim,
}

/// Kind of an executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutorKind {
    /// The supervised engine process.
    Engine,
    /// An OpenAI-compatible endpoint.
    OpenAi,
    /// An external command.
    Command,
}

impl ExecutorKind {
    /// The name in configuration and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::OpenAi => "open_ai",
            Self::Command => "command",
        }
    }
}

/// Which model answers and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Kind of the executor.
    pub kind: ExecutorKind,
    /// Name of the model for people, at most 256 bytes.
    pub model_name: String,
    /// Identity of the model, for receipts.
    pub model_digest: ModelDigest,
    /// What the identity rests on.
    pub digest_basis: DigestBasis,
    /// Device that computes: `cpu`, `cuda` or `metal` for the engine, otherwise what the operator configured.
    pub device: String,
    /// Inference threads on the CPU; `None` if the executor does not say.
    pub threads: Option<u32>,
    /// Longest sequence (prompt and answer) in tokens; `None` if the executor does not say.
    pub context_length_tokens: Option<u32>,
    /// Largest `max_tokens` of a request; `None` if the executor does not say.
    pub max_tokens_max: Option<u32>,
    /// Number format of the computation, for example `f32`; `None` if the executor does not say.
    pub dtype: Option<String>,
    /// Version of the program that answers; `None` if it does not say.
    pub version: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_separates_kind_base_and_model() {
        let digest = |base, model| ModelDigest::of_claim(ExecutorKind::OpenAi, base, model);
        assert_ne!(digest("ab", "c"), digest("a", "bc"));
        assert_ne!(
            digest("a", "b"),
            ModelDigest::of_claim(ExecutorKind::Command, "a", "b")
        );
        assert_eq!(digest("a", "b"), digest("a", "b"));
    }

    #[test]
    fn the_text_form_round_trips_and_refuses_all_else() {
        let digest = ModelDigest::of_claim(ExecutorKind::OpenAi, "a", "b");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let json = serde_json::to_string(&digest).expect("serialised");
        assert_eq!(
            serde_json::from_str::<ModelDigest>(&json).expect("parsed"),
            digest
        );
        for text in [
            "",
            "ab",
            &"AB".repeat(32),
            &"ab".repeat(33),
            &"zz".repeat(32),
        ] {
            assert!(text.parse::<ModelDigest>().is_err(), "{text}");
        }
    }
}
