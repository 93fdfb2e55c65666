//! The request for a cosignature.

use std::fmt;

use data_encoding::BASE64;

use super::{Malformed, Refusal};
use crate::merkle::{CONSISTENCY_PROOF_LENGTH_MAX, NodeHash, TREE_SIZE_MAX};
use crate::{CHECKPOINT_SIZE_MAX, Checkpoint, SignedCheckpoint, SignedNote, base64};

/// Bytes of a proof line: 44 of base64 and a newline.
const HASH_LINE_SIZE: usize = 45;

/// Largest request in bytes: the line with the old size (at most 25), as many hashes as a proof has, the empty line and the
/// largest checkpoint.
///
/// Spec: WITNESS-4.
pub const ADD_CHECKPOINT_SIZE_MAX: usize =
    25 + CONSISTENCY_PROOF_LENGTH_MAX * HASH_LINE_SIZE + 1 + CHECKPOINT_SIZE_MAX;

/// A request for a cosignature: the body of `POST <prefix>/add-checkpoint`. No signature has been checked.
///
/// `Display` writes the exact bytes.
///
/// Spec: WITNESS-4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    old_size: u64,
    proof: Vec<NodeHash>,
    checkpoint: Checkpoint,
    note: SignedNote,
}

impl AddCheckpoint {
    /// Asks for a cosignature of `signed`, for a witness that last cosigned `old_size` (0: none), with the consistency proof
    /// from there (empty for 0 and for an equal size).
    pub fn new(old_size: u64, proof: Vec<NodeHash>, signed: &SignedCheckpoint) -> Self {
        Self {
            old_size,
            proof,
            checkpoint: *signed.checkpoint(),
            note: signed.note().clone(),
        }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// [`Refusal::Malformed`]; [`Refusal::UnknownOrigin`] for a checkpoint of another kind of log than ours.
    ///
    /// Spec: WITNESS-4.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if body.len() > ADD_CHECKPOINT_SIZE_MAX {
            return Err(Malformed::TooLarge {
                limit: ADD_CHECKPOINT_SIZE_MAX,
                actual: body.len(),
            }
            .into());
        }
        let blank = body
            .windows(2)
            .position(|pair| pair == b"\n\n")
            .ok_or(Malformed::NoCheckpoint)?;
        let head = std::str::from_utf8(&body[..blank]).map_err(|_| Malformed::NoCheckpoint)?;
        let (old_size, proof) = parse_head(head)?;
        let note = SignedNote::parse(&body[blank + 2..]).map_err(Malformed::from)?;
        let origin = note.text().lines().next().unwrap_or_default();
        if !Checkpoint::is_origin(origin) {
            return Err(Refusal::UnknownOrigin {
                origin: origin.to_owned(),
            });
        }
        let checkpoint = SignedCheckpoint::parse_note(&note).map_err(Malformed::from)?;
        Ok(Self {
            old_size,
            proof,
            checkpoint,
            note,
        })
    }

    /// Size of the tree from which the proof leads; 0 for none.
    pub const fn old_size(&self) -> u64 {
        self.old_size
    }

    /// The consistency proof.
    pub fn proof(&self) -> &[NodeHash] {
        &self.proof
    }

    /// What the checkpoint claims.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The checkpoint's note, with signatures that nobody has checked.
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "old {}", self.old_size)?;
        for hash in &self.proof {
            writeln!(formatter, "{}", BASE64.encode(hash))?;
        }
        write!(formatter, "\n{}", self.note)
    }
}

fn parse_head(head: &str) -> Result<(u64, Vec<NodeHash>), Malformed> {
    let mut lines = head.split('\n');
    let old_size = lines
        .next()
        .and_then(|line| line.strip_prefix("old "))
        .and_then(parse_size)
        .ok_or(Malformed::OldSize)?;
    let count = lines.clone().count();
    if count > CONSISTENCY_PROOF_LENGTH_MAX {
        return Err(Malformed::TooManyHashes {
            limit: CONSISTENCY_PROOF_LENGTH_MAX,
            actual: count,
        });
    }
    let proof = lines
        .enumerate()
        .map(|(position, line)| {
            base64::decode(line)
                .and_then(|hash| hash.try_into().ok())
                .ok_or(Malformed::Hash { line: position + 2 })
        })
        .collect::<Result<_, _>>()?;
    Ok((old_size, proof))
}

fn parse_size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size <= TREE_SIZE_MAX && size.to_string() == text).then_some(size)
}
