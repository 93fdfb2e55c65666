//! What the owner thread is asked to do.

use symphony_transparency::merkle::{Frontier, TreeHead};
use symphony_transparency::{Digest, SignedCheckpoint};
use tokio::sync::oneshot;

use crate::error::LedgerError;
use crate::memo::MemoWrite;

/// Most entries of one append: a batch of them is written in well under a second, so nobody behind it waits long.
pub const APPEND_ENTRIES_MAX: usize = 4096;
/// Most bytes of entries and memos of one append.
pub const APPEND_BYTES_MAX: usize = 16 << 20;
/// Most bytes of entries that heal a log at once. They must be verified together, since only the signed root at their end
/// vouches for them.
pub const HEAL_BYTES_MAX: usize = 256 << 20;

/// Entries that are on the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Id of the log.
    pub log: Digest,
    /// Index of the first of the entries.
    pub first_index: u64,
    /// The tree up to the last of the entries.
    pub(crate) tree: Frontier,
}

impl Appended {
    /// Number of entries of the log up to the last of these. Others may follow already.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Size and root of the log up to the last of the entries. The root is computed here, since most appends need none and it
    /// costs as many hashes as the size has 1 bits.
    pub fn head(&self) -> TreeHead {
        self.tree.head()
    }
}

/// What is to be true when an append is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The entries are on the device.
    Later,
    /// The signing record covers them too, so that statements in them, and a checkpoint over them, may be released.
    Now,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

pub(crate) enum Command {
    Append {
        entries: Vec<Vec<u8>>,
        memos: Vec<MemoWrite>,
        release: Release,
        reply: Reply<Appended>,
    },
    Heal {
        entries: Vec<Vec<u8>>,
        reply: Reply<Appended>,
    },
    AppendFollowed {
        log: Digest,
        entries: Vec<Vec<u8>>,
        reply: Reply<Appended>,
    },
    RecordSigning {
        head: TreeHead,
        reply: Reply<()>,
    },
    Signed {
        log: Digest,
        reply: Reply<Option<TreeHead>>,
    },
    PutCheckpoint {
        signed: Box<SignedCheckpoint>,
        reply: Reply<()>,
    },
    WriteMemos {
        memos: Vec<MemoWrite>,
        reply: Reply<()>,
    },
    Forget {
        log: Digest,
        reply: Reply<()>,
    },
    Close {
        reply: oneshot::Sender<()>,
    },
    /// The committer is free. Asked by nobody; it only ends the owner's sleep.
    Wake,
}

impl Command {
    /// Bytes that the command brings, for the size of a group.
    pub(crate) fn bytes(&self) -> usize {
        let sum = |entries: &[Vec<u8>]| entries.iter().map(Vec::len).sum::<usize>();
        match self {
            Self::Append { entries, memos, .. } => {
                sum(entries) + memos.iter().map(MemoWrite::bytes).sum::<usize>()
            }
            Self::Heal { entries, .. } | Self::AppendFollowed { entries, .. } => sum(entries),
            Self::WriteMemos { memos, .. } => memos.iter().map(MemoWrite::bytes).sum(),
            Self::PutCheckpoint { .. }
            | Self::RecordSigning { .. }
            | Self::Signed { .. }
            | Self::Forget { .. }
            | Self::Close { .. }
            | Self::Wake => 0,
        }
    }

    /// Answers with an error, whatever was asked.
    pub(crate) fn refuse(self, error: LedgerError) {
        // A caller that went away needs no answer.
        match self {
            Self::Append { reply, .. }
            | Self::Heal { reply, .. }
            | Self::AppendFollowed { reply, .. } => {
                drop(reply.send(Err(error)));
            }
            Self::RecordSigning { reply, .. }
            | Self::PutCheckpoint { reply, .. }
            | Self::WriteMemos { reply, .. }
            | Self::Forget { reply, .. } => drop(reply.send(Err(error))),
            Self::Signed { reply, .. } => drop(reply.send(Err(error))),
            Self::Close { reply } => {
                let _ = reply.send(());
            }
            Self::Wake => {}
        }
    }
}
