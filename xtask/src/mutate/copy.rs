//! A copy of the repository to break things in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};

use crate::source;

/// A folder with the same sources as the repository. Unchanged files keep their times, so that Cargo rebuilds only what differs.
#[derive(Debug)]
pub(crate) struct Copy {
    folder: PathBuf,
}

impl Copy {
    /// Makes `folder` equal to the repository, without `.git` and `target` folders.
    pub(crate) fn make(root: &Path, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let wanted: BTreeSet<String> = source::files_under(root, &[""])?
            .iter()
            .filter(|path| !path.starts_with(folder))
            .map(|path| source::shown(root, path))
            .collect();
        for path in source::files_under(folder, &[""])? {
            if !wanted.contains(&source::shown(folder, &path)) {
                fs::remove_file(&path).with_context(|| path.display().to_string())?;
            }
        }
        let copy = Self {
            folder: folder.to_owned(),
        };
        for name in &wanted {
            let bytes = fs::read(root.join(name)).with_context(|| name.clone())?;
            let there = match fs::read(folder.join(name)) {
                Ok(there) => Some(there),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error).with_context(|| name.clone()),
            };
            if there.as_ref() != Some(&bytes) {
                copy.write_bytes(name, &bytes)?;
            }
        }
        Ok(copy)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn read(&self, name: &str) -> Result<String> {
        source::read(&self.folder.join(name))
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        self.write_bytes(name, text.as_bytes())
    }

    fn write_bytes(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, bytes).with_context(|| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_follows_the_repository() {
        let root = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(".git")).unwrap();
        fs::write(root.path().join(".git/config"), "secret").unwrap();
        fs::write(root.path().join("a"), "1").unwrap();
        let copy = Copy::make(root.path(), other.path()).unwrap();
        assert_eq!(copy.read("a").unwrap(), "1");
        assert!(!other.path().join(".git").exists());
        fs::remove_file(root.path().join("a")).unwrap();
        fs::write(root.path().join("b"), "2").unwrap();
        let copy = Copy::make(root.path(), other.path()).unwrap();
        assert!(copy.read("a").is_err());
        assert_eq!(copy.read("b").unwrap(), "2");
    }
}
