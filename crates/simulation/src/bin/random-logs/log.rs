//! A peer's log, and the file that it travels in.

use std::collections::BTreeMap;

use symphony_protocol::replay::Replay;
use symphony_transparency::{Checkpoint, Digest, Domain, PublicKey, SecretKey, digest, log_id};

use crate::wire::{Message, Value, bytes_of, parse, write};

pub(crate) type Secrets = BTreeMap<PublicKey, [u8; 32]>;

/// A peer's log, with the seed of its log key.
pub(crate) struct Log {
    pub(crate) secret: [u8; 32],
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) network: Digest,
    pub(crate) params: Vec<u8>,
}

impl Log {
    pub(crate) fn new(secret: [u8; 32], entries: Vec<Vec<u8>>) -> Self {
        // Entry: body genesis (4), of which network id (1) and params (2).
        let genesis = parse(&entries[0])
            .and_then(|entry| bytes_of(&entry, 4))
            .and_then(|genesis| parse(&genesis))
            .expect("entry 0 of an honest log is a genesis");
        let network = bytes_of(&genesis, 1).expect("a genesis has a network id");
        Self {
            secret,
            network: Digest::from_bytes(network.try_into().expect("32 bytes")),
            params: bytes_of(&genesis, 2).expect("a genesis has params"),
            entries,
        }
    }

    pub(crate) fn secret(&self) -> SecretKey {
        SecretKey::from_bytes(self.secret)
    }

    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> String {
        checkpoint.sign(&self.secret()).text()
    }

    pub(crate) fn honest_checkpoint(&self) -> Option<Checkpoint> {
        checkpoint_of(&self.entries)
    }

    /// The file of STORE-20.
    pub(crate) fn file(&self, entries: &[Vec<u8>], checkpoint: Option<&str>) -> Vec<u8> {
        let mut header = Message::new();
        let size = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        header.push((1, Value::Bytes(self.network.as_bytes().to_vec())));
        header.push((2, Value::Bytes(log_id(&entries[0]).as_bytes().to_vec())));
        header.push((3, Value::Bytes(self.secret().public().as_bytes().to_vec())));
        header.push((4, Value::Number(size)));
        header.push((5, Value::Bytes(self.params.clone())));
        if let Some(checkpoint) = checkpoint {
            header.push((6, Value::Bytes(checkpoint.as_bytes().to_vec())));
        }
        let mut file = b"symlog\x00\x01".to_vec();
        frame(&mut file, u64::MAX, &write(&header));
        for (index, entry) in (0..).zip(entries) {
            frame(&mut file, index, entry);
        }
        let trailer = digest(Domain::Export, &[b"content", file.as_slice()].concat());
        file.extend_from_slice(trailer.as_bytes());
        file
    }
}

fn frame(file: &mut Vec<u8>, place: u64, bytes: &[u8]) {
    let check = digest(
        Domain::Export,
        &[b"frame".as_slice(), &place.to_be_bytes(), bytes].concat(),
    );
    let size = u32::try_from(bytes.len()).expect("entries are small");
    file.extend_from_slice(&size.to_be_bytes());
    file.extend_from_slice(&check.as_bytes()[..16]);
    file.extend_from_slice(bytes);
}

/// The checkpoint that follows from the entries, or nothing if they break a rule.
pub(crate) fn checkpoint_of(entries: &[Vec<u8>]) -> Option<Checkpoint> {
    let (first, rest) = entries.split_first()?;
    let mut replay = Replay::begin(first, None).ok()?;
    for bytes in rest {
        replay.push(bytes).ok()?;
    }
    Some(replay.checkpoint())
}
