//! A real coordinator that knows 10,000 capabilities: from a client's question to the assignments.

use std::time::Duration;

use symphony_coordination::{
    Effect, Event, Output, Peer, PeerConfig, PlanRequest, StepRequest, TaskRequest, TaskSettings,
};
use symphony_protocol::embedding::Embedding;
use symphony_protocol::matching::{Profile, match_ppm};
use symphony_protocol::records::{
    AnswerForm, Beacon, Bid, Capability, Genesis, Origin, Params, Policy, Received,
    StatementRecord, TaskKey,
};
use symphony_protocol::replay::Replay;
use symphony_transparency::{
    Digest, PeerSecrets, PublicKey, SecretKey, UnverifiedStatement, VerifiedStatement,
    sign_statement,
};

use crate::clock::Processor;
use crate::table::{Required, Table};

const CAPABILITIES: u32 = 10_000;
const START_MS: u64 = 1_000_000;
const TASKS: u64 = 41;

struct Executor {
    secret: SecretKey,
    capability: Received<Capability>,
}

fn params() -> Params {
    Params::standard("routing", 0).unwrap()
}

fn sign<R: StatementRecord>(secret: &SecretKey, record: &R) -> VerifiedStatement {
    sign_statement(secret, &params().network_id(), R::KIND, record.write())
}

/// Tags and descriptions differ; one in eight has the tag that is asked for.
fn executor(number: u32) -> Executor {
    let mut seed = [9; 32];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    let secret = SecretKey::from_bytes(seed);
    let mut log = [1; 32];
    log[..4].copy_from_slice(&number.to_be_bytes());
    let skills = [
        "boolean", "dates", "dyck", "logic", "maths", "navigate", "objects", "snarks",
    ];
    let skill = skills[number as usize % skills.len()];
    let record = Capability {
        origin: Origin {
            log: Digest::from_bytes(log),
            index: 1,
        },
        sequence: 1,
        tags: vec![skill.to_owned(), format!("x-{}", number % 100)],
        embedding: Embedding::of_text(&format!("{skill} number {number}")),
        models: Vec::new(),
        price_microunits: 0,
        parallel_max: 1,
        valid_from_ms: 0,
        valid_until_ms: START_MS * 1_000,
    };
    Executor {
        capability: Received::from_statement(sign(&secret, &record)).unwrap(),
        secret,
    }
}

struct Coordinator {
    peer: Peer,
    executors: std::collections::BTreeMap<PublicKey, Executor>,
    now_ms: u64,
}

impl Coordinator {
    fn new() -> Self {
        let secrets = PeerSecrets {
            log: SecretKey::from_bytes([1; 32]),
            transport: SecretKey::from_bytes([2; 32]),
            witness: SecretKey::from_bytes([3; 32]),
        };
        let entry_0 = Genesis::bind(&secrets, params())
            .search_stamp(START_MS, 1)
            .unwrap();
        let replay = Replay::begin(&entry_0, None).unwrap();
        let config = PeerConfig {
            profile: None,
            policy: Policy::shared(),
            capability_ms: 1_000,
            queue_max: 1,
            tasks_max: 64,
        };
        let mut peer = Peer::new(secrets.log, replay, config);
        peer.start(START_MS).unwrap();
        let executors = (0..CAPABILITIES)
            .map(executor)
            .map(|executor| (executor.secret.public(), executor))
            .collect();
        let mut coordinator = Self {
            peer,
            executors,
            now_ms: START_MS,
        };
        for executor in coordinator.executors.values() {
            let (peer, reachable) = (executor.secret.public(), true);
            let statement = executor.capability.statement.clone();
            let heard = Event::Statement {
                statement,
                private: Vec::new(),
                token: None,
            };
            for event in [Event::Reachable { peer, reachable }, heard] {
                coordinator.peer.handle(event, START_MS).unwrap();
            }
        }
        coordinator
    }

    fn handle(&mut self, event: Event, spent: &mut Duration) -> Output {
        let began = Processor::now();
        let output = self.peer.handle(event, self.now_ms).unwrap();
        *spent += began.elapsed();
        output
    }

    /// From the question to the assignments: how long whom to ask took, and how long all of it.
    fn task(&mut self, number: u64) -> (Duration, Duration) {
        let step = StepRequest {
            text: "not True".to_owned(),
            tags: vec!["boolean".to_owned()],
            form: AnswerForm::Boolean,
        };
        let task = TaskRequest {
            plans: vec![PlanRequest { steps: vec![step] }],
            settings: TaskSettings::default(),
            gold: None,
        };
        let event = Event::Submit {
            request: number,
            task,
            key: TaskKey::from_bytes([7; 32]),
            planning_key: TaskKey::from_bytes([8; 32]),
        };
        let mut asking = Duration::ZERO;
        let output = self.handle(event, &mut asking);
        let beacons: Vec<(PublicKey, Vec<u8>)> = output
            .effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Send { to, statement, .. } => Some((to, statement)),
                _ => None,
            })
            .collect();
        assert_eq!(beacons.len(), 10, "K = 2L peers are asked");
        let mut rest = Duration::ZERO;
        let mut assigned = 0;
        for (to, beacon) in beacons {
            let statement = self.bid(&to, &beacon);
            let event = Event::Statement {
                statement,
                private: Vec::new(),
                token: None,
            };
            let output = self.handle(event, &mut rest);
            assigned += output
                .effects
                .iter()
                .filter(|effect| matches!(effect, Effect::Send { .. }))
                .count();
        }
        assert_eq!(assigned, 3, "the tenth bid closes, and three are assigned");
        self.settle();
        (asking, asking + rest)
    }

    fn bid(&self, to: &PublicKey, beacon: &[u8]) -> VerifiedStatement {
        let executor = &self.executors[to];
        let beacon = UnverifiedStatement::parse(beacon)
            .unwrap()
            .verify(&params().network_id())
            .unwrap();
        let beacon = Received::<Beacon>::from_statement(beacon).unwrap();
        let capability = &executor.capability;
        let profile = |tags, embedding| Profile { tags, embedding };
        let bid = Bid {
            origin: Origin {
                log: capability.record.origin.log,
                index: beacon.record.origin.index + 2,
            },
            beacon: beacon.digest(),
            capability: capability.digest(),
            match_ppm: match_ppm(
                &profile(&capability.record.tags, &capability.record.embedding),
                &profile(&beacon.record.tags, &beacon.record.embedding),
            ),
            load_ppm: 0,
            queue: 0,
            price_microunits: 0,
            coordinator: *beacon.statement.author(),
            nonce_commitment: None,
        };
        sign(&executor.secret, &bid)
    }

    /// Nobody answers: all that is open ends by its deadlines.
    fn settle(&mut self) {
        let mut spent = Duration::ZERO;
        while self.peer.state().open_steps().next().is_some() {
            self.now_ms += 31_000;
            self.handle(Event::Tick, &mut spent);
        }
    }
}

pub(crate) fn rows(table: &mut Table) {
    let mut coordinator = Coordinator::new();
    let mut times: Vec<(Duration, Duration)> =
        (0..TASKS).map(|number| coordinator.task(number)).collect();
    let mut median = |of: fn(&(Duration, Duration)) -> Duration| {
        times.sort_by_key(of);
        of(&times[times.len() / 2]).as_secs_f64() * 1e3
    };
    let (asking, whole) = (median(|time| time.0), median(|time| time.1));
    table.row(
        "10,000 capabilities: whom to ask, ranked, with the beacon signed and logged",
        asking,
        "ms",
        Required::Nothing,
    );
    table.row(
        "the same to the end: 10 bids logged, screened, 3 of 5 picked and assigned",
        whole,
        "ms",
        Required::AtMost(10.0),
    );
}
