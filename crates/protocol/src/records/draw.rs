//! The draw: the decision that follows the openings of a step. Spec: CHANCE-6.

use symphony_proto::log::v1 as wire;
use symphony_transparency::Digest;

use super::{
    decision::{LIST_MAX, Selection},
    error::{Reader, RecordError},
    views::DrawView,
};
use crate::chance::ENTROPY_SIZE;

/// Chance has its say: the secret is opened, and the seed picks. Spec: CHANCE-6.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// Index of the beacon's entry.
    pub beacon: u64,
    /// The secret that the beacon commits to.
    pub secret: [u8; ENTROPY_SIZE],
    /// The seed that follows from secret and openings.
    pub seed: Digest,
    /// The picks, in the order picked.
    pub selections: Vec<Selection>,
    /// State root before this entry.
    pub state_root: Digest,
}

impl Draw {
    pub(super) fn read(value: DrawView<'_>) -> Result<Self, RecordError> {
        let reader = Reader("Draw");
        if value.selections.len() > LIST_MAX {
            return reader.refuse("selections", "at most 32 items", value.selections.len());
        }
        Ok(Self {
            beacon: value.beacon,
            secret: reader.bytes("secret", value.secret)?,
            seed: reader.digest("seed", value.seed)?,
            selections: value
                .selections
                .iter()
                .map(Selection::read)
                .collect::<Result<_, _>>()?,
            state_root: reader.digest("state_root", value.state_root)?,
        })
    }

    pub(super) fn write(&self) -> wire::Draw {
        wire::Draw {
            beacon: self.beacon,
            secret: self.secret.to_vec(),
            seed: self.seed.as_bytes().to_vec(),
            selections: self.selections.iter().map(Selection::write).collect(),
            state_root: self.state_root.as_bytes().to_vec(),
        }
    }
}
