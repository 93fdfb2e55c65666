//! Measures of another peer's log, taken into this one with their proof. Spec: chapter 21.

use prost::Message;
use symphony_proto::{
    evidence::v1::{MapNode, map_node::Node},
    log::v1 as wire,
};
use symphony_transparency::{Checkpoint, Digest, PublicKey, SignedCheckpoint};

use super::{
    entry::Signatures,
    error::{PPM, Reader, RecordError},
};
use crate::number::COUNT_MAX;

/// Largest import, in bytes: with the claims that it adds to, evidence about it stays small. Spec: IMPORT-1.
pub const IMPORT_SIZE_MAX: usize = 3 * 1024;

/// What a source measured is taken in, or left out from here on. Spec: IMPORT-1.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuresImported {
    /// Log key of the peer whose log measured it.
    pub source: PublicKey,
    /// What is taken in; nothing if the source is left out from here on.
    pub taken: Option<TakenMeasures>,
}

/// Measures with their proof.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenMeasures {
    /// What the source's word weighs against the own record at first, in parts per million: 1 to 1,000,000.
    pub weight_ppm: u32,
    /// The source's checkpoint, whose state root the nodes have.
    pub checkpoint: Checkpoint,
    /// The same, as the signed note.
    note: String,
    /// A part of the source's state.
    pub(crate) nodes: Vec<MapNode>,
}

impl MeasuresImported {
    /// Takes in what these nodes show of the state that the source signed for with this checkpoint.
    ///
    /// # Errors
    /// A weight outside 1 to 1,000,000, or more than [`IMPORT_SIZE_MAX`] bytes.
    pub(crate) fn new(
        source: PublicKey,
        weight_ppm: u32,
        checkpoint: &SignedCheckpoint,
        nodes: Vec<MapNode>,
    ) -> Result<Self, RecordError> {
        let import = Self {
            source,
            taken: Some(TakenMeasures {
                weight_ppm,
                checkpoint: *checkpoint.checkpoint(),
                note: checkpoint
                    .note()
                    .with_lines_of(&checkpoint.checkpoint().origin()),
                nodes,
            }),
        };
        import.check_range()?;
        Ok(import)
    }

    /// Leaves a source out from here on.
    pub const fn leave_out(source: PublicKey) -> Self {
        Self {
            source,
            taken: None,
        }
    }

    fn check_range(&self) -> Result<(), RecordError> {
        let reader = Reader("MeasuresImported");
        if let Some(taken) = &self.taken {
            reader.within("weight_ppm", taken.weight_ppm, 1..=PPM, "1 to 1000000")?;
        }
        let size = self.size();
        reader.within(
            "nodes",
            size,
            0..=IMPORT_SIZE_MAX,
            "at most 3072 bytes in all",
        )?;
        Ok(())
    }

    /// The keys of the source's state that it opens: one for each claim.
    pub fn open_keys(&self) -> Vec<&[u8]> {
        let nodes = self.taken.iter().flat_map(|taken| &taken.nodes);
        nodes
            .filter_map(|node| match &node.node {
                Some(Node::Leaf(leaf)) => Some(leaf.key.as_slice()),
                _ => None,
            })
            .collect()
    }

    /// Bytes of the message. Spec: REPLAY-15.
    pub(crate) fn size(&self) -> usize {
        self.write().encoded_len()
    }

    pub(super) fn read(
        value: wire::MeasuresImported,
        network: &Digest,
        signatures: Signatures,
    ) -> Result<Self, RecordError> {
        let reader = Reader("MeasuresImported");
        let source = reader.key("source", &value.source)?;
        if value.weight_ppm == 0 {
            if !(value.checkpoint.is_empty() && value.nodes.is_empty()) {
                return reader.refuse("weight_ppm", "1 to 1000000 with a checkpoint", 0);
            }
            return Ok(Self::leave_out(source));
        }
        let note = String::from_utf8(value.checkpoint)
            .or_else(|error| reader.refuse("checkpoint", "text", error))?;
        let checkpoint = match signatures {
            Signatures::Verify => SignedCheckpoint::parse_and_verify(&note, &source)
                .map(|signed| *signed.checkpoint()),
            Signatures::AssumeVerified => SignedCheckpoint::parse_unverified(&note),
        }
        .or_else(|error| reader.refuse("checkpoint", "a note that the source signed", error))?;
        if checkpoint.network != *network {
            return reader.refuse("checkpoint", "one of this network", checkpoint.network);
        }
        if checkpoint.size > COUNT_MAX {
            return reader.refuse("checkpoint", "at most 2^53 entries", checkpoint.size);
        }
        if value.nodes.iter().any(|node| node.node.is_none()) {
            return reader.refuse("nodes", "a kind of node each", "none");
        }
        let import = Self {
            source,
            taken: Some(TakenMeasures {
                weight_ppm: value.weight_ppm,
                checkpoint,
                note,
                nodes: value.nodes,
            }),
        };
        import.check_range()?;
        Ok(import)
    }

    pub(super) fn write(&self) -> wire::MeasuresImported {
        let (weight_ppm, checkpoint, nodes) = match &self.taken {
            Some(taken) => (
                taken.weight_ppm,
                taken.note.as_bytes().to_vec(),
                taken.nodes.clone(),
            ),
            None => (0, Vec::new(), Vec::new()),
        };
        wire::MeasuresImported {
            source: self.source.as_bytes().to_vec(),
            weight_ppm,
            checkpoint,
            nodes,
        }
    }
}
