//! Checkpoints (C2SP tlog-checkpoint): what a peer commits to when it shows its log.
//!
//! Spec: LOG-19 to LOG-25.

use std::fmt;

use data_encoding::BASE64;

use crate::merkle::{NodeHash, TREE_SIZE_MAX, TreeHead};
use crate::note::NoteSignature;
use crate::{Digest, NoteError, PublicKey, SecretKey, SignedNote, base64};

/// First part of every origin: the protocol and its version.
const ORIGIN_PREFIX: &str = "symphony/v1";

/// What the extension line begins with.
const STATE_PREFIX: &str = "state ";

/// Largest signed checkpoint in bytes that a peer has to read: the text has at most 276, which leaves room for
/// the log's and many witnesses' signatures.
pub const CHECKPOINT_SIZE_MAX: usize = 16 * 1024;

/// A log's size, root and state root at one moment. On its own it is a claim; signed, a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The network's id.
    pub network: Digest,
    /// The log's id: the digest of its entry 0.
    pub log: Digest,
    /// Number of entries; at least 1, since entry 0 gives the log its id.
    pub size: u64,
    /// Root of the Merkle tree over the entries.
    pub root: NodeHash,
    /// Root of the state after the last entry.
    pub state_root: Digest,
}

/// Why a checkpoint is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// More bytes than [`CHECKPOINT_SIZE_MAX`].
    #[error("checkpoint of {actual} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// [`CHECKPOINT_SIZE_MAX`].
        limit: usize,
        /// The size that was given.
        actual: usize,
    },
    /// No note, or not signed by the key.
    #[error("note: {0}")]
    Note(#[from] NoteError),
    /// The text does not have exactly the four lines of a checkpoint.
    #[error("a checkpoint has {expected} lines, not {actual}")]
    WrongLines {
        /// 4.
        expected: usize,
        /// The number of lines.
        actual: usize,
    },
    /// The first line is not `symphony/v1/<network id>/<log id>`.
    #[error("line 1 is not symphony/v1/<network id>/<log id>")]
    BadOrigin,
    /// The second line is no decimal number from 1 to [`TREE_SIZE_MAX`] without leading zeros.
    #[error("line 2 is not a size from 1 to {limit} in decimal")]
    BadSize {
        /// [`TREE_SIZE_MAX`].
        limit: u64,
    },
    /// The third line is not the base64 form of 32 bytes.
    #[error("line 3 is not a root of 32 bytes in base64")]
    BadRoot,
    /// The fourth line is not `state <state root>`.
    #[error("line 4 is not the word state, a space and 64 hexadecimal digits")]
    BadStateRoot,
}

impl Checkpoint {
    /// The first line, which is also the name of the key that signs: protocol, network and log in full.
    ///
    /// Spec: LOG-20.
    pub fn origin(&self) -> String {
        format!("{ORIGIN_PREFIX}/{}/{}", self.network, self.log)
    }

    /// Whether a line is the origin of a log of this protocol, whichever.
    ///
    /// Spec: LOG-20.
    pub fn is_origin(line: &str) -> bool {
        parse_origin(line).is_some()
    }

    /// Size and root, for consistency proofs.
    pub const fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root,
        }
    }

    /// Reads the text of a checkpoint (not the note around it). It is a claim of nobody.
    ///
    /// # Errors
    /// Those of [`CheckpointError`] that name lines.
    ///
    /// Spec: LOG-19, LOG-20, LOG-21, LOG-22, LOG-23.
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        // Splitting after each newline keeps a text without the last one apart from a text with it.
        let lines: Vec<&str> = text.split('\n').collect();
        let [origin, size, root, state, ""] = lines[..] else {
            return Err(CheckpointError::WrongLines {
                expected: 4,
                actual: text.lines().count(),
            });
        };
        let (network, log) = parse_origin(origin).ok_or(CheckpointError::BadOrigin)?;
        Ok(Self {
            network,
            log,
            size: parse_size(size).ok_or(CheckpointError::BadSize {
                limit: TREE_SIZE_MAX,
            })?,
            root: parse_root(root).ok_or(CheckpointError::BadRoot)?,
            state_root: state
                .strip_prefix(STATE_PREFIX)
                .and_then(|root| root.parse().ok())
                .ok_or(CheckpointError::BadStateRoot)?,
        })
    }

    /// Signs the checkpoint with the log key. The caller has persisted in its signing record that it is about to.
    ///
    /// Spec: LOG-24.
    pub fn sign(&self, secret: &SecretKey) -> SignedCheckpoint {
        let note = SignedNote::sign(&self.to_string(), &self.origin(), secret)
            .expect("a checkpoint's text and origin hold only hexadecimal, base64 and newlines, and are short");
        SignedCheckpoint {
            checkpoint: *self,
            note,
        }
    }
}

/// The four lines of text, which end in a newline: what is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.origin())?;
        writeln!(formatter, "{}", self.size)?;
        writeln!(formatter, "{}", BASE64.encode(&self.root))?;
        writeln!(formatter, "{STATE_PREFIX}{}", self.state_root)
    }
}

/// A checkpoint that the log's key did sign. It may carry further signatures (witnesses), which are kept and not checked.
///
/// `Display` gives the note's exact bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: SignedNote,
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint and accepts it if the log key signed it.
    ///
    /// Which key is the log's follows from the log itself (LOG-6). To look it up,
    /// read network, log and size with [`SignedCheckpoint::parse_unverified`].
    ///
    /// # Errors
    /// Any [`CheckpointError`].
    ///
    /// Spec: LOG-25.
    pub fn parse_and_verify(text: &str, key: &PublicKey) -> Result<Self, CheckpointError> {
        let (checkpoint, note) = parse(text)?;
        note.verify(&checkpoint.origin(), key)?;
        Ok(Self { checkpoint, note })
    }

    /// Reads what a note claims, without checking any signature: only good for finding the key.
    ///
    /// # Errors
    /// Any [`CheckpointError`] that does not concern signatures.
    pub fn parse_unverified(text: &str) -> Result<Checkpoint, CheckpointError> {
        parse(text).map(|(checkpoint, _)| checkpoint)
    }

    /// Reads what a note claims; a note may be larger than a checkpoint.
    pub(crate) fn parse_note(note: &SignedNote) -> Result<Checkpoint, CheckpointError> {
        let actual = note.to_string().len();
        if actual > CHECKPOINT_SIZE_MAX {
            return Err(CheckpointError::TooLarge {
                limit: CHECKPOINT_SIZE_MAX,
                actual,
            });
        }
        Checkpoint::parse_text(note.text())
    }

    /// Adds a signature line, such as a witness' cosignature that was verified; one that is there already is not added again.
    ///
    /// # Errors
    /// [`CheckpointError::TooLarge`] or [`CheckpointError::Note`] if there is no room; the checkpoint is then unchanged.
    pub fn add_line(&mut self, line: NoteSignature) -> Result<(), CheckpointError> {
        let mut note = self.note.clone();
        note.add_line(line)?;
        Self::parse_note(&note)?;
        self.note = note;
        Ok(())
    }

    /// What was signed.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with all its signatures.
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// The note's exact text, as it is sent and stored.
    pub fn text(&self) -> String {
        self.note.to_string()
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(formatter)
    }
}

fn parse(text: &str) -> Result<(Checkpoint, SignedNote), CheckpointError> {
    if text.len() > CHECKPOINT_SIZE_MAX {
        return Err(CheckpointError::TooLarge {
            limit: CHECKPOINT_SIZE_MAX,
            actual: text.len(),
        });
    }
    let note = SignedNote::parse(text.as_bytes())?;
    let checkpoint = Checkpoint::parse_text(note.text())?;
    Ok((checkpoint, note))
}

fn parse_origin(line: &str) -> Option<(Digest, Digest)> {
    let (network, log) = line
        .strip_prefix(ORIGIN_PREFIX)?
        .strip_prefix('/')?
        .split_once('/')?;
    Some((network.parse().ok()?, log.parse().ok()?))
}

fn parse_size(line: &str) -> Option<u64> {
    let size: u64 = line.parse().ok()?;
    // `parse` takes a plus sign and leading zeros; the one form is the one that we write.
    ((1..=TREE_SIZE_MAX).contains(&size) && size.to_string() == line).then_some(size)
}

fn parse_root(line: &str) -> Option<NodeHash> {
    base64::decode(line)?.try_into().ok()
}
