//! A stranger: a peer of the test itself, which speaks the protocol and says whatever the test wants of any log.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use symphony_network::{
    Handle, Hello, Network, NetworkConfig, NetworkEvent, PeerId, PrivatePayload, Refusal,
    RefusalCode, Request, Response, SubmitStatement, Topic, TransportSecret,
};
use symphony_protocol::{
    records::{Body, Entry, Genesis, Params, StatementRecord},
    replay::Replay,
};
use symphony_transparency::{
    Checkpoint, Digest, MerkleTree, PeerSecrets, SecretKey, SignedCheckpoint, entry_digest,
    sign_statement,
};
use tokio::sync::watch;

use super::Peer;

/// When the logs of strangers begin, in milliseconds since 1970.
const BEGIN_MS: u64 = 1_700_000_000_000;

/// What it says of its log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// Entries that it serves, its genesis first.
    pub(crate) entries: Vec<Vec<u8>>,
    /// Its newest checkpoint, whosever it is; empty for none.
    pub(crate) note: String,
}

/// A stranger, connected to one peer.
pub(crate) struct Stranger {
    pub(crate) secret: SecretKey,
    pub(crate) log: Digest,
    pub(crate) genesis: Vec<u8>,
    network_id: Digest,
    handle: Handle,
    /// Whom it met.
    peer: PeerId,
    shown: Arc<Mutex<Shown>>,
    /// How often it was asked for the status of its log.
    asked: watch::Receiver<u64>,
}

impl Stranger {
    /// Starts one that shows its genesis alone, and connects it.
    pub(crate) async fn meet(peer: &Peer, seed: u8) -> anyhow::Result<Self> {
        let params = Params::standard("test", 4)?;
        let key = |purpose: u8| SecretKey::from_bytes([seed.wrapping_add(purpose); 32]);
        let secrets = PeerSecrets {
            log: key(0),
            transport: key(1),
            witness: key(2),
        };
        let genesis = Genesis::bind(&secrets, params.clone())
            .search_stamp(BEGIN_MS, u64::MAX)
            .context("a stamp of 4 bits")?;
        let replay = Replay::begin(&genesis, None)?;
        let (log, network_id) = (replay.state().log(), params.network_id());
        let hello = Hello {
            network_id,
            params_fingerprint: network_id,
            log_id: log,
            log_public_key: secrets.log.public(),
            genesis_entry: genesis.clone(),
            software_version: "stranger".to_owned(),
        };
        let config = NetworkConfig {
            listen_addresses: vec!["/ip4/127.0.0.1/tcp/0".parse()?],
            ..NetworkConfig::loopback()
        };
        let transport = TransportSecret::from_bytes([seed.wrapping_add(1); 32]);
        let (handle, mut events) = Network::start(config, &transport, hello).await?;
        let shown = Arc::new(Mutex::new(Shown {
            entries: vec![genesis.clone()],
            note: String::new(),
        }));
        let (count, asked) = watch::channel(0);
        let (answering, answered) = (handle.clone(), Arc::clone(&shown));
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if let NetworkEvent::Request { request, reply, .. } = event {
                    let response = answer(&answered, log, &request);
                    // Whoever asked may have gone.
                    let _ = answering.reply(reply, response).await;
                    if matches!(request, Request::LogStatus { .. }) {
                        count.send_modify(|count| *count += 1);
                    }
                }
            }
        });
        let peer = handle.dial(peer.address().parse()?).await?;
        Ok(Self {
            secret: secrets.log,
            log,
            genesis,
            network_id,
            handle,
            peer,
            shown,
            asked,
        })
    }

    pub(crate) fn did_key(&self) -> String {
        self.secret.public().to_string()
    }

    /// Entries of its log: the genesis, and so many that say nothing, at times that set this history apart.
    pub(crate) fn history(&self, count: u64, offset_ms: u64) -> Vec<Vec<u8>> {
        let mut entries = vec![self.genesis.clone()];
        for index in 1..=count {
            let previous = entry_digest(entries.last().map_or(&[][..], Vec::as_slice));
            let entry = Entry {
                index,
                previous,
                time_ms: BEGIN_MS + offset_ms + index,
                body: Body::Resumed,
            };
            entries.push(entry.encode());
        }
        entries
    }

    /// The checkpoint that an honest author of these entries signs.
    pub(crate) fn checkpoint(&self, entries: &[Vec<u8>]) -> anyhow::Result<Checkpoint> {
        let mut replay = Replay::begin(&self.genesis, None)?;
        let mut tree = MerkleTree::new();
        tree.append(&self.genesis);
        for entry in &entries[1..] {
            replay
                .push(entry)
                .map_err(|fault| anyhow::anyhow!("{fault}"))?;
            tree.append(entry);
        }
        Ok(Checkpoint {
            network: self.network_id,
            log: self.log,
            size: tree.size(),
            root: tree.root(),
            state_root: replay.state_mut().root(),
        })
    }

    /// Signs a checkpoint of whatever log.
    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> SignedCheckpoint {
        checkpoint.sign(&self.secret)
    }

    /// From now on says this of its log.
    pub(crate) fn show(&self, entries: &[Vec<u8>], note: String) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = Shown {
            entries: entries.to_vec(),
            note,
        };
    }

    /// Hands over a statement of its own, and gives the answer.
    pub(crate) async fn submit(&self, statement: Vec<u8>) -> anyhow::Result<Response> {
        let request = Request::SubmitStatement(SubmitStatement {
            statement,
            private_payload: PrivatePayload::default(),
        });
        let answer = self.handle.request(self.peer, request, super::TIME_MAX);
        Ok(answer.await?)
    }

    /// A statement by it.
    pub(crate) fn statement<R: StatementRecord>(&self, record: &R) -> Vec<u8> {
        let payload = record.write();
        sign_statement(&self.secret, &self.network_id, R::KIND, payload).into_bytes()
    }

    /// Gossips a checkpoint.
    pub(crate) async fn gossip(&self, note: &str) -> anyhow::Result<()> {
        self.handle
            .publish(Topic::Checkpoint, note.as_bytes().to_vec())
            .await?;
        Ok(())
    }

    /// Waits until what it shows now was asked for and the answer was taken: the next question comes only then.
    pub(crate) async fn asked_twice(&mut self) -> anyhow::Result<()> {
        let before = *self.asked.borrow();
        let asked = self.asked.wait_for(|count| *count >= before + 3);
        tokio::time::timeout(super::TIME_MAX, asked)
            .await
            .context("nobody asks the stranger")??;
        Ok(())
    }
}

fn answer(shown: &Mutex<Shown>, log: Digest, request: &Request) -> Response {
    let shown = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match request {
        Request::LogStatus { log_id } if *log_id == log => Response::LogStatus {
            size: shown.entries.len() as u64,
            checkpoint: shown.note,
        },
        Request::LogRange(range) if range.log_id == log => Response::LogEntries {
            first_index: range.first_index,
            entries: shown
                .entries
                .into_iter()
                .skip(usize::try_from(range.first_index).unwrap_or(usize::MAX))
                .take(range.count_max as usize)
                .collect(),
        },
        Request::EvidenceList => Response::EvidenceList {
            digests: Vec::new(),
        },
        _ => Response::Refused(Refusal::new(RefusalCode::NotOffered, "a stranger")),
    }
}
