//! The end of a log that cannot be healed, in the home folder: the statement that ends it, and what keeps its node from
//! running again.
//!
//! ```text
//! retirement              in the home of the log that ended: the statement; a node does not run there
//! predecessors/LOG-ID     in the home of the successor: the same bytes, which its node tells to others
//! ```
//!
//! Spec: STORE-23 to STORE-25.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use symphony_protocol::records::{Received, Retirement, StatementRecord as _};
use symphony_transparency::{Digest, SecretKey, sign_statement};

use crate::home::Home;

/// Retired logs that a successor tells of: more than the signing record can hold.
const PREDECESSORS_COUNT_MAX: usize = 32;

/// Why a log is not retired, or what a home folder says of retirements cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetirementError {
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The log was retired before, perhaps in favour of another successor.
    #[error("the log was retired already; its successor is log {successor}")]
    Already {
        /// The successor that was named.
        successor: Digest,
    },
    /// The successor would sign with the retired log's key. Spec: STORE-24.
    #[error("the successor has the same log key; make a new home with `symphony node init`")]
    SameKey,
    /// A file is no retirement of this network.
    #[error("{}: not a retirement: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Ends a log: signs its retirement, writes it into its own home, from then on without a node, and into the successor's.
///
/// # Errors
/// [`RetirementError`]. If only the second file could not be written, calling it again writes that one.
///
/// Spec: STORE-23, STORE-24.
pub fn retire(
    home: &Home,
    successor: &Home,
    secrets: (&SecretKey, &SecretKey),
    network: &Digest,
    retirement: &Retirement,
) -> Result<Received<Retirement>, RetirementError> {
    let (secret, successors) = secrets;
    if secret.public() == successors.public() {
        return Err(RetirementError::SameKey);
    }
    let statement = sign_statement(secret, network, Retirement::KIND, retirement.encode());
    let own_file = own_file(home);
    if let Some(known) = read(&own_file, network)? {
        if known.record != *retirement {
            return Err(RetirementError::Already {
                successor: known.record.successor,
            });
        }
    } else {
        write(&own_file, statement.bytes())?;
    }
    let folder = predecessors_folder(successor);
    fs::create_dir_all(&folder).map_err(|source| RetirementError::File {
        path: folder.clone(),
        source,
    })?;
    let told = folder.join(retirement.log.to_string());
    if !told.exists() {
        write(&told, statement.bytes())?;
    }
    Received::from_statement(statement).map_err(|error| RetirementError::Unreadable {
        path: own_file,
        reason: error.to_string(),
    })
}

/// The retirement of the log of this home, if it was retired.
///
/// # Errors
/// [`RetirementError`]; a file that cannot be read keeps the node from running as well.
pub fn retired(
    home: &Home,
    network: &Digest,
) -> Result<Option<Received<Retirement>>, RetirementError> {
    read(&own_file(home), network)
}

/// The retirements of the logs in whose place this home's log stands.
///
/// # Errors
/// [`RetirementError`].
pub fn predecessors(
    home: &Home,
    network: &Digest,
) -> Result<Vec<Received<Retirement>>, RetirementError> {
    let folder = predecessors_folder(home);
    let failed = |source| RetirementError::File {
        path: folder.clone(),
        source,
    };
    let listing = match fs::read_dir(&folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for item in listing.take(PREDECESSORS_COUNT_MAX) {
        found.extend(read(&item.map_err(failed)?.path(), network)?);
    }
    found.sort_by_key(|received| received.record.log);
    Ok(found)
}

fn own_file(home: &Home) -> PathBuf {
    home.folder().join("retirement")
}

fn predecessors_folder(home: &Home) -> PathBuf {
    home.folder().join("predecessors")
}

fn read(path: &Path, network: &Digest) -> Result<Option<Received<Retirement>>, RetirementError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(RetirementError::File {
                path: path.to_owned(),
                source,
            });
        }
    };
    Received::parse(&bytes, network)
        .map(Some)
        .map_err(|error| RetirementError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        })
}

/// Writes a whole file or none, and syncs it and its folder.
fn write(path: &Path, bytes: &[u8]) -> Result<(), RetirementError> {
    let temporary = path.with_extension("new");
    let written = fs::File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| match path.parent() {
            Some(folder) => fs::File::open(folder)?.sync_all(),
            None => Ok(()),
        });
    written.map_err(|source| RetirementError::File {
        path: path.to_owned(),
        source,
    })
}
