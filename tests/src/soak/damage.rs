//! Damage to files, as devices, crashes and people do it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::numbers::Numbers;

/// Size of a page, in bytes: what a torn write leaves out at least.
const PAGE_SIZE: usize = 4096;

/// A way to damage a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// One bit is another.
    BitFlipped,
    /// The end is missing.
    Torn,
    /// A page holds zeros.
    PageZeroed,
    /// The file is gone.
    Deleted,
    /// The file is as it was an earlier time.
    Restored,
}

impl Damage {
    /// All ways.
    pub const ALL: [Self; 5] = [
        Self::BitFlipped,
        Self::Torn,
        Self::PageZeroed,
        Self::Deleted,
        Self::Restored,
    ];
}

/// Files that a ledger keeps, in the order of their names: of the database, and the signing record.
pub(super) fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = vec![super::writer::record(folder)];
    for item in fs::read_dir(super::writer::data(folder).join("database"))? {
        let path = item?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // RocksDB's text log and its lock hold nothing.
        if !name.starts_with("LOG") && name != "LOCK" && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Damages one file in a way; `earlier` is the folder as it was. Gives the kind of the file, or nothing if the file is as before.
pub(super) fn plant(
    folder: &Path,
    earlier: &Path,
    damage: Damage,
    numbers: &mut Numbers,
) -> anyhow::Result<Option<&'static str>> {
    let files = files(folder)?;
    // Each kind is as likely as any other, however many files it has.
    let kinds: BTreeSet<&str> = files.iter().map(|path| kind(path)).collect();
    let chosen = kinds.iter().nth(numbers.place(kinds.len())).copied();
    let of_kind: Vec<&PathBuf> = files
        .iter()
        .filter(|path| Some(kind(path)) == chosen)
        .collect();
    let path = of_kind[numbers.place(of_kind.len())];
    let before = fs::read(path)?;
    let mut bytes = before.clone();
    let place = numbers.place(bytes.len());
    match damage {
        Damage::BitFlipped => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << numbers.below(8);
            }
        }
        Damage::Torn => bytes.truncate(place),
        Damage::PageZeroed => {
            let first = place / PAGE_SIZE * PAGE_SIZE;
            let end = (first + PAGE_SIZE).min(bytes.len());
            bytes[first..end].fill(0);
        }
        Damage::Deleted => {
            fs::remove_file(path)?;
            return Ok(Some(kind(path)));
        }
        Damage::Restored => match fs::read(earlier.join(path.strip_prefix(folder)?)) {
            Ok(old) => bytes = old,
            Err(_) => return Ok(None),
        },
    }
    if bytes == before {
        return Ok(None);
    }
    fs::write(path, bytes)?;
    Ok(Some(kind(path)))
}

fn kind(path: &Path) -> &'static str {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match name.as_ref() {
        "CURRENT" => "CURRENT",
        "IDENTITY" => "IDENTITY",
        "record" => "signing record",
        name if name.starts_with("MANIFEST") => "MANIFEST",
        name if name.starts_with("OPTIONS") => "OPTIONS",
        name if name.ends_with(".sst") => "table",
        name if name.ends_with(".log") => "write-ahead log",
        _ => "other",
    }
}

/// Copies a folder.
pub(super) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for item in fs::read_dir(from)? {
        let item = item?;
        let target = to.join(item.file_name());
        if item.file_type()?.is_dir() {
            copy(&item.path(), &target)?;
        } else {
            fs::copy(item.path(), target)?;
        }
    }
    Ok(())
}
