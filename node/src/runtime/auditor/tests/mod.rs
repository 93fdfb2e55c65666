//! The auditor on a bench: a real ledger, and a network to which nobody is connected.

mod far_behind;
mod late;
mod letting_go;
mod proving;
mod retired;
mod strangers;
mod words;

use symphony_network::{Events, Hello, KademliaMode, MdnsMode, Network, TransportSecret};
use symphony_protocol::{
    Rule,
    records::{Acknowledgement, Body, Entry, Genesis, Origin, Params, Received, StatementRecord},
    state::Duty,
};
use symphony_transparency::{PeerSecrets, entry_digest, log_id, sign_statement};
use tempfile::TempDir;

use symphony_coordination::Event;

use super::*;

/// Logs followed at once.
const LOGS_MAX: usize = 4;

/// An auditor, and what it talks to.
struct Bench {
    auditor: Auditor,
    /// What the core is told.
    core: mpsc::Receiver<CoreCommand>,
    _commands: mpsc::Sender<AuditorCommand>,
    _events: Events,
    folder: TempDir,
}

/// A peer with a log.
struct Author {
    secret: SecretKey,
    peer: PeerId,
    entries: Vec<Vec<u8>>,
    replay: Replay,
}

fn params() -> Params {
    Params::standard("test", 0).expect("parameters")
}

fn secrets(seed: u8) -> PeerSecrets {
    let of = |kind| SecretKey::from_bytes([[seed, kind]; 16].concat().try_into().expect("a key"));
    PeerSecrets {
        log: of(1),
        transport: of(2),
        witness: of(3),
    }
}

fn genesis(secrets: &PeerSecrets) -> Vec<u8> {
    Genesis::bind(secrets, params())
        .search_stamp(1_000, u64::MAX)
        .expect("no zero bits are asked for")
}

/// A statement as its receiver logs it.
fn signed<R: StatementRecord>(secret: &SecretKey, payload: Vec<u8>) -> Received<R> {
    let statement = sign_statement(secret, &params().network_id(), R::KIND, payload);
    Received::from_statement(statement).expect("a statement")
}

/// An acknowledgement of whoever has this key: in that log, at that place, it says, stands a statement.
fn acknowledgement(secret: &SecretKey, log: Digest, index: u64) -> Received<Acknowledgement> {
    let record = Acknowledgement {
        origin: Origin { log, index },
        statement: Digest::ZERO,
    };
    signed(secret, record.encode())
}

impl Bench {
    async fn new() -> Self {
        Self::in_folder(TempDir::new().expect("a folder")).await
    }

    /// The same node after a restart.
    async fn restarted(mut self) -> Self {
        self.scanned().await;
        let Self {
            auditor, folder, ..
        } = self;
        auditor.parts.ledger.clone().close().await.expect("closed");
        auditor.parts.network.shutdown().await;
        drop(auditor);
        let mut bench = Self::in_folder(folder).await;
        bench.auditor.recall().await;
        bench
    }

    async fn in_folder(folder: TempDir) -> Self {
        let (params, own) = (params(), secrets(200));
        let network_id = params.network_id();
        let options = symphony_ledger::OpenOptions::new(network_id);
        let (ledger, _) = Ledger::open(folder.path(), options).expect("a ledger");
        let entry_0 = genesis(&own);
        let log = log_id(&entry_0);
        let hello = Hello {
            network_id,
            params_fingerprint: network_id,
            log_id: log,
            log_public_key: own.log.public(),
            genesis_entry: entry_0,
            software_version: String::new(),
        };
        let config = symphony_network::NetworkConfig {
            mdns: MdnsMode::Off,
            kademlia: KademliaMode::Off,
            ..symphony_network::NetworkConfig::default()
        };
        let transport = TransportSecret::from_bytes(*own.transport.expose_bytes());
        let (network, events) = Network::start(config, &transport, hello)
            .await
            .expect("a network");
        let evidence = EvidenceStore::open(ledger.clone(), &network_id)
            .await
            .expect("a store");
        let (commands, receiver) = mpsc::channel(1_024);
        let (core_sender, core) = mpsc::channel(4_096);
        let own_key = own.log.public();
        let parts = AuditorParts {
            own_key,
            network_id,
            core: core_sender,
            network,
            directory: Directory::default(),
            witness: Witness::new(&network_id, &log, own.witness, ledger.clone()),
            ledger,
            evidence,
            secret: own.log,
            follow_limits: FollowLimits {
                logs_max: LOGS_MAX,
                ..FollowLimits::default()
            },
            suspect_after: Duration::ZERO,
            cosign_interval: Duration::ZERO,
            view: watch::channel(Arc::default()).0,
        };
        Self {
            auditor: Auditor::new((receiver, commands.downgrade()), parts),
            core,
            _commands: commands,
            _events: events,
            folder,
        }
    }

    /// A peer comes.
    async fn meet(&mut self, author: &Author) {
        let replay = Replay::begin(&author.entries[0], None).expect("a genesis");
        self.auditor
            .hello(author.peer, replay, author.entries[0].clone())
            .await;
    }

    /// The entries of a log come, from `first` on.
    async fn give(&mut self, author: &Author, first: usize) {
        let entries = author.entries[first..].to_vec();
        self.auditor
            .replay(author.log(), first as u64, entries)
            .await;
    }

    /// Takes what scans under way find.
    async fn scanned(&mut self) {
        while self.auditor.scanning.is_under_way {
            let command = self.auditor.commands.recv().await.expect("a scan");
            self.auditor.take(command).await;
        }
    }

    /// Takes what is proved of findings until nothing more is; says how many proofs that were.
    async fn findings_proved(&mut self) -> usize {
        let mut proofs = 0;
        while self.auditor.proving.findings.running.is_some() {
            let command = self.auditor.commands.recv().await.expect("a proof");
            proofs += usize::from(matches!(command, AuditorCommand::Made { .. }));
            self.auditor.take(command).await;
        }
        proofs
    }

    /// Rules whose breach by a peer files prove.
    fn proven(&self, peer: &PublicKey) -> Vec<Rule> {
        let files = self.auditor.parts.evidence.all();
        let faults = files.into_iter().map(|(_, conviction)| conviction.fault);
        faults
            .filter(|fault| fault.peer == *peer)
            .map(|fault| fault.rule)
            .collect()
    }

    /// Whether the core was told that a peer is exposed since this was asked last.
    fn core_knows(&mut self, peer: &PublicKey) -> bool {
        let mut knows = false;
        while let Ok(command) = self.core.try_recv() {
            knows |=
                matches!(command, CoreCommand::Event(Event::Exposed { peer: of }) if of == *peer);
        }
        knows
    }
}

impl Author {
    fn new(seed: u8) -> Self {
        let secrets = secrets(seed);
        let entry_0 = genesis(&secrets);
        let peer =
            symphony_network::peer_id_of_transport_key(secrets.transport.public().as_bytes());
        Self {
            peer: peer.expect("a transport key"),
            secret: secrets.log,
            replay: Replay::begin(&entry_0, None).expect("a genesis"),
            entries: vec![entry_0],
        }
    }

    fn key(&self) -> PublicKey {
        self.secret.public()
    }

    fn log(&self) -> Digest {
        self.replay.state().log()
    }

    /// Adds an entry that keeps the rules.
    fn append(&mut self, body: Body) {
        let time_ms = 1_000 + self.entries.len() as u64;
        self.append_at(time_ms, body);
        if let Some(duty @ Duty::Record) = self.replay.state().duty() {
            let root = self.replay.state_mut().decide(duty);
            self.append_at(time_ms, root.expect("a root"));
        }
    }

    fn append_at(&mut self, time_ms: u64, body: Body) {
        let entry = Entry {
            index: self.entries.len() as u64,
            previous: entry_digest(&self.entries[self.entries.len() - 1]),
            time_ms,
            body,
        }
        .encode();
        self.replay.push(&entry).expect("an entry within the rules");
        self.entries.push(entry);
    }

    /// What it signs of its log as it is now.
    fn sign(&mut self) -> SignedCheckpoint {
        self.replay.checkpoint().sign(&self.secret)
    }
}
