//! A simulated disk, and the signing record that lies apart from it.

use symphony_transparency::{Digest, MerkleTree, NodeHash, entry_digest};

/// The durable entries of a machine's log.
pub(crate) struct Disk {
    entries: Vec<Vec<u8>>,
    tree: MerkleTree,
    /// The check that was written before each record, as far as records were begun.
    checks: Vec<Digest>,
    /// A record that a crash cut off, behind the entries.
    torn: Option<Vec<u8>>,
    backup: Option<usize>,
}

/// The highest size and root that were ever to be signed. It is no part of any backup. Spec: STORE-12, STORE-14.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SigningRecord {
    size: u64,
    root: NodeHash,
}

/// What the signing record says of a log. Spec: STORE-14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may go on.
    Sound,
    /// It lacks entries that were signed for: up to this size.
    Short(u64),
    /// It is another history than the one that was signed for.
    Other,
}

impl Disk {
    pub(crate) fn new(entry_0: Vec<u8>) -> Self {
        let mut disk = Self {
            entries: Vec::new(),
            tree: MerkleTree::new(),
            checks: Vec::new(),
            torn: None,
            backup: None,
        };
        disk.extend([entry_0]);
        disk
    }

    pub(crate) fn entries(&self) -> &[Vec<u8>] {
        &self.entries
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size()
    }

    pub(crate) fn tree(&self) -> &MerkleTree {
        &self.tree
    }

    pub(crate) fn extend(&mut self, entries: impl IntoIterator<Item = Vec<u8>>) {
        for entry in entries {
            self.tree.append(&entry);
            self.checks.push(entry_digest(&entry));
            self.entries.push(entry);
        }
    }

    /// A crash in the middle of writing a record: its check and a part of it are on the disk.
    pub(crate) fn tear(&mut self, entry: &[u8], size: usize) {
        self.checks.push(entry_digest(entry));
        self.torn = Some(entry[..size.min(entry.len())].to_vec());
    }

    /// Reads the end of the log after a start. A record that does not have its check was never acknowledged and is dropped; one
    /// that has it is an entry as good as any.
    pub(crate) fn recover(&mut self) {
        let Some(torn) = self.torn.take() else {
            return;
        };
        if self.checks.pop() == Some(entry_digest(&torn)) {
            self.extend([torn]);
        }
    }

    /// Takes a backup.
    pub(crate) fn back_up(&mut self) {
        self.backup = Some(self.entries.len());
    }

    /// Puts the backup back. Returns whether there was one.
    pub(crate) fn restore(&mut self) -> bool {
        // A log only grows, so its backup is its beginning.
        let Some(size) = self.backup else {
            return false;
        };
        self.entries.truncate(size.max(1));
        self.checks.truncate(self.entries.len());
        self.torn = None;
        self.tree = MerkleTree::new();
        for entry in &self.entries {
            self.tree.append(entry);
        }
        true
    }
}

impl SigningRecord {
    /// Records that this log is about to be signed for. Spec: STORE-12.
    pub(crate) fn advance(&mut self, disk: &Disk) {
        if disk.size() > self.size {
            *self = Self {
                size: disk.size(),
                root: disk.tree().root(),
            };
        }
    }

    pub(crate) fn standing(&self, disk: &Disk) -> Standing {
        if disk.size() < self.size {
            return Standing::Short(self.size);
        }
        match disk.tree().root_at(self.size) {
            Ok(root) if self.size == 0 || root == self.root => Standing::Sound,
            _ => Standing::Other,
        }
    }

    /// Whether these entries, behind those on the disk, lead to exactly the size and root that were recorded.
    pub(crate) fn heals(&self, disk: &Disk, missing: &[Vec<u8>]) -> bool {
        let mut tree = disk.tree().clone();
        for entry in missing {
            tree.append(entry);
        }
        (tree.size(), tree.root()) == (self.size, self.root)
    }
}

#[cfg(test)]
mod tests {
    use super::{Disk, SigningRecord, Standing};

    fn entries(count: u8) -> Vec<Vec<u8>> {
        (1..count).map(|number| vec![number]).collect()
    }

    #[test]
    fn store_8_a_torn_record_at_the_end_is_dropped() {
        let mut disk = Disk::new(vec![0]);
        disk.tear(&[1, 2, 3], 2);
        disk.recover();
        assert_eq!(disk.entries(), [vec![0]]);
        disk.tear(&[1, 2, 3], 3);
        disk.recover();
        disk.extend([vec![4]]);
        assert_eq!(disk.entries(), [vec![0], vec![1, 2, 3], vec![4]]);
    }

    #[test]
    fn store_14_a_restored_backup_signs_nothing_until_it_is_healed() {
        let mut disk = Disk::new(vec![0]);
        let mut record = SigningRecord::default();
        assert_eq!(record.standing(&disk), Standing::Sound);
        disk.extend(entries(5));
        disk.back_up();
        disk.extend(vec![vec![5], vec![6]]);
        record.advance(&disk);
        disk.extend(vec![vec![7]]);
        assert_eq!(record.standing(&disk), Standing::Sound, "more than signed");
        assert!(disk.restore());
        assert_eq!(record.standing(&disk), Standing::Short(7));
        assert!(!record.heals(&disk, &[vec![5], vec![9]]), "another history");
        assert!(!record.heals(&disk, &[vec![5]]), "too short");
        assert!(record.heals(&disk, &[vec![5], vec![6]]));
        disk.extend(vec![vec![8], vec![9]]);
        assert_eq!(record.standing(&disk), Standing::Other);
    }
}
