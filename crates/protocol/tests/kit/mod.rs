//! Builds logs by hand: a coordinator and executors, one entry at a time, so that a test can stop anywhere and do something
//! else than the rules say.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "a kit of tests: each uses a part of it"
)]

pub(crate) mod measures;

use symphony_protocol::{
    Fault,
    chance::{nonce_commitment, secret_commitment},
    embedding::Embedding,
    evidence::{Conviction, Evidence},
    matching::{Profile, match_ppm},
    records::{
        Acknowledgement, AnswerCheck, AnswerForm, Assignment, Beacon, Bid, Body, Call, Capability,
        CheckerVerdict, Device, Entry, Genesis, Issued, Opening, Origin, Params, Policy, Reach,
        Receipt, Received, ResultClass, Reveal, StatementRecord, TaskKey, TaskOpened,
        ballot_commitment,
    },
    replay::Replay,
    state::{Applied, Duty},
};
use symphony_transparency::{
    Checkpoint, Digest, MerkleTree, PeerSecrets, PublicKey, SecretKey, entry_digest, sign_statement,
};

/// When logs of tests begin, in milliseconds since 1970.
pub(crate) const START_MS: u64 = 1_000_000;
/// Bid window, in milliseconds.
pub(crate) const WINDOW_MS: u64 = 500;
/// Time for an execution, in milliseconds.
pub(crate) const EXECUTE_MS: u32 = 1_000;
/// Time for reveals, in milliseconds.
pub(crate) const REVEAL_MS: u32 = 300;

/// The secret that coordinators of these tests commit to.
pub(crate) const SECRET: [u8; 32] = [42; 32];

/// The nonce that an executor of these tests commits to.
pub(crate) fn nonce(executor: usize) -> [u8; 32] {
    [100 + u8::try_from(executor).unwrap(); 32]
}

/// The parameters of test networks.
/// The papers' weights, by which load and latency are seen in a ranking too.
pub(crate) fn params() -> Params {
    [
        ("screening_similarity_ppm", 500_000),
        ("screening_prior_ppm", 350_000),
        ("screening_stability_ppm", 150_000),
        ("reputation_weight_ppm", 100_000),
    ]
    .into_iter()
    .try_fold(
        Params::standard("test", 0).expect("standard parameters hold"),
        |params, (name, value)| params.with(name, value),
    )
    .expect("weights within their ranges")
}

/// A peer and its log, on which every entry is applied as it is made.
pub(crate) struct Author {
    pub(crate) secret: SecretKey,
    pub(crate) replay: Replay,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) time_ms: u64,
}

impl Author {
    pub(crate) fn new(seed: u8) -> Self {
        let secrets = PeerSecrets {
            log: SecretKey::from_bytes([seed; 32]),
            transport: SecretKey::from_bytes([seed ^ 0x55; 32]),
            witness: SecretKey::from_bytes([seed ^ 0xaa; 32]),
        };
        let entry_0 = Genesis::bind(&secrets, params())
            .search_stamp(START_MS, 1)
            .expect("difficulty 0");
        Self {
            replay: Replay::begin(&entry_0, None).expect("a genesis"),
            secret: secrets.log,
            entries: vec![entry_0],
            time_ms: START_MS,
        }
    }

    /// The author of these tests with this key, at the beginning of its log.
    pub(crate) fn of(key: &PublicKey) -> Self {
        (1..=20)
            .map(Self::new)
            .find(|author| author.key() == *key)
            .expect("an author of these tests")
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.secret.public()
    }

    pub(crate) fn size(&self) -> u64 {
        self.replay.size()
    }

    /// Where the next entry stands.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            log: self.replay.state().log(),
            index: self.replay.size(),
        }
    }

    /// The next entry: at the clock's time, or at that of the entry before if it is a duty.
    pub(crate) fn entry(&self, body: Body) -> Entry {
        let state = self.replay.state();
        Entry {
            index: self.replay.size(),
            previous: self.replay.end().last,
            time_ms: if state.duty().is_some() {
                state.time_ms()
            } else {
                self.time_ms.max(state.time_ms())
            },
            body,
        }
    }

    /// Appends exact bytes, and the state root where that makes it due.
    pub(crate) fn push_bytes(&mut self, bytes: Vec<u8>) -> Result<Applied, Fault> {
        let (_, applied) = self.replay.push(&bytes)?;
        self.entries.push(bytes);
        if self.replay.state().duty() == Some(Duty::Record) {
            let body = self.decision();
            let bytes = self.entry(body).encode();
            self.push_bytes(bytes)?;
        }
        Ok(applied)
    }

    /// Appends an entry that the rules may refuse; then the log is as before.
    pub(crate) fn try_push(&mut self, body: Body) -> Result<Applied, Fault> {
        let bytes = self.entry(body).encode();
        let before = self.replay.state_mut().root();
        let result = self.push_bytes(bytes.clone());
        match &result {
            Err(fault) => {
                assert_eq!(
                    self.replay.state_mut().root(),
                    before,
                    "a fault leaves the state as it was"
                );
                let entries = [self.entries.as_slice(), &[bytes]].concat();
                convicts(&self.prove(&entries, fault), fault);
            }
            Ok(applied) => {
                for finding in &applied.findings {
                    convicts(&self.prove(&self.entries, finding), finding);
                }
            }
        }
        result
    }

    /// A checkpoint that the author signs over these entries, whatever they are.
    pub(crate) fn checkpoint(&self, entries: &[Vec<u8>], state_root: Digest) -> String {
        let mut tree = MerkleTree::new();
        for entry in entries {
            tree.append(entry);
        }
        Checkpoint {
            network: self.replay.state().network(),
            log: self.replay.state().log(),
            size: tree.size(),
            root: tree.root(),
            state_root,
        }
        .sign(&self.secret)
        .text()
    }

    /// Evidence of a fault in these entries.
    pub(crate) fn prove(&self, entries: &[Vec<u8>], fault: &Fault) -> Evidence {
        let note = self.checkpoint(entries, Digest::ZERO);
        Evidence::prove(entries, &note, &[], fault)
            .unwrap_or_else(|error| panic!("no evidence of {fault}: {error}"))
    }

    /// Appends an entry that the rules allow and that shows nobody's fault; returns its index.
    pub(crate) fn push(&mut self, body: Body) -> u64 {
        let index = self.replay.size();
        let name = body.name();
        let applied = self
            .try_push(body)
            .unwrap_or_else(|fault| panic!("{name} refused: {fault}"));
        assert_eq!(applied.findings, [], "{name} shows nobody's fault");
        index
    }

    /// Signs a record, wherever it stands.
    pub(crate) fn sign<R: StatementRecord>(&self, record: &R) -> Received<R> {
        let statement = sign_statement(
            &self.secret,
            &params().network_id(),
            R::KIND,
            record.write(),
        );
        Received::from_statement(statement).expect("an own record")
    }

    /// Appends an own statement, and returns it as others receive it.
    pub(crate) fn issue<R: StatementRecord>(
        &mut self,
        record: R,
        body: impl FnOnce(Issued<R>) -> Body,
    ) -> Received<R> {
        let received = self.sign(&record);
        self.push(body(Issued::new(record)));
        received
    }

    /// What the duty asks for.
    pub(crate) fn decision(&mut self) -> Body {
        let duty = self.replay.state().duty().expect("a duty");
        self.replay
            .state_mut()
            .decide(duty)
            .expect("a duty that can be decided")
    }

    /// Appends what the duty asks for, and returns its index.
    pub(crate) fn decide(&mut self) -> u64 {
        let body = self.decision();
        self.push(body)
    }

    /// The entries' bytes, with the entry at `index` changed and every later one chained to it anew.
    pub(crate) fn rechained(&self, index: usize, change: impl FnOnce(&mut Entry)) -> Vec<Vec<u8>> {
        let network = params().network_id();
        let mut entries = self.entries.clone();
        let mut entry = Entry::parse(&entries[index], Some(&network)).unwrap();
        change(&mut entry);
        entries[index] = entry.encode();
        for next in index + 1..entries.len() {
            let mut entry = Entry::parse(&entries[next], Some(&network)).unwrap();
            entry.previous = entry_digest(&entries[next - 1]);
            entries[next] = entry.encode();
        }
        entries
    }
}

/// What evidence of an ordinary network may weigh, in bytes.
pub(crate) const ORDINARY_SIZE_MAX: usize = 16 * 1024;

/// Asserts that evidence, read from its bytes, convicts of this fault. Returns what it proves.
#[track_caller]
pub(crate) fn convicts(evidence: &Evidence, fault: &Fault) -> Conviction {
    let conviction = Evidence::parse(evidence.bytes())
        .expect("evidence is readable")
        .verify()
        .unwrap_or_else(|error| panic!("{fault} is not proved: {error}"));
    assert_eq!(conviction.fault.peer, fault.peer, "{fault}");
    assert_eq!(conviction.fault.rule, fault.rule, "{fault}");
    assert!(
        conviction.size <= ORDINARY_SIZE_MAX,
        "{} bytes of evidence of {fault}",
        conviction.size
    );
    conviction
}

/// Replays a log from its bytes.
pub(crate) fn replay(entries: &[Vec<u8>]) -> Result<Replay, Fault> {
    let mut replay = Replay::begin(&entries[0], None).expect("a genesis");
    for bytes in &entries[1..] {
        replay.push(bytes)?;
    }
    Ok(replay)
}

/// A capability for boolean questions, valid for a long time.
pub(crate) fn capability(origin: Origin, sequence: u64) -> Capability {
    Capability {
        origin,
        sequence,
        tags: vec!["boolean".to_owned()],
        embedding: Embedding::of_text("boolean"),
        models: Vec::new(),
        price_microunits: 0,
        parallel_max: 1,
        valid_from_ms: 0,
        valid_until_ms: START_MS * 1_000,
    }
}

/// An acknowledgement by `author` that a statement stands at an index of its log.
pub(crate) fn acknowledge(
    author: &Author,
    index: u64,
    statement: Digest,
) -> Received<Acknowledgement> {
    let mut origin = author.origin();
    origin.index = index;
    author.sign(&Acknowledgement { origin, statement })
}

/// An assignment, and which executor it is for.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) executor: usize,
    pub(crate) slot: u32,
    pub(crate) statement: Received<Assignment>,
}

/// One coordinator, some executors, one task at a time.
pub(crate) struct World {
    pub(crate) coordinator: Author,
    pub(crate) executors: Vec<Author>,
    pub(crate) capabilities: Vec<Received<Capability>>,
    pub(crate) key: TaskKey,
    pub(crate) task: u64,
    pub(crate) beacon: Option<Received<Beacon>>,
    pub(crate) bids: Vec<Received<Bid>>,
    pub(crate) orders: Vec<Order>,
    pub(crate) shortlist: u32,
    pub(crate) picked: u32,
}

impl World {
    /// A coordinator under a policy, and executors whose capabilities it knows.
    pub(crate) fn new(executors: u8, policy: Policy) -> Self {
        Self::of(1, executors, policy)
    }

    /// The same under the coordinator of this seed: logs of the same executors begin anew in each world.
    pub(crate) fn of(seed: u8, executors: u8, policy: Policy) -> Self {
        let mut coordinator = Author::new(seed);
        coordinator.push(Body::PolicySet(
            policy,
            symphony_protocol::records::Learning::Anew,
        ));
        let mut executors: Vec<Author> = (0..executors)
            .map(|number| Author::new(10 + number))
            .collect();
        let capabilities: Vec<Received<Capability>> = executors
            .iter_mut()
            .map(|executor| {
                let record = capability(executor.origin(), 1);
                executor.issue(record, Body::CapabilityIssued)
            })
            .collect();
        for received in &capabilities {
            coordinator.push(Body::CapabilityReceived(received.clone()));
        }
        Self {
            coordinator,
            executors,
            capabilities,
            key: TaskKey::from_bytes([9; 32]),
            task: 0,
            beacon: None,
            bids: Vec::new(),
            orders: Vec::new(),
            shortlist: 3,
            picked: 2,
        }
    }

    /// Four executors under `shared`.
    pub(crate) fn standard() -> Self {
        Self::new(4, Policy::shared())
    }

    /// Lets time pass for everybody.
    pub(crate) fn pass(&mut self, ms: u64) {
        let time_ms = self.coordinator.time_ms + ms;
        self.coordinator.time_ms = time_ms;
        for executor in &mut self.executors {
            executor.time_ms = time_ms;
        }
    }

    /// Opens a task of one plan with so many steps.
    pub(crate) fn open(&mut self, steps: u32) -> &mut Self {
        self.task = self.coordinator.push(Body::TaskOpened(TaskOpened {
            key_commitment: self.key.commitment(),
            plan_steps: vec![steps],
        }));
        self
    }

    /// A beacon that keeps to every term and asks all executors.
    pub(crate) fn beacon_record(&self, step: u32) -> Beacon {
        let mut asked: Vec<PublicKey> = self.executors.iter().map(Author::key).collect();
        asked.sort_unstable();
        Beacon {
            origin: self.coordinator.origin(),
            task: self.task,
            plan: 0,
            step,
            tags: vec!["boolean".to_owned()],
            embedding: Embedding::of_text("boolean"),
            form: AnswerForm::Boolean,
            close_bids: u32::try_from(asked.len()).unwrap(),
            close_deadline_ms: self.coordinator.time_ms + WINDOW_MS,
            execute_ms: EXECUTE_MS,
            reveal_ms: REVEAL_MS,
            reach: Reach::Directed,
            hop_limit: 0,
            hop_anchor: None,
            asked,
            shortlist: self.shortlist,
            executors: self.picked,
            policy: self
                .coordinator
                .replay
                .state()
                .learner()
                .expect("a policy")
                .digest,
            own_bid: None,
            secret_commitment: self
                .draws()
                .then(|| self.coordinator.origin())
                .map(|place| secret_commitment(&place.log, place.index, &SECRET)),
        }
    }

    /// Announces the next step.
    pub(crate) fn announce(&mut self, step: u32) -> &mut Self {
        let record = self.beacon_record(step);
        self.announce_record(record)
    }

    /// Announces with this beacon.
    pub(crate) fn announce_record(&mut self, record: Beacon) -> &mut Self {
        self.beacon = Some(self.coordinator.issue(record, Body::BeaconIssued));
        self.bids.clear();
        self.orders.clear();
        self
    }

    pub(crate) fn beacon(&self) -> &Received<Beacon> {
        self.beacon.as_ref().expect("an announced step")
    }

    /// Index of the beacon's entry.
    pub(crate) fn beacon_index(&self) -> u64 {
        self.beacon().record.origin.index
    }

    /// A bid of this executor that keeps to every rule.
    pub(crate) fn bid_record(&self, executor: usize) -> Bid {
        let beacon = self.beacon();
        let capability = &self.capabilities[executor];
        Bid {
            origin: self.executors[executor].origin(),
            beacon: beacon.digest(),
            capability: capability.digest(),
            match_ppm: match_ppm(
                &Profile {
                    tags: &capability.record.tags,
                    embedding: &capability.record.embedding,
                },
                &Profile {
                    tags: &beacon.record.tags,
                    embedding: &beacon.record.embedding,
                },
            ),
            load_ppm: 0,
            queue: 0,
            price_microunits: 0,
            coordinator: self.coordinator.key(),
            nonce_commitment: beacon.record.secret_commitment.map(|_| {
                nonce_commitment(
                    &beacon.digest(),
                    &self.executors[executor].key(),
                    &nonce(executor),
                )
            }),
        }
    }

    /// The executor bids in its own log.
    pub(crate) fn bid(&mut self, executor: usize) -> Received<Bid> {
        let (record, beacon) = (self.bid_record(executor), self.beacon().clone());
        self.executors[executor].issue(record, |issued| Body::BidIssued(issued, beacon))
    }

    /// The coordinator takes the bid.
    pub(crate) fn take_bid(&mut self, executor: usize) -> &mut Self {
        let bid = self.bid(executor);
        self.bids.push(bid.clone());
        self.coordinator.push(Body::BidReceived(bid));
        self
    }

    /// Everybody bids: then the close is due.
    pub(crate) fn take_bids(&mut self) -> &mut Self {
        for executor in 0..self.executors.len() {
            self.take_bid(executor);
        }
        self
    }

    pub(crate) fn close(&mut self) -> &mut Self {
        assert!(matches!(
            self.coordinator.replay.state().duty(),
            Some(Duty::Close(_))
        ));
        self.coordinator.decide();
        self
    }

    /// Whether the policy in force uses chance.
    pub(crate) fn draws(&self) -> bool {
        let learner = self.coordinator.replay.state().learner();
        learner.is_some_and(|learner| learner.policy.parameters.kind.uses_chance())
    }

    /// The call that is due.
    pub(crate) fn call_record(&self) -> Call {
        Call {
            origin: self.coordinator.origin(),
            beacon: self.beacon().digest(),
            close: self.coordinator.replay.end().last,
        }
    }

    /// The coordinator calls for openings.
    pub(crate) fn call(&mut self) -> Received<Call> {
        let record = self.call_record();
        self.coordinator.issue(record, Body::CallIssued)
    }

    pub(crate) fn opening_record(&self, executor: usize) -> Opening {
        Opening {
            origin: self.executors[executor].origin(),
            beacon: self.beacon().digest(),
            coordinator: self.coordinator.key(),
            nonce: nonce(executor),
        }
    }

    /// The executor opens its nonce in its own log.
    pub(crate) fn opening(&mut self, executor: usize, call: &Received<Call>) -> Received<Opening> {
        let (record, call) = (self.opening_record(executor), call.clone());
        self.executors[executor].issue(record, |issued| Body::OpeningIssued(issued, call))
    }

    /// The executors whose openings are called for, in the order of their bids.
    pub(crate) fn called(&self) -> Vec<usize> {
        let state = self.coordinator.replay.state();
        let step = state.step(self.beacon_index()).expect("an open step");
        step.ranked()
            .filter(|bid| !bid.opened())
            .filter_map(|bid| {
                self.executors
                    .iter()
                    .position(|executor| executor.key() == bid.peer)
            })
            .collect()
    }

    /// Everybody in the ranking opens its nonce: then the draw is due.
    pub(crate) fn take_openings(&mut self) -> &mut Self {
        let call = self.call();
        for executor in self.called() {
            let opening = self.opening(executor, &call);
            self.coordinator.push(Body::OpeningReceived(opening));
        }
        self
    }

    /// The draw that is due.
    pub(crate) fn draw_body(&mut self) -> Body {
        let beacon = self.beacon_index();
        self.coordinator
            .replay
            .state_mut()
            .decide_draw(beacon, &SECRET)
            .expect("an open step")
    }

    /// The coordinator draws.
    pub(crate) fn draw(&mut self) -> &mut Self {
        let body = self.draw_body();
        self.coordinator.push(body);
        self
    }

    /// The assignment that is due.
    pub(crate) fn assignment_record(&self) -> Assignment {
        let state = self.coordinator.replay.state();
        let Some(Duty::Assign(beacon, slot)) = state.duty() else {
            panic!("no assignment is due");
        };
        let step = state.step(beacon).unwrap();
        Assignment {
            origin: self.coordinator.origin(),
            beacon: step.statement,
            slot,
            executor: step.selections[slot as usize].executor,
            prompt: self.key.prompt("not True"),
            key_commitment: self.key.commitment(),
            execute_ms: EXECUTE_MS,
            reveal_ms: REVEAL_MS,
        }
    }

    /// Assigns whatever is to be assigned.
    pub(crate) fn assign(&mut self) -> &mut Self {
        while let Some(Duty::Assign(_, slot)) = self.coordinator.replay.state().duty() {
            let record = self.assignment_record();
            let executor = self
                .executors
                .iter()
                .position(|executor| executor.key() == record.executor)
                .expect("an executor of this world");
            let statement = self.coordinator.issue(record, Body::AssignmentIssued);
            self.orders.push(Order {
                executor,
                slot,
                statement,
            });
        }
        self
    }

    /// Task, beacon, bids, close and assignments.
    pub(crate) fn until_assigned(&mut self) -> &mut Self {
        self.open(1).announce(0).take_bids().close();
        if self.draws() {
            self.take_openings().draw();
        }
        self.assign()
    }

    /// A receipt of an order for this answer, which stands at the executor's next entry.
    pub(crate) fn receipt_record(&self, order: &Order, answer: &str) -> Receipt {
        let executor = &self.executors[order.executor];
        Receipt {
            origin: executor.origin(),
            assignment: order.statement.digest(),
            model: Digest::ZERO,
            device: Device::Cpu,
            temperature_ppm: 0,
            output_tokens_max: 16,
            output: self.key.output(answer),
            prompt_tokens: 3,
            output_tokens: 2,
            duration_ms: 5,
            class: ResultClass::Answered,
            ballot: ballot_commitment(
                &order.statement.digest(),
                &executor.key(),
                &self.key.answer(answer),
                800_000,
                &[7; 32],
            ),
        }
    }

    /// The executor takes the order and answers.
    pub(crate) fn receipt(&mut self, order: &Order, answer: &str) -> Received<Receipt> {
        self.executors[order.executor].push(Body::AssignmentReceived(order.statement.clone()));
        let record = self.receipt_record(order, answer);
        self.executors[order.executor].issue(record, Body::ReceiptIssued)
    }

    /// Every order that is not answered yet is answered, and the coordinator takes the receipts.
    pub(crate) fn take_receipts(&mut self, answer: &str) -> &mut Self {
        for order in self.orders.clone() {
            let receipt = self.receipt(&order, answer);
            self.coordinator.push(Body::ReceiptReceived(receipt));
        }
        self
    }

    pub(crate) fn reveal_record(&self, order: &Order, answer: &str) -> Reveal {
        Reveal {
            origin: self.executors[order.executor].origin(),
            assignment: order.statement.digest(),
            answer: self.key.answer(answer),
            confidence_ppm: 800_000,
            salt: [7; 32],
        }
    }

    /// The executor opens its ballot in its own log.
    pub(crate) fn reveal(&mut self, order: &Order, answer: &str) -> Received<Reveal> {
        let record = self.reveal_record(order, answer);
        self.executors[order.executor].issue(record, Body::RevealIssued)
    }

    /// The coordinator takes a reveal whose text parses.
    pub(crate) fn take_reveal(&mut self, order: &Order, answer: &str) -> &mut Self {
        let reveal = self.reveal(order, answer);
        self.coordinator.push(Body::RevealReceived(
            reveal,
            AnswerCheck::Parses,
            CheckerVerdict::Unchecked,
        ));
        self
    }

    /// Everybody reveals: then the settlement is due.
    pub(crate) fn take_reveals(&mut self, answer: &str) -> &mut Self {
        for order in self.orders.clone() {
            self.take_reveal(&order, answer);
        }
        self
    }

    /// Until the settlement is due, all executors agreeing after 50 ms.
    pub(crate) fn until_voted(&mut self) -> &mut Self {
        self.until_assigned();
        self.pass(50);
        self.take_receipts("True").take_reveals("True")
    }

    /// A whole task: settled and decided.
    pub(crate) fn whole_task(&mut self) -> &mut Self {
        self.until_voted();
        self.coordinator.decide();
        self.coordinator.decide();
        self
    }
}

/// Asserts what a fault says.
#[track_caller]
pub(crate) fn assert_fault(
    fault: &Fault,
    rule: symphony_protocol::Rule,
    peer: PublicKey,
    entry: u64,
    expected: &str,
    found: &str,
) {
    assert_eq!(fault.rule, rule, "{fault}");
    assert_eq!(fault.peer, peer, "{fault}");
    assert_eq!(fault.entry, entry, "{fault}");
    assert!(
        fault.expected.contains(expected),
        "expected {expected:?} in {:?}",
        fault.expected
    );
    assert!(
        fault.found.contains(found),
        "expected {found:?} in {:?}",
        fault.found
    );
}
