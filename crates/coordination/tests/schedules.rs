//! Any schedule of events gives a sound log: messages lost, doubled, out of order or at the wrong peer, clocks that jump, crashes
//! anywhere, answers of every kind. Spec: REPLAY-1, LOG-3.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use symphony_coordination::{
    Chaining, Completion, Effect, Event, Execution, ExecutionOutcome, OpenBids, Output, Peer,
    PeerConfig, PlanRequest, Profile, StepRequest, TaskRequest, TaskSettings,
};
use symphony_protocol::{
    cross_check::CrossCheck,
    records::{AnswerForm, AssignmentPrivate, Device, Genesis, Params, Policy, Reach, TaskKey},
    replay::Replay,
};
use symphony_transparency::{Digest, PeerSecrets, PublicKey, SecretKey, UnverifiedStatement};

const PEERS: usize = 4;
const START_MS: u64 = 1_000_000;

fn params() -> Params {
    Params::standard("schedules", 0).unwrap()
}

/// Something in flight.
#[derive(Clone)]
enum Flight {
    Statement(Vec<u8>, Vec<u8>),
    Ask(Digest),
    Execute(Digest, AnswerForm),
}

struct World {
    stored: Vec<Vec<Vec<u8>>>,
    peers: Vec<Peer>,
    clocks: Vec<u64>,
    flights: Vec<(usize, Flight)>,
    /// Outputs whose entries are not durable yet.
    waiting: Vec<Vec<Output>>,
    /// Who awaits the answer with this token.
    tokens: Vec<usize>,
    requests: u64,
    policy: Policy,
}

fn secret(number: usize) -> SecretKey {
    SecretKey::from_bytes([u8::try_from(number).unwrap() + 1; 32])
}

fn key(number: usize) -> PublicKey {
    secret(number).public()
}

fn number_of(wanted: &PublicKey) -> usize {
    (0..PEERS).find(|number| key(*number) == *wanted).unwrap()
}

impl World {
    fn new(policy: Policy) -> Self {
        let entry_0 = |number: usize| {
            let seed = u8::try_from(number).unwrap();
            let secrets = PeerSecrets {
                log: secret(number),
                transport: SecretKey::from_bytes([seed + 50; 32]),
                witness: SecretKey::from_bytes([seed + 100; 32]),
            };
            Genesis::bind(&secrets, params())
                .search_stamp(START_MS, 1)
                .unwrap()
        };
        let mut world = Self {
            stored: (0..PEERS).map(|number| vec![entry_0(number)]).collect(),
            peers: Vec::new(),
            clocks: vec![START_MS; PEERS],
            flights: Vec::new(),
            waiting: vec![Vec::new(); PEERS],
            tokens: Vec::new(),
            requests: 0,
            policy,
        };
        for number in 0..PEERS {
            let peer = world.boot(number);
            world.peers.push(peer);
        }
        for number in 0..PEERS {
            world.start(number);
            world.sync(number);
        }
        for (to, flight) in std::mem::take(&mut world.flights) {
            world.land(to, flight, 0);
        }
        world
    }

    fn boot(&self, number: usize) -> Peer {
        let stored = &self.stored[number];
        let mut replay = Replay::begin(&stored[0], None).unwrap();
        let mut bids = OpenBids::default();
        for bytes in &stored[1..] {
            let (entry, _) = replay.push(bytes).expect("the own log is sound");
            bids.note(&entry);
        }
        Peer::new(
            secret(number),
            replay,
            PeerConfig {
                profile: Some(Profile {
                    tags: ["boolean", "hand-over", "plan"].map(str::to_owned).to_vec(),
                    description: "boolean".to_owned(),
                    models: Vec::new(),
                    price_microunits: 0,
                    parallel_max: 2,
                }),
                policy: self.policy.clone(),
                capability_ms: 20_000,
                queue_max: 2,
                tasks_max: 3,
            },
        )
        .with_bids(bids)
    }

    fn start(&mut self, number: usize) {
        let output = self.peers[number]
            .start(self.clocks[number])
            .expect("starts");
        self.waiting[number].push(output);
        for other in (0..PEERS).filter(|other| *other != number) {
            let (peer, reachable) = (key(other), true);
            self.handle(number, Event::Reachable { peer, reachable });
        }
    }

    fn handle(&mut self, number: usize, event: Event) {
        let output = self.peers[number]
            .handle(event, self.clocks[number])
            .expect("own entries keep to the rules");
        self.waiting[number].push(output);
    }

    /// Everything that waits becomes durable, and its effects happen.
    fn sync(&mut self, number: usize) {
        for output in std::mem::take(&mut self.waiting[number]) {
            self.stored[number].extend(output.entries);
            for effect in output.effects {
                self.carry_out(number, effect);
            }
        }
    }

    fn carry_out(&mut self, from: usize, effect: Effect) {
        let (to, flight) = match effect {
            Effect::Publish { statement } | Effect::Announce { statement, .. } => {
                for to in (0..PEERS).filter(|to| *to != from) {
                    let flight = Flight::Statement(statement.clone(), Vec::new());
                    self.flights.push((to, flight));
                }
                return;
            }
            Effect::Send {
                to,
                statement,
                private,
            } => (number_of(&to), Flight::Statement(statement, private)),
            Effect::AskReveal { to, assignment } => (number_of(&to), Flight::Ask(assignment)),
            Effect::Acknowledge { token, statement } if !statement.is_empty() => {
                let to = self.tokens[usize::try_from(token).unwrap()];
                (to, Flight::Statement(statement, Vec::new()))
            }
            Effect::Execute {
                assignment, form, ..
            } => (from, Flight::Execute(assignment, form)),
            Effect::Found(fault) => panic!("an honest peer is found at fault: {fault}"),
            Effect::Acknowledge { .. } | Effect::Refuse { .. } | Effect::Report { .. } => return,
        };
        self.flights.push((to, flight));
    }

    fn land(&mut self, to: usize, flight: Flight, kind: u8) {
        let token = u64::try_from(self.tokens.len()).unwrap();
        let event = match flight {
            Flight::Statement(bytes, private) => {
                let statement = UnverifiedStatement::parse(&bytes)
                    .unwrap()
                    .verify(&params().network_id())
                    .unwrap();
                self.tokens.push(number_of(statement.author()));
                // Now and then what accompanies a statement is damaged on the way.
                let damaged = kind % 16 == 15;
                Event::Statement {
                    statement,
                    private: if damaged { vec![1, 2, 3] } else { private },
                    token: Some(token),
                }
            }
            Flight::Ask(assignment) => {
                self.tokens.push(to);
                Event::RevealAsked { assignment, token }
            }
            Flight::Execute(assignment, form) => Event::Executed {
                assignment,
                execution: execution(kind, form),
                salt: [kind; 32],
                key: TaskKey::from_bytes([kind ^ 0x55; 32]),
            },
        };
        self.handle(to, event);
    }

    fn submit(&mut self, number: usize, kind: u8) {
        self.requests += 1;
        let planners = if kind % 5 == 4 { 2 } else { 0 };
        let step = StepRequest {
            text: "not True".to_owned(),
            tags: vec!["boolean".to_owned()],
            form: AnswerForm::Boolean,
        };
        let steps = |count: usize| PlanRequest {
            steps: vec![step.clone(); count],
        };
        let task = TaskRequest {
            plans: match kind % 3 {
                _ if planners > 0 => vec![steps(1)],
                0 => vec![steps(1)],
                1 => vec![steps(2)],
                _ => vec![steps(1), steps(2)],
            },
            settings: TaskSettings {
                executors: 2,
                shortlist: 3,
                asked: 3,
                bid_window_ms: 200,
                execute_ms: 400,
                reveal_ms: 200,
                reach: if kind.is_multiple_of(2) {
                    Reach::Directed
                } else {
                    Reach::Gossip
                },
                hop_limit: 2,
                planners,
                chaining: if kind % 4 == 1 {
                    Chaining::HandedOver
                } else {
                    Chaining::Coordinated
                },
                task_ms: (kind % 7 == 6).then_some(u64::from(kind)),
            },
            gold: Some("True".to_owned()),
        };
        let event = Event::Submit {
            request: self.requests,
            task,
            key: TaskKey::from_bytes([kind; 32]),
            planning_key: TaskKey::from_bytes([!kind; 32]),
        };
        self.handle(number, event);
    }

    /// Loses the memory; of what waits, some entries are durable, and none of its effects happens.
    fn crash(&mut self, number: usize, survivors: u8) {
        let waiting = std::mem::take(&mut self.waiting[number]);
        let entries = waiting.into_iter().flat_map(|output| output.entries);
        self.stored[number].extend(entries.take(usize::from(survivors % 4)));
        self.flights
            .retain(|(to, flight)| *to != number || !matches!(flight, Flight::Execute(..)));
        self.peers[number] = self.boot(number);
        self.start(number);
    }

    fn act(&mut self, action: &Action) {
        let number = usize::from(action.peer) % PEERS;
        match action.what % 24 {
            0 => self.submit(number, action.value),
            1 => self.crash(number, action.value),
            2 => self.clocks[number] += u64::from(action.value),
            3 => {
                self.clocks[number] = self.clocks[number].saturating_sub(action.value.into());
            }
            4 => {
                for clock in &mut self.clocks {
                    *clock += u64::from(action.value);
                }
            }
            5 if action.value.is_multiple_of(2) => {
                let request = u64::from(action.value) % (self.requests + 1);
                self.handle(number, Event::Cancel { request });
            }
            5 => self.handle(number, Event::Tick),
            // At the wrong peer.
            6 => {
                if let Some((_, flight)) = self.flight(action.value) {
                    self.land(number, flight, action.value);
                }
            }
            // Lost.
            7 => drop(self.take_flight(action.value)),
            8 | 9 => self.sync(number),
            // Doubled.
            10 => {
                if let Some((to, flight)) = self.flight(action.value) {
                    self.land(to, flight, action.value.wrapping_mul(7));
                    self.sync(to);
                }
            }
            _ => {
                if let Some((to, flight)) = self.take_flight(action.value) {
                    self.land(to, flight, action.value.wrapping_mul(7));
                    self.sync(to);
                }
            }
        }
    }

    fn flight(&self, value: u8) -> Option<(usize, Flight)> {
        let at = usize::from(value).checked_rem(self.flights.len())?;
        self.flights.get(at).cloned()
    }

    fn take_flight(&mut self, value: u8) -> Option<(usize, Flight)> {
        let at = usize::from(value).checked_rem(self.flights.len())?;
        Some(self.flights.remove(at))
    }

    /// Lets every deadline pass; then nothing is open any more. Returns the kinds of entries of all logs.
    fn finish(&mut self) -> BTreeSet<&'static str> {
        let mut kinds = BTreeSet::new();
        for _ in 0..64 {
            for number in 0..PEERS {
                self.sync(number);
                let time_ms = self.peers[number].state().time_ms();
                self.clocks[number] = self.clocks[number].max(time_ms) + 1_000;
                self.handle(number, Event::Tick);
                self.sync(number);
            }
        }
        let mut check = CrossCheck::default();
        for number in 0..PEERS {
            let state = self.peers[number].state();
            assert_eq!(state.open_steps().count(), 0, "open steps of {number}");
            assert_eq!(state.duty(), None);
            let counters = state.counters();
            assert_eq!(counters.tasks, counters.tasks_decided, "tasks of {number}");
            let stored = &self.stored[number];
            let mut replay = Replay::begin(&stored[0], None).unwrap();
            for bytes in &stored[1..] {
                let (entry, applied) = replay.push(bytes).expect("an honest log is sound");
                assert_eq!(applied.findings, [], "nobody is at fault");
                kinds.insert(entry.body.name());
                check.add(&replay.state().log(), key(number), &entry);
            }
            let audited = replay.checkpoint();
            assert_eq!(audited, self.peers[number].checkpoint(), "peer {number}");
        }
        assert_eq!(check.faults(), []);
        kinds
    }
}

fn execution(kind: u8, form: AnswerForm) -> Execution {
    let text = match (kind % 8, form) {
        (2, _) => "nothing",
        (3, AnswerForm::Plan) => "{'steps': ['one', 'two', 'three',]}",
        (_, AnswerForm::Plan) => {
            "```{\"steps\": [{\"question\": \"one\", \"tags\": [\"boolean\"]}]}```"
        }
        (3, _) => "Answer: False",
        _ => "Answer: True",
    };
    Execution {
        model: Digest::ZERO,
        device: Device::Cpu,
        temperature_ppm: 0,
        output_tokens_max: 1,
        duration_ms: 1,
        outcome: match kind % 8 {
            0 => ExecutionOutcome::Failed,
            1 => ExecutionOutcome::Abstained,
            _ => ExecutionOutcome::Completed(Completion {
                text: text.to_owned(),
                prompt_tokens: 1,
                output_tokens: 1,
                confidence_ppm: u32::MAX,
            }),
        },
    }
}

#[derive(Clone, Debug)]
struct Action {
    what: u8,
    peer: u8,
    value: u8,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = (any::<u8>(), any::<u8>(), any::<u8>()).prop_map(|(what, peer, value)| Action {
        what,
        peer,
        value,
    });
    proptest::collection::vec(action, 1..250)
}

/// Policies that differ in when the model learns, and in whether chance picks.
fn policies() -> [Policy; 3] {
    [Policy::shared(), Policy::paper(), Policy::random_top()]
}

proptest! {
    /// Spec: REPLAY-10.
    #[test]
    fn replay_1_any_schedule_gives_sound_logs(actions in actions(), policy in 0..3_usize) {
        let mut world = World::new(policies()[policy].clone());
        world.submit(0, 0);
        world.sync(0);
        for action in &actions {
            world.act(action);
        }
        world.finish();
    }
}

#[test]
fn replay_1_schedules_reach_every_kind_of_entry() {
    let mut kinds = BTreeSet::new();
    let mut bits = 1_u64;
    for round in 0..60 {
        let mut world = World::new(policies()[round % 3].clone());
        for _ in 0..250 {
            // Knuth's multiplier: any spread of the three bytes will do.
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let [what, peer, value, ..] = bits.to_be_bytes();
            world.act(&Action { what, peer, value });
        }
        kinds.extend(world.finish());
    }
    let all = [
        "acknowledgement_received",
        "assignment_issued",
        "assignment_received",
        "beacon_issued",
        "bid_issued",
        "bid_received",
        "call_issued",
        "capability_issued",
        "capability_received",
        "close",
        "draw",
        "opening_issued",
        "opening_received",
        "policy_set",
        "receipt_issued",
        "receipt_received",
        "replacement",
        "resumed",
        "reveal_issued",
        "reveal_received",
        "root_recorded",
        "settlement",
        "task_decided",
        "task_opened",
        "timeout",
    ];
    // A peer never revokes its own capability, and entry 0 is not counted.
    assert_eq!(kinds, BTreeSet::from(all));
}

#[test]
fn exec_3_an_assignment_with_another_key_or_prompt_is_refused() {
    let mut world = World::new(Policy::shared());
    world.submit(0, 0);
    world.sync(0);
    let (to, bytes, private) = loop {
        let (to, flight) = world.take_flight(0).expect("the task goes on");
        match flight {
            Flight::Statement(bytes, private) if !private.is_empty() => break (to, bytes, private),
            other => world.land(to, other, 1),
        }
        world.sync(to);
    };
    let private = AssignmentPrivate::parse(&private).unwrap();
    let another_key = AssignmentPrivate {
        task_key: TaskKey::from_bytes([77; 32]),
        ..private.clone()
    };
    let another_prompt = AssignmentPrivate {
        prompt: "True".to_owned(),
        ..private.clone()
    };
    for (sent, taken) in [
        (another_key, false),
        (another_prompt, false),
        (private, true),
    ] {
        world.land(to, Flight::Statement(bytes.clone(), sent.encode()), 1);
        let output = world.waiting[to].pop().expect("an answer");
        assert_eq!(!output.entries.is_empty(), taken);
        let refused = output
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Refuse { .. }));
        assert_eq!(refused, !taken);
        let executes = output
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Execute { .. }));
        assert_eq!(executes, taken);
    }
}
