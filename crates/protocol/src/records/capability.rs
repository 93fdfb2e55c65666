//! What a peer can do, and its withdrawal. Spec: chapter 05.

use symphony_proto::statement::v1 as wire;
use symphony_transparency::{Digest, encode};

use super::{
    error::{Reader, RecordError},
    origin::{Origin, check_tags, owned},
    views::{CapabilityView, ModelView, RevocationView},
};
use crate::embedding::Embedding;

/// Largest encoding, in bytes: 32 tags and 16 models at their longest fit.
const CAPABILITY_SIZE_MAX: usize = 4 * 1024;
/// Most tags of a capability.
pub const CAPABILITY_TAGS_MAX: usize = 32;
/// Most models of a capability.
pub const MODELS_MAX: usize = 16;

/// What a peer can do. Spec: CAP-3.
#[derive(Clone, Debug, PartialEq)]
pub struct Capability {
    /// Where this stands in the author's log.
    pub origin: Origin,
    /// Number; each new capability of a log has a larger one.
    pub sequence: u64,
    /// Skills, strictly sorted.
    pub tags: Vec<String>,
    /// Embedding of the skills.
    pub embedding: Embedding,
    /// Models, strictly sorted by name.
    pub models: Vec<Model>,
    /// Price of one answer, in microunits.
    pub price_microunits: u64,
    /// Answers computed at the same time, 1 to 1024.
    pub parallel_max: u32,
    /// Start of validity, in milliseconds since 1970.
    pub valid_from_ms: u64,
    /// End of validity (exclusive), in milliseconds since 1970.
    pub valid_until_ms: u64,
}

/// A model that a peer runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Model {
    /// Name, 1 to 128 bytes.
    pub name: String,
    /// Digest of its files.
    pub digest: Digest,
    /// Longest prompt and answer together, in tokens.
    pub context_tokens: u32,
}

impl Capability {
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Capability");
        let value: CapabilityView<'_> = reader.read(payload, CAPABILITY_SIZE_MAX)?;
        check_tags(reader, "tags", &value.tags, CAPABILITY_TAGS_MAX)?;
        let models = value
            .models
            .iter()
            .map(|model| Model::read(reader, model))
            .collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        reader.strictly_sorted("models", &names, MODELS_MAX)?;
        if value.valid_from_ms >= value.valid_until_ms {
            return reader.refuse(
                "valid_until_ms",
                "a time after valid_from_ms",
                value.valid_until_ms,
            );
        }
        Ok(Self {
            origin: Origin::read(reader, value.origin)?,
            sequence: value.sequence,
            embedding: read_embedding(reader, value.embedding)?,
            tags: owned(&value.tags),
            models,
            price_microunits: value.price_microunits,
            parallel_max: reader.within(
                "parallel_max",
                value.parallel_max,
                1..=1024,
                "1 to 1024 answers",
            )?,
            valid_from_ms: value.valid_from_ms,
            valid_until_ms: value.valid_until_ms,
        })
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::Capability {
            origin: self.origin.write(),
            sequence: self.sequence,
            tags: self.tags.clone(),
            embedding: self.embedding.to_bytes().to_vec(),
            models: self
                .models
                .iter()
                .map(|model| wire::Model {
                    name: model.name.clone(),
                    digest: model.digest.as_bytes().to_vec(),
                    context_tokens: model.context_tokens,
                })
                .collect(),
            price_microunits: self.price_microunits,
            parallel_max: self.parallel_max,
            valid_from_ms: self.valid_from_ms,
            valid_until_ms: self.valid_until_ms,
        })
    }

    /// Whether the capability holds at this time (milliseconds since 1970).
    pub fn valid_at(&self, time_ms: u64) -> bool {
        (self.valid_from_ms..self.valid_until_ms).contains(&time_ms)
    }
}

impl Model {
    fn read(reader: Reader, value: &ModelView<'_>) -> Result<Self, RecordError> {
        if !(1..=128).contains(&value.name.len()) {
            return reader.refuse("models.name", "1 to 128 bytes", value.name.len());
        }
        Ok(Self {
            name: value.name.to_owned(),
            digest: reader.digest("models.digest", value.digest)?,
            context_tokens: value.context_tokens,
        })
    }
}

pub(super) fn read_embedding(reader: Reader, bytes: &[u8]) -> Result<Embedding, RecordError> {
    Embedding::from_bytes(bytes)
        .or_else(|_| reader.refuse("embedding", "128 bytes", format!("{} bytes", bytes.len())))
}

/// Withdraws a capability before its end. Spec: CAP-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Where this stands in the author's log.
    pub origin: Origin,
    /// Number of the capability that is withdrawn.
    pub sequence: u64,
}

impl Revocation {
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Revocation");
        let value: RevocationView<'_> = reader.read(payload, 128)?;
        Ok(Self {
            origin: Origin::read(reader, value.origin)?,
            sequence: value.sequence,
        })
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::Revocation {
            origin: self.origin.write(),
            sequence: self.sequence,
        })
    }
}
