//! A coordinator and some executors whose messages arrive at once.

use std::collections::VecDeque;

use symphony_coordination::{
    Completion, Effect, Event, Execution, ExecutionOutcome, OpenBids, Output, Peer, PeerConfig,
    PlanRequest, Profile, StepRequest, TaskEvent, TaskRequest, TaskSettings,
};
use symphony_protocol::{
    Fault,
    records::{AnswerForm, Body, Device, Entry, Genesis, Params, Policy, TaskKey},
    replay::Replay,
};
use symphony_transparency::{
    Digest, PeerSecrets, PublicKey, SecretKey, UnverifiedStatement, VerifiedStatement,
};

const START_MS: u64 = 1_000_000;

/// What a peer's model does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Model {
    /// Gives this text.
    Says(&'static str),
    /// Gives the first text to planners' prompts and the second to others.
    Plans(&'static str, &'static str),
    /// Gives the first text where text is asked for, as by the steps of a chain, and the second otherwise.
    Steps(&'static str, &'static str),
    Fails,
    Abstains,
    /// Never ends.
    Hangs,
}

/// A task's settings for one executor of three candidates.
pub(crate) fn settings() -> TaskSettings {
    TaskSettings {
        executors: 1,
        shortlist: 3,
        asked: 3,
        bid_window_ms: 200,
        execute_ms: 400,
        reveal_ms: 200,
        ..TaskSettings::default()
    }
}

/// A step that asks for an integer.
pub(crate) fn step(text: &str) -> StepRequest {
    StepRequest {
        text: text.to_owned(),
        tags: vec!["sums".to_owned()],
        form: AnswerForm::Integer,
    }
}

/// A task of one plan.
pub(crate) fn task(steps: &[&str], settings: TaskSettings) -> TaskRequest {
    TaskRequest {
        plans: vec![PlanRequest {
            steps: steps.iter().map(|text| step(text)).collect(),
        }],
        settings,
        gold: None,
    }
}

/// The coordinator is peer 0, and offers nothing.
pub(crate) struct World {
    pub(crate) peers: Vec<Peer>,
    models: Vec<Model>,
    pub(crate) now_ms: u64,
    queue: VecDeque<(usize, Event)>,
    tokens: Vec<usize>,
    requests: u64,
    keys: u8,
    /// What the clients of the coordinator are told.
    pub(crate) told: Vec<TaskEvent>,
    /// The coordinator's log.
    pub(crate) log: Vec<Body>,
    /// Exact bytes of every peer's log.
    stored: Vec<Vec<Vec<u8>>>,
    /// Who may be found at fault.
    pub(crate) liars: Vec<PublicKey>,
    /// What was found of them.
    pub(crate) found: Vec<Fault>,
}

impl World {
    /// Peers with these skills and models, which know each other. Each runs one execution at a time, and none waits.
    pub(crate) fn new(peers: &[(&[&str], Model)]) -> Self {
        let mut world = Self {
            peers: Vec::new(),
            models: vec![Model::Hangs],
            now_ms: START_MS,
            queue: VecDeque::new(),
            tokens: Vec::new(),
            requests: 0,
            keys: 150,
            told: Vec::new(),
            log: Vec::new(),
            stored: Vec::new(),
            liars: Vec::new(),
            found: Vec::new(),
        };
        world.models.extend(peers.iter().map(|(_, model)| *model));
        let offers = std::iter::once(None).chain(peers.iter().map(|(tags, _)| Some(*tags)));
        let mut said = Vec::new();
        for (number, tags) in offers.enumerate() {
            let entry_0 = genesis(seed(number));
            let mut peer = peer(seed(number), std::slice::from_ref(&entry_0), tags);
            said.push(peer.start(START_MS).unwrap());
            world.peers.push(peer);
            world.stored.push(vec![entry_0]);
        }
        for number in 0..world.peers.len() {
            for other in 0..world.peers.len() {
                let event = Event::Reachable {
                    peer: world.peers[other].author(),
                    reachable: true,
                };
                world.queue.push_back((number, event));
            }
        }
        for (number, output) in said.into_iter().enumerate() {
            world.carry_out(number, output);
        }
        world.settle();
        world
    }

    /// Submits a task and lets everything happen that needs no time.
    pub(crate) fn submit(&mut self, task: TaskRequest) {
        self.submit_to(0, task);
    }

    /// The same, to another peer than the coordinator.
    pub(crate) fn submit_to(&mut self, number: usize, task: TaskRequest) {
        self.requests += 1;
        let key = u8::try_from(self.requests).unwrap();
        let event = Event::Submit {
            request: self.requests,
            task,
            key: TaskKey::from_bytes([key; 32]),
            planning_key: TaskKey::from_bytes([key + 100; 32]),
        };
        self.queue.push_back((number, event));
        self.settle();
    }

    /// The coordinator takes in what another peer measured, with a weight of one.
    pub(crate) fn take_in(&mut self, source: usize) -> Result<(), Fault> {
        let signed = {
            let peer = &mut self.peers[source];
            let checkpoint = peer.checkpoint();
            peer.sign_checkpoint(&checkpoint)
        };
        let importer = self.peers[0].author();
        let imports = replay(&self.stored[source], |_| ())
            .state_mut()
            .imports_for(&importer, &signed, 1_000_000, 8)
            .unwrap();
        let (output, taken) = self.peers[0].import(imports, self.now_ms).unwrap();
        self.carry_out(0, output);
        self.settle();
        taken
    }

    /// Something happens to the coordinator.
    pub(crate) fn happen(&mut self, event: Event) {
        self.queue.push_back((0, event));
        self.settle();
    }

    /// A peer hears a statement; what it does about it is told, and not carried out.
    pub(crate) fn hear(
        &mut self,
        number: usize,
        statement: VerifiedStatement,
        private: Vec<u8>,
    ) -> Output {
        let event = Event::Statement {
            statement,
            private,
            token: Some(self.token(0)),
        };
        let output = self.peers[number].handle(event, self.now_ms).unwrap();
        self.stored[number].extend(output.entries.iter().cloned());
        output
    }

    /// A peer forgets all but its log.
    pub(crate) fn restart(&mut self, number: usize, tags: &[&str]) {
        let mut peer = peer(seed(number), &self.stored[number], Some(tags));
        let output = peer.start(self.now_ms).unwrap();
        self.stored[number].extend(output.entries);
        self.peers[number] = peer;
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, time_ms: u64) {
        self.now_ms += time_ms;
        for number in 0..self.peers.len() {
            self.queue.push_back((number, Event::Tick));
        }
        self.settle();
    }

    /// What a peer's model does from now on.
    pub(crate) fn change(&mut self, number: usize, model: Model) {
        self.models[number] = model;
    }

    /// Names of the coordinator's entries, in order.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.log.iter().filter(|body| body.name() == name).count()
    }

    /// The answer and weight of the task that was decided last.
    pub(crate) fn decided(&self) -> Option<Option<&str>> {
        self.told.iter().rev().find_map(|event| match event {
            TaskEvent::Decided { answer, .. } => Some(answer.as_deref()),
            _ => None,
        })
    }

    /// Nothing is open, and nobody learned from nothing.
    pub(crate) fn assert_at_rest(&self) {
        let state = self.peers[0].state();
        assert_eq!(state.open_steps().count(), 0);
        assert_eq!(state.counters().tasks, state.counters().tasks_decided);
        assert_eq!(state.counters().void_settlements, 0);
    }

    fn settle(&mut self) {
        while let Some((number, event)) = self.queue.pop_front() {
            let output = self.peers[number].handle(event, self.now_ms).unwrap();
            self.carry_out(number, output);
        }
    }

    fn carry_out(&mut self, from: usize, output: Output) {
        self.stored[from].extend(output.entries.iter().cloned());
        if from == 0 {
            let network = params().network_id();
            let bodies = output
                .entries
                .iter()
                .map(|bytes| Entry::parse(bytes, Some(&network)).unwrap().body);
            self.log.extend(bodies);
        }
        for effect in output.effects {
            match effect {
                Effect::Publish { statement } | Effect::Announce { statement, .. } => {
                    for to in (0..self.peers.len()).filter(|to| *to != from) {
                        self.send(from, to, &statement, Vec::new());
                    }
                }
                Effect::Send {
                    to,
                    statement,
                    private,
                } => {
                    let to = self.number_of(&to);
                    self.send(from, to, &statement, private);
                }
                Effect::AskReveal { to, assignment } => {
                    let to = self.number_of(&to);
                    let token = self.token(from);
                    let event = Event::RevealAsked { assignment, token };
                    self.queue.push_back((to, event));
                }
                Effect::Acknowledge { token, statement } if !statement.is_empty() => {
                    let to = self.tokens[usize::try_from(token).unwrap()];
                    self.send(from, to, &statement, Vec::new());
                }
                Effect::Execute {
                    assignment, form, ..
                } => self.execute(from, assignment, form),
                Effect::Report { event, .. } => self.told.push(event),
                Effect::Found(fault) => {
                    let is_liar = self.liars.contains(&fault.peer);
                    assert!(is_liar, "an honest peer is found at fault: {fault}");
                    self.found.push(fault);
                }
                Effect::Acknowledge { .. } | Effect::Refuse { .. } => {}
            }
        }
    }

    fn execute(&mut self, number: usize, assignment: Digest, form: AnswerForm) {
        let text = match (self.models[number], form) {
            (Model::Hangs, _) => return,
            (Model::Fails, _) => Err(ExecutionOutcome::Failed),
            (Model::Abstains, _) => Err(ExecutionOutcome::Abstained),
            (Model::Says(text), _)
            | (Model::Steps(text, _), AnswerForm::Text)
            | (Model::Steps(_, text), _)
            | (Model::Plans(text, _), AnswerForm::Plan)
            | (Model::Plans(_, text), _) => Ok(text),
        };
        let completed = |text: &str| {
            ExecutionOutcome::Completed(Completion {
                text: text.to_owned(),
                prompt_tokens: 1,
                output_tokens: 1,
                confidence_ppm: 500_000,
            })
        };
        let event = Event::Executed {
            assignment,
            execution: Execution {
                model: Digest::ZERO,
                device: Device::Cpu,
                temperature_ppm: 0,
                output_tokens_max: 1,
                duration_ms: 1,
                outcome: text.map_or_else(|outcome| outcome, completed),
            },
            salt: [7; 32],
            key: self.fresh_key(),
        };
        self.queue.push_back((number, event));
    }

    fn send(&mut self, from: usize, to: usize, statement: &[u8], private: Vec<u8>) {
        let statement = UnverifiedStatement::parse(statement)
            .unwrap()
            .verify(&params().network_id())
            .unwrap();
        let event = Event::Statement {
            statement,
            private,
            token: Some(self.token(from)),
        };
        self.queue.push_back((to, event));
    }

    fn fresh_key(&mut self) -> TaskKey {
        self.keys += 1;
        TaskKey::from_bytes([self.keys; 32])
    }

    fn token(&mut self, from: usize) -> u64 {
        self.tokens.push(from);
        u64::try_from(self.tokens.len() - 1).unwrap()
    }

    fn number_of(&self, key: &PublicKey) -> usize {
        let found = self.peers.iter().position(|peer| peer.author() == *key);
        found.unwrap()
    }
}

pub(crate) fn params() -> Params {
    Params::standard("flow", 0).unwrap()
}

fn seed(number: usize) -> u8 {
    u8::try_from(number).unwrap() + 1
}

/// The key with which a peer signs.
pub(crate) fn secret(number: usize) -> SecretKey {
    key(seed(number), 0)
}

fn key(seed: u8, offset: u8) -> SecretKey {
    SecretKey::from_bytes([seed + offset; 32])
}

fn genesis(seed: u8) -> Vec<u8> {
    let secrets = PeerSecrets {
        log: key(seed, 0),
        transport: key(seed, 50),
        witness: key(seed, 100),
    };
    Genesis::bind(&secrets, params())
        .search_stamp(START_MS, 1)
        .unwrap()
}

/// A peer that has this log, and is yet to be started.
fn peer(seed: u8, log: &[Vec<u8>], tags: Option<&[&str]>) -> Peer {
    let config = PeerConfig {
        profile: tags.map(|tags| Profile {
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            description: tags.join(" "),
            models: Vec::new(),
            price_microunits: 0,
            parallel_max: 1,
        }),
        policy: Policy::shared(),
        capability_ms: 1_000_000,
        queue_max: 0,
        tasks_max: 8,
    };
    let mut bids = OpenBids::default();
    let replay = replay(log, |entry| bids.note(entry));
    Peer::new(key(seed, 0), replay, config).with_bids(bids)
}

/// Replays a log, and shows each entry but the first.
fn replay(log: &[Vec<u8>], mut each: impl FnMut(&Entry)) -> Replay {
    let mut replay = Replay::begin(&log[0], None).unwrap();
    for bytes in &log[1..] {
        let (entry, _) = replay.push(bytes).unwrap();
        each(&entry);
    }
    replay
}
