//! What the tests share: entries that chain, a home with data and signing record apart, and the whole-log check that ends
//! every test that wrote a log.

use std::future::Future;
use std::path::{Path, PathBuf};

use prost::Message;
use symphony_ledger::{Ledger, LogReader, OpenError, OpenOptions, Recovered, follow, fsck};
use symphony_proto::log::v1::Entry;
use symphony_transparency::merkle::{MerkleTree, TreeHead};
use symphony_transparency::{
    ChainEnd, Checkpoint, Digest, Domain, SecretKey, SignedCheckpoint, digest,
};
use tempfile::TempDir;

/// The network of all tests.
pub(crate) fn network() -> Digest {
    digest(Domain::NetworkId, b"the ledger's tests")
}

/// Runs one asynchronous test.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

/// Makes entries that continue one another, and remembers them: the plain model of a log.
#[derive(Clone)]
pub(crate) struct Author {
    pub(crate) chain: ChainEnd,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) tree: MerkleTree,
    padding: usize,
    name: u64,
}

impl Author {
    /// An author whose entries, and so log id, differ from those of other names. `padding` is about the size of an entry.
    pub(crate) fn new(name: u64, padding: usize) -> Self {
        Self {
            chain: ChainEnd::EMPTY,
            entries: Vec::new(),
            tree: MerkleTree::new(),
            padding,
            name,
        }
    }

    /// The next entry.
    pub(crate) fn entry(&mut self) -> Vec<u8> {
        let bytes = entry(&self.chain, self.name, self.padding);
        self.take(bytes.clone());
        bytes
    }

    /// The next entries.
    pub(crate) fn entries(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.entry()).collect()
    }

    /// Takes in an entry that another part of a test made.
    pub(crate) fn take(&mut self, entry: Vec<u8>) {
        self.chain = follow(&self.chain, &entry).unwrap();
        self.tree.append(&entry);
        self.entries.push(entry);
    }

    pub(crate) fn log(&self) -> Digest {
        symphony_transparency::log_id(&self.entries[0])
    }

    pub(crate) fn head(&self) -> TreeHead {
        self.tree.head()
    }

    /// Size and root at an earlier size.
    pub(crate) fn head_at(&self, size: u64) -> TreeHead {
        TreeHead {
            size,
            root: self.tree.root_at(size).unwrap(),
        }
    }

    pub(crate) fn secret(&self) -> SecretKey {
        SecretKey::from_bytes([u8::try_from(self.name).unwrap(); 32])
    }

    /// A signed checkpoint at an earlier size.
    pub(crate) fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        let TreeHead { size, root } = self.head_at(size);
        Checkpoint {
            network: network(),
            log: self.log(),
            size,
            root,
            state_root: Digest::ZERO,
        }
        .sign(&self.secret())
    }
}

/// An entry behind `chain`. The body is an unknown field of the size asked for: the ledger does not look at it.
pub(crate) fn entry(chain: &ChainEnd, name: u64, padding: usize) -> Vec<u8> {
    let mut bytes = Entry {
        index: chain.size,
        previous: chain.last.as_bytes().to_vec(),
        time_ms: 1000 * name + chain.size,
        body: None,
    }
    .encode_to_vec();
    let body = vec![b'a' + u8::try_from(chain.size % 26).unwrap(); padding];
    prost::encoding::bytes::encode(15, &body, &mut bytes);
    bytes
}

/// A folder with a data directory and a signing record apart from it.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.folder.path().join("signing").join("record")
    }

    pub(crate) fn options(&self) -> OpenOptions {
        options_at(self.folder.path())
    }

    pub(crate) fn open(&self) -> (Ledger, Recovered) {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<(Ledger, Recovered), OpenError> {
        Ledger::open(&self.data(), self.options())
    }

    /// The whole-log check: everything on the device is what the author wrote, and nothing else is there.
    pub(crate) fn check(&self, author: &Author) {
        let report = fsck(&self.data()).unwrap();
        assert!(report.is_clean(), "{report:?}");
        let log = report
            .logs
            .iter()
            .find(|log| log.log == author.log())
            .unwrap();
        assert_eq!(log.head, Some(author.head()));
    }

    /// Closes the ledger, then checks.
    pub(crate) async fn close_and_check(&self, ledger: Ledger, author: &Author) {
        ledger.close().await.unwrap();
        self.check(author);
    }
}

pub(crate) fn options_at(folder: &Path) -> OpenOptions {
    OpenOptions::new(network())
        .with_signing_record(folder.join("signing").join("record"))
        .checking_everything()
}

/// Everything that a reader shows is what the author wrote: entries one by one and by range, roots, and proofs.
pub(crate) fn assert_reads(reader: &LogReader, author: &Author) {
    assert_eq!(reader.head().unwrap(), author.head());
    assert_eq!(reader.chain_end().unwrap(), author.chain);
    let size = author.head().size;
    let read = reader
        .entries(0..u64::MAX)
        .map(|entry| entry.unwrap())
        .collect::<Vec<_>>();
    assert_eq!(read.len(), author.entries.len());
    for ((index, entry), expected) in read.iter().zip(&author.entries) {
        assert_eq!(entry, expected, "entry {index}");
    }
    assert_eq!(reader.entry(size).unwrap(), None);
    for index in [0, size / 2, size - 1] {
        assert_eq!(
            reader.entry(index).unwrap().as_ref(),
            author.entries.get(usize::try_from(index).unwrap())
        );
        assert_eq!(
            reader.inclusion_proof(index, size).unwrap(),
            author.tree.inclusion_proof(index, size).unwrap()
        );
        assert_eq!(
            reader.root_at(index).unwrap(),
            author.tree.root_at(index).unwrap()
        );
        assert_eq!(
            reader.consistency_proof(index, size).unwrap(),
            author.tree.consistency_proof(index, size).unwrap()
        );
    }
    assert!(reader.root_at(size + 1).is_err());
    assert!(reader.inclusion_proof(size, size).is_err());
}
