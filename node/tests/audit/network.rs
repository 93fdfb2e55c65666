//! A few peers in memory that answer each other at once: it makes honest logs, and helps to make dishonest ones.

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
};

use symphony_coordination::{
    Completion, Effect, Event, Execution, ExecutionOutcome, Output, Peer, PeerConfig, PlanRequest,
    Profile, StepRequest, TaskRequest, TaskSettings,
};
use symphony_ledger::symlog::{ExportHeader, ExportWriter};
use symphony_protocol::{
    records::{
        AnswerForm, Bid, Body, Device, Entry, Genesis, Issued, Model, Params, Policy, Received,
        StatementRecord, TaskKey,
    },
    replay::Replay,
};
use symphony_transparency::{
    Digest, PeerSecrets, PublicKey, SecretKey, UnverifiedStatement, entry_digest, sign_statement,
};

/// When the network begins, in milliseconds since 1970.
const BEGIN_MS: u64 = 1_700_000_000_000;

/// What a test changes about statements on their way.
pub(crate) type Interference = fn(&mut Network, usize, Vec<u8>) -> Vec<u8>;

/// Some peers; peer 0 asks, the others answer.
pub(crate) struct Network {
    peers: Vec<Peer>,
    logs: Vec<Vec<Vec<u8>>>,
    queue: VecDeque<(usize, Event)>,
    /// Tokens of awaited answers: who waits.
    tokens: BTreeMap<u64, usize>,
    next_number: u64,
    pub(crate) now_ms: u64,
    interference: Option<Interference>,
}

pub(crate) fn secret(peer: usize) -> SecretKey {
    SecretKey::from_bytes([u8::try_from(peer).unwrap() + 1; 32])
}

pub(crate) fn params() -> Params {
    Params::standard("test", 0).unwrap()
}

pub(crate) fn genesis(peer: usize, params: &Params) -> Vec<u8> {
    let seed = u8::try_from(peer).unwrap();
    let secrets = PeerSecrets {
        log: secret(peer),
        transport: SecretKey::from_bytes([seed + 101; 32]),
        witness: SecretKey::from_bytes([seed + 201; 32]),
    };
    Genesis::bind(&secrets, params.clone())
        .search_stamp(BEGIN_MS, u64::MAX)
        .unwrap()
}

impl Network {
    /// Peers that have met.
    pub(crate) fn new(count: usize, interference: Option<Interference>) -> Self {
        Self::under(&Policy::shared(), count, interference)
    }

    /// The same, where all learn by this policy.
    pub(crate) fn under(policy: &Policy, count: usize, interference: Option<Interference>) -> Self {
        let params = params();
        let mut network = Self {
            peers: Vec::new(),
            logs: Vec::new(),
            queue: VecDeque::new(),
            tokens: BTreeMap::new(),
            next_number: 0,
            now_ms: BEGIN_MS,
            interference,
        };
        for number in 0..count {
            let entry_0 = genesis(number, &params);
            let replay = Replay::begin(&entry_0, None).unwrap();
            let config = PeerConfig {
                profile: (number > 0).then(|| Profile {
                    tags: vec!["boolean".to_owned()],
                    description: "boolean".to_owned(),
                    models: vec![Model {
                        name: "model".to_owned(),
                        digest: Digest::from_bytes([7; 32]),
                        context_tokens: 256,
                    }],
                    price_microunits: 0,
                    parallel_max: 4,
                }),
                policy: policy.clone(),
                capability_ms: 3_600_000,
                queue_max: 8,
                tasks_max: 8,
            };
            network
                .peers
                .push(Peer::new(secret(number), replay, config));
            network.logs.push(vec![entry_0]);
        }
        for number in 0..count {
            for other in 0..count {
                let event = Event::Reachable {
                    peer: secret(other).public(),
                    reachable: true,
                };
                network.queue.push_back((number, event));
            }
            let output = network.peers[number].start(BEGIN_MS).unwrap();
            network.take(number, output);
        }
        network.settle();
        network
    }

    /// Asks a question and carries everything out to the end.
    pub(crate) fn ask(&mut self, question: &str) {
        self.next_number += 1;
        let step = StepRequest {
            text: question.to_owned(),
            tags: vec!["boolean".to_owned()],
            form: AnswerForm::Boolean,
        };
        let event = Event::Submit {
            request: self.next_number,
            task: TaskRequest {
                plans: vec![PlanRequest { steps: vec![step] }],
                settings: TaskSettings::default(),
                gold: None,
            },
            key: TaskKey::from_bytes([u8::try_from(self.next_number).unwrap(); 32]),
            planning_key: TaskKey::from_bytes([0; 32]),
        };
        self.queue.push_back((0, event));
        self.settle();
        // What was not answered is settled by its deadline.
        for _ in 0..20 {
            self.now_ms += 5_000;
            for number in 0..self.peers.len() {
                self.queue.push_back((number, Event::Tick));
            }
            self.settle();
        }
    }

    fn settle(&mut self) {
        let mut handled = 0;
        while let Some((number, event)) = self.queue.pop_front() {
            handled += 1;
            assert!(handled < 100_000, "the peers talk without end");
            self.now_ms += 1;
            let output = self.peers[number].handle(event, self.now_ms).unwrap();
            self.take(number, output);
        }
    }

    fn take(&mut self, number: usize, output: Output) {
        self.logs[number].extend(output.entries);
        for effect in output.effects {
            self.carry_out(number, effect);
        }
    }

    fn carry_out(&mut self, number: usize, effect: Effect) {
        match effect {
            Effect::Publish { statement } | Effect::Announce { statement, .. } => {
                for other in 0..self.peers.len() {
                    if other != number {
                        self.send(number, other, statement.clone(), Vec::new(), false);
                    }
                }
            }
            Effect::Send {
                to,
                statement,
                private,
            } => {
                let to = self.number_of(&to);
                self.send(number, to, statement, private, true);
            }
            Effect::AskReveal { to, assignment } => {
                let to = self.number_of(&to);
                let token = self.token(number);
                self.queue
                    .push_back((to, Event::RevealAsked { assignment, token }));
            }
            Effect::Acknowledge { token, statement } => {
                let to = self.tokens.remove(&token).unwrap();
                if !statement.is_empty() {
                    self.send(number, to, statement, Vec::new(), false);
                }
            }
            Effect::Execute { assignment, .. } => {
                let completion = Completion {
                    text: "so the answer is True".to_owned(),
                    prompt_tokens: 9,
                    output_tokens: 5,
                    confidence_ppm: 900_000,
                };
                let execution = Execution {
                    model: Digest::from_bytes([7; 32]),
                    device: Device::Cpu,
                    temperature_ppm: 0,
                    output_tokens_max: 64,
                    duration_ms: 3,
                    outcome: ExecutionOutcome::Completed(completion),
                };
                let event = Event::Executed {
                    assignment,
                    execution,
                    salt: [9; 32],
                    key: TaskKey::from_bytes([9; 32]),
                };
                self.queue.push_back((number, event));
            }
            Effect::Refuse { .. } | Effect::Report { .. } | Effect::Found(_) => {}
        }
    }

    fn send(&mut self, from: usize, to: usize, bytes: Vec<u8>, private: Vec<u8>, awaited: bool) {
        let bytes = match self.interference {
            Some(interference) => interference(self, from, bytes),
            None => bytes,
        };
        let statement = UnverifiedStatement::parse(&bytes)
            .unwrap()
            .verify(&params().network_id())
            .unwrap();
        let token = awaited.then(|| self.token(from));
        self.queue.push_back((
            to,
            Event::Statement {
                statement,
                private,
                token,
            },
        ));
    }

    fn token(&mut self, waits: usize) -> u64 {
        self.next_number += 1;
        self.tokens.insert(self.next_number, waits);
        self.next_number
    }

    fn number_of(&self, key: &PublicKey) -> usize {
        self.peers
            .iter()
            .position(|peer| peer.author() == *key)
            .unwrap()
    }

    /// A peer's log.
    pub(crate) fn log(&self, number: usize) -> Log {
        Log {
            peer: number,
            entries: self.logs[number].clone(),
            note: None,
        }
        .signed()
    }
}

/// A peer that signs another match than the right one, into its statement but not into its log.
pub(crate) fn false_match(_: &mut Network, from: usize, bytes: Vec<u8>) -> Vec<u8> {
    let network = params().network_id();
    let statement = UnverifiedStatement::parse(&bytes).unwrap().verify(&network);
    let Ok(mut received) = Received::<Bid>::from_statement(statement.unwrap()) else {
        return bytes;
    };
    if from != 1 {
        return bytes;
    }
    received.record.match_ppm -= 1;
    let issued = Issued::new(received.record);
    sign_statement(&secret(from), &network, Bid::KIND, issued.payload).into_bytes()
}

/// A log as it would be exported.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) peer: usize,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) note: Option<String>,
}

impl Log {
    pub(crate) fn key(&self) -> PublicKey {
        secret(self.peer).public()
    }

    pub(crate) fn parsed(&self) -> Vec<Entry> {
        let network = params().network_id();
        self.entries
            .iter()
            .map(|bytes| Entry::parse(bytes, Some(&network)).unwrap())
            .collect()
    }

    /// The same, with a checkpoint by the author over all entries. The state root is that of replay as far as it gets.
    pub(crate) fn signed(self) -> Self {
        let mut replay = Replay::begin(&self.entries[0], None).unwrap();
        let mut tree = replay.tree().clone();
        for entry in &self.entries[1..] {
            tree.append(entry);
            let _ = replay.push(entry);
        }
        let mut checkpoint = replay.checkpoint();
        checkpoint.size = tree.size();
        checkpoint.root = tree.root();
        Self {
            note: Some(checkpoint.sign(&secret(self.peer)).to_string()),
            ..self
        }
    }

    /// The same without a checkpoint.
    pub(crate) fn unsigned(self) -> Self {
        Self { note: None, ..self }
    }

    /// The same with another body at an index, and everything behind it chained anew. The checkpoint stays.
    pub(crate) fn rewritten(&self, index: usize, body: Body) -> Self {
        let mut entries = self.parsed();
        entries[index].body = body;
        let mut log = self.clone();
        for (at, entry) in entries.iter_mut().enumerate().skip(index) {
            entry.previous = entry_digest(&log.entries[at - 1]);
            log.entries[at] = entry.encode();
        }
        log
    }

    /// The first entries only. The checkpoint stays.
    pub(crate) fn cut(&self, size: usize) -> Self {
        let mut log = self.clone();
        log.entries.truncate(size);
        log
    }

    /// The same with one more entry.
    pub(crate) fn with(mut self, body: Body) -> Self {
        let network = params().network_id();
        let last = self.entries.last().unwrap();
        let entry = Entry {
            index: self.entries.len() as u64,
            previous: entry_digest(last),
            time_ms: Entry::parse(last, Some(&network)).unwrap().time_ms,
            body,
        };
        self.entries.push(entry.encode());
        self
    }

    pub(crate) fn header(&self) -> ExportHeader {
        let entry_0 = Entry::parse(&self.entries[0], None).unwrap();
        let Body::Genesis(genesis) = entry_0.body else {
            panic!("entry 0 is a genesis")
        };
        ExportHeader {
            network_id: genesis.params.network_id(),
            log_id: symphony_transparency::log_id(&self.entries[0]),
            log_key: genesis.keys.log,
            size: self.entries.len() as u64,
            params: genesis.params.to_bytes(),
            checkpoint: self.note.clone(),
        }
    }

    /// The file's bytes.
    pub(crate) fn export(&self) -> Vec<u8> {
        self.export_as(&self.header())
    }

    pub(crate) fn export_as(&self, header: &ExportHeader) -> Vec<u8> {
        let mut writer = ExportWriter::new(Vec::new(), header).unwrap();
        for entry in &self.entries {
            writer.write_entry(entry).unwrap();
        }
        writer.finish().unwrap()
    }

    /// Writes the file.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, self.export()).unwrap();
        path
    }

    /// Index of the first entry of this kind.
    pub(crate) fn first(&self, kind: &str) -> usize {
        self.parsed()
            .iter()
            .position(|entry| entry.body.name() == kind)
            .unwrap()
    }
}

/// Four peers, some questions, everybody honest.
pub(crate) fn honest() -> Network {
    let mut network = Network::new(4, None);
    for question in ["not ( True ) is", "True and True is", "False or True is"] {
        network.ask(question);
    }
    network
}
