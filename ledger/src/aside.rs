//! Putting a damaged database aside, so that its log can be healed from others' copies.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::OpenError;
use crate::lock::lock_exclusive;
use crate::store::{DATABASE_DIRECTORY, LOCK_FILE};

/// Databases that can lie aside in one data directory: each is as large as the log, so nobody keeps more.
const ASIDE_COUNT_MAX: u32 = 100;

/// Renames the database of a data directory, so that the next opening begins an empty one; gives the path under which the
/// damaged one lies, or nothing if there is none. Nothing is deleted, and the signing record still knows what was signed: a
/// log that is begun anew takes no entries until it is healed.
///
/// # Errors
/// [`OpenError::Lock`] while a node runs on the directory, [`OpenError::Io`].
///
/// Spec: STORE-10, STORE-14.
pub fn put_aside(directory: &Path) -> Result<Option<PathBuf>, OpenError> {
    let failed = |source| OpenError::Io {
        path: directory.to_owned(),
        source,
    };
    let database = directory.join(DATABASE_DIRECTORY);
    if !database.is_dir() {
        return Ok(None);
    }
    let _lock = lock_exclusive(&directory.join(LOCK_FILE))?;
    let free = (1..=ASIDE_COUNT_MAX)
        .map(|number| directory.join(format!("{DATABASE_DIRECTORY}.damaged-{number}")))
        .find(|path| !path.exists());
    let Some(aside) = free else {
        let full = io::Error::other(format!(
            "{ASIDE_COUNT_MAX} damaged databases lie here already"
        ));
        return Err(failed(full));
    };
    fs::rename(&database, &aside).map_err(failed)?;
    fs::File::open(directory)
        .and_then(|opened| opened.sync_all())
        .map_err(failed)?;
    Ok(Some(aside))
}
