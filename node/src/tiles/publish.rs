//! An exported log as static files.

use std::{io, path::Path};

use symphony_protocol::records::{Body, Entry, RecordError};
use symphony_transparency::{
    CHECKPOINT_SIZE_MAX, CheckpointError, Frontier, NodeHash, PublicKey, SignedCheckpoint,
    TreeHead, VerifierKey, chain, note::VerifierKeyType, tiles::TileBuilder,
};

use super::folder::{CHECKPOINT, Folder, Put};
use crate::audit::{ExportFile, InputError};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The export is read once, up to the author's signature, before anything is written.
    Checking,
    /// The files are written.
    Writing,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The checkpoint that stands in the folder now.
    pub signed: SignedCheckpoint,
    /// Origin and key, for readers of notes: what Go's `note.NewVerifier` takes.
    pub verifier_key: VerifierKey,
    /// Files written.
    pub written: u64,
    /// Files that were there already.
    pub kept: u64,
}

/// Why an export cannot be published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The export cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Entry 0 is no genesis, so that nobody knows the log's key.
    #[error("entry 0: {0}")]
    Genesis(String),
    /// The author signed no checkpoint.
    #[error("the export holds no checkpoint: its author signed none yet")]
    NoCheckpoint,
    /// The checkpoint is not signed by the log key, or is none.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is of another log.
    #[error("the checkpoint is of {found}; the entries are of {expected}")]
    OtherLog {
        /// Origin of the entries.
        expected: String,
        /// Origin of the checkpoint.
        found: String,
    },
    /// The export has fewer entries than the checkpoint.
    #[error("the export has {actual} entries; its checkpoint is of {expected}")]
    Fewer {
        /// Size of the checkpoint.
        expected: u64,
        /// Number of entries.
        actual: u64,
    },
    /// The entries are not those that the author signed.
    #[error("the entries have another root at size {size} than {whose} checkpoint")]
    OtherRoot {
        /// The size.
        size: u64,
        /// Which checkpoint.
        whose: &'static str,
    },
    /// The folder shows another log, a larger one, or something else.
    #[error("the folder's checkpoint {problem}")]
    Folder {
        /// What is wrong with it.
        problem: String,
    },
    /// The export changed while it was read.
    #[error("the export changed while it was read")]
    Changed,
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes an exported log into a folder as the files of C2SP tlog-tiles, for any static web server.
///
/// The export is read twice: first up to the author's signature and against what the folder shows already, so that no file
/// of a wrong log is ever written; then to write. Files that are there are kept, others are put whole, the checkpoint last:
/// whatever interrupts a run, the folder shows a log that its files hold, and the next run goes on. Memory does not grow
/// with the log. `progress` is told the number of entries done in a phase.
///
/// # Errors
/// [`PublishError`]; the folder's checkpoint is as before.
///
/// Spec: TILE-3, TILE-7.
pub fn publish(
    export: &Path,
    folder: &Path,
    progress: &mut dyn FnMut(Phase, u64),
) -> Result<Published, PublishError> {
    let folder = Folder::new(folder);
    let (signed, key) = check(export, &folder, progress)?;
    let mut counts = Counts::default();
    write(export, &folder, &signed, &mut counts, progress)?;
    let put = folder
        .put_last(CHECKPOINT, signed.text().as_bytes())
        .map_err(|source| failed(&folder, CHECKPOINT, source))?;
    counts.add(put);
    let origin = signed.checkpoint().origin();
    Ok(Published {
        signed,
        verifier_key: VerifierKey::new(&origin, VerifierKeyType::Ed25519, key)
            .expect("an origin signs under its name, so that it is a name"),
        written: counts.written,
        kept: counts.kept,
    })
}

#[derive(Default)]
struct Counts {
    written: u64,
    kept: u64,
}

impl Counts {
    fn add(&mut self, put: Put) {
        match put {
            Put::Written => self.written += 1,
            Put::Kept => self.kept += 1,
        }
    }
}

/// Reads the whole export and returns the checkpoint that its entries and its author's key bear out.
fn check(
    export: &Path,
    folder: &Folder,
    progress: &mut dyn FnMut(Phase, u64),
) -> Result<(SignedCheckpoint, PublicKey), PublishError> {
    let mut file = ExportFile::open(export)?;
    let note = file.header().checkpoint.clone();
    let note = note.ok_or(PublishError::NoCheckpoint)?;
    let entry_0 = file.next_entry()?.ok_or(InputError::NoEntries)?;
    let (origin, key) = origin_and_key(&entry_0)?;
    let mut signed = SignedCheckpoint::parse_and_verify(&note, &key)?;
    let found = signed.checkpoint().origin();
    if found != origin {
        return Err(PublishError::OtherLog {
            expected: origin,
            found,
        });
    }
    let new = signed.checkpoint().head();
    let mut expected = vec![(new, "the export's")];
    if let Some(shown) = shown(folder, &origin, &key)? {
        let old = shown.checkpoint().head();
        if old.size > new.size {
            let problem = format!("is of {} entries, the export's of {}", old.size, new.size);
            return Err(PublishError::Folder { problem });
        }
        expected.push((old, "the folder's"));
        if shown.note().text() == signed.note().text() {
            // Cosignatures that were added since stay.
            for line in shown.note().signatures() {
                signed.add_line(line.clone())?;
            }
        }
    }

    let mut frontier = Frontier::new();
    let mut next = Some(entry_0);
    while let Some(entry) = next {
        frontier.append(&entry);
        check_root(&frontier, &expected)?;
        progress(Phase::Checking, frontier.size());
        next = file.next_entry()?;
    }
    if frontier.size() < new.size {
        return Err(PublishError::Fewer {
            expected: new.size,
            actual: frontier.size(),
        });
    }
    Ok((signed, key))
}

fn check_root(
    frontier: &Frontier,
    expected: &[(TreeHead, &'static str)],
) -> Result<(), PublishError> {
    let reached = expected
        .iter()
        .filter(|(head, _)| head.size == frontier.size());
    let mut root: Option<NodeHash> = None;
    for (head, whose) in reached {
        if *root.get_or_insert_with(|| frontier.root()) != head.root {
            let (size, whose) = (head.size, *whose);
            return Err(PublishError::OtherRoot { size, whose });
        }
    }
    Ok(())
}

fn origin_and_key(entry_0: &[u8]) -> Result<(String, PublicKey), PublishError> {
    let refused = |error: RecordError| PublishError::Genesis(error.to_string());
    let entry = Entry::parse(entry_0, None).map_err(refused)?;
    let Body::Genesis(genesis) = entry.body else {
        let name = entry.body.name();
        return Err(PublishError::Genesis(format!("is a {name}, no genesis")));
    };
    let (network, log) = (genesis.params.network_id(), chain::log_id(entry_0));
    let origin = symphony_transparency::Checkpoint {
        network,
        log,
        size: 1,
        root: [0; 32],
        state_root: symphony_transparency::Digest::ZERO,
    }
    .origin();
    Ok((origin, genesis.keys.log))
}

/// What the folder shows: nothing, or an earlier or equal state of this log.
fn shown(
    folder: &Folder,
    origin: &str,
    key: &PublicKey,
) -> Result<Option<SignedCheckpoint>, PublishError> {
    let bytes = folder
        .read(CHECKPOINT, CHECKPOINT_SIZE_MAX as u64)
        .map_err(|source| failed(folder, CHECKPOINT, source))?;
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    let refused = |problem: String| PublishError::Folder { problem };
    let text = String::from_utf8(bytes).map_err(|_| refused("is no text".to_owned()))?;
    let signed = SignedCheckpoint::parse_and_verify(&text, key)
        .map_err(|error| refused(format!("is not one of this log: {error}")))?;
    let found = signed.checkpoint().origin();
    if found != origin {
        return Err(refused(format!("is of {found}, not of {origin}")));
    }
    Ok(Some(signed))
}

fn write(
    export: &Path,
    folder: &Folder,
    signed: &SignedCheckpoint,
    counts: &mut Counts,
    progress: &mut dyn FnMut(Phase, u64),
) -> Result<(), PublishError> {
    let head = signed.checkpoint().head();
    let mut put = |path: String, bytes: &[u8]| {
        let put = folder
            .put(&path, bytes)
            .map_err(|source| failed(folder, &path, source))?;
        counts.add(put);
        Ok::<_, PublishError>(())
    };
    let mut file = ExportFile::open(export)?;
    let mut builder = TileBuilder::new();
    while builder.size() < head.size {
        let entry = file.next_entry()?.ok_or(PublishError::Changed)?;
        let filled = builder.append(&entry).map_err(|_| PublishError::Changed)?;
        for (path, bytes) in filled {
            put(path.to_string(), &bytes)?;
        }
        progress(Phase::Writing, builder.size());
    }
    if builder.head() != head {
        return Err(PublishError::Changed);
    }
    for (path, bytes) in builder.partial() {
        put(path.to_string(), &bytes)?;
    }
    Ok(())
}

fn failed(folder: &Folder, name: &str, source: io::Error) -> PublishError {
    PublishError::File {
        path: folder.path(name).display().to_string(),
        source,
    }
}
