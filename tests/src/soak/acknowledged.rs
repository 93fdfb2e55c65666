//! What was acknowledged, as the killer knows it: apart from everything that the writer writes.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
};

use anyhow::Context as _;
use symphony_transparency::Digest;

/// The acknowledged entries of one log, by index, in memory and in a file that is synced before anything is compared.
#[derive(Debug)]
pub(super) struct Acknowledged {
    file: File,
    digests: Vec<Option<Digest>>,
    /// Size that the signing record must cover.
    pub(super) size: u64,
}

/// What the writer said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The ledger is open with this many entries.
    Opened(u64),
    /// These entries may be relied on.
    Released {
        size: u64,
        first: u64,
        digests: Vec<Digest>,
    },
    /// The ledger writes no more.
    Stopped,
}

impl Said {
    /// Reads a line; a torn one says nothing.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        match words.next()? {
            "opened" => Some(Self::Opened(words.next()?.parse().ok()?)),
            "stopped" => Some(Self::Stopped),
            "released" => Some(Self::Released {
                size: words.next()?.parse().ok()?,
                first: words.next()?.parse().ok()?,
                digests: words.map(str::parse).collect::<Result<_, _>>().ok()?,
            }),
            _ => None,
        }
    }
}

impl Acknowledged {
    /// An empty list in a new file.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(path)
            .with_context(|| format!("{}", path.display()))?;
        Ok(Self {
            file,
            digests: Vec::new(),
            size: 0,
        })
    }

    /// Notes what was said.
    pub(super) fn note(&mut self, said: &Said) -> anyhow::Result<()> {
        let Said::Released {
            size,
            first,
            digests,
        } = said
        else {
            return Ok(());
        };
        for (index, digest) in (*first..).zip(digests) {
            let place = usize::try_from(index)?;
            if self.digests.len() <= place {
                self.digests.resize(place + 1, None);
            }
            let known = self.digests[place].replace(*digest);
            anyhow::ensure!(
                known.is_none_or(|known| known == *digest),
                "entry {index} was acknowledged twice, with other bytes"
            );
            writeln!(self.file, "{index} {digest}")?;
        }
        self.size = self.size.max(*size);
        Ok(())
    }

    /// Syncs the file.
    pub(super) fn sync(&self) -> anyhow::Result<()> {
        Ok(self.file.sync_data()?)
    }

    /// Number of entries that were acknowledged.
    pub(super) fn count(&self) -> u64 {
        self.iter().count() as u64
    }

    /// Each acknowledged entry: its index, and its digest.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Digest)> {
        (0..)
            .zip(&self.digests)
            .filter_map(|(index, digest)| Some((index, (*digest)?)))
    }
}
