//! A real coordinator in front of the world: the same [`Peer`] that a node runs, its log, its state, its rules.
//!
//! The executors are the simulation's: they make the statements that an executor makes (capability, bid, receipt, reveal),
//! with loads, times and successes drawn by the world. Whatever decides is the coordinator's.

use std::collections::BTreeMap;

use symphony_coordination::{
    Effect, Event, Output, Peer, PeerConfig, PlanRequest, StepRequest, TaskRequest, TaskSettings,
};
use symphony_protocol::{
    chance::nonce_commitment,
    embedding::Embedding,
    matching::{Profile, match_ppm},
    records::{
        AnswerForm, Bid, Capability, Device, Genesis, Issued, MeasuresImported, Opening, Origin,
        PPM, Params, Policy, Receipt, ResultClass, Reveal, RevealPrivate, StatementRecord, TaskKey,
        ballot_commitment,
    },
    replay::Replay,
};
use symphony_transparency::{
    Digest, PeerSecrets, PublicKey, SecretKey, StatementKind, UnverifiedStatement,
    VerifiedStatement, sign_statement, statement_without_signature,
};

use super::{
    ExperimentError,
    profile::at_angles,
    world::{Agent, Call, Kind, World, millionths, whole_ms},
};
use crate::{
    peer::{STAMP_ATTEMPTS_MAX, START_MS},
    random::Random,
};

/// Validity of capabilities, in milliseconds: longer than any run.
const CAPABILITY_MS: u64 = 1 << 42;
/// Confidence of every ballot, in parts per million.
const CONFIDENCE_PPM: u32 = 500_000;
/// A published match `m` becomes the cosine `1.8·(m − ½)`, so that the similarity is `0.05 + 0.9·m`: all pairs of published
/// scores fit one embedding each, which with a factor of 2 they would not.
const COSINE_FACTOR: f64 = 1.8;
/// The answer of a success, and the text of a failure: no integer.
const RIGHT: &str = "1";
const WRONG: &str = "none";

/// Whether coordinator and executors sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Their statements carry no signature. Choices, states and roots are the same; only the bytes of the log are not those
    /// that a stranger would accept.
    Unsigned,
    /// They sign as peers do.
    Signed,
}

/// What becomes of a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The executor says that it failed: the step goes to the next candidate.
    Redispatched,
    /// The executor's answer does not parse: nobody takes its place.
    Final,
}

/// How a coordinator is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The policy.
    pub policy: Policy,
    /// The network's parameters.
    pub params: Params,
    /// P, L and K.
    pub settings: TaskSettings,
    /// What becomes of a failed call.
    pub failure: Failure,
    /// Whether they sign.
    pub signing: Signing,
}

/// A step whose executions ended.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Index of the beacon's entry.
    pub beacon: u64,
    /// Agents on the shortlist, best first.
    pub shortlist: Vec<usize>,
    /// The first that was picked.
    pub first: Option<usize>,
    /// The calls, in the order of their ends.
    pub calls: Vec<Call>,
    /// Milliseconds from the first assignment to the last receipt.
    pub latency_ms: u64,
    ballots: Vec<Ballot>,
}

#[derive(Clone, Copy, Debug)]
struct Ballot {
    agent: usize,
    assignment: Digest,
    answer: Digest,
    success: bool,
    key: [u8; 32],
}

struct Executor {
    secret: SecretKey,
    key: PublicKey,
    log: Digest,
    sequence: u64,
    capability: Digest,
    matched: [f64; 2],
    match_ppm: [u32; 2],
    price_microunits: u64,
}

struct Running {
    due_ms: u64,
    agent: usize,
    assignment: Digest,
    call: Call,
}

/// The coordinator.
pub struct Coordinator {
    peer: Peer,
    network: Digest,
    executors: Vec<Executor>,
    by_key: BTreeMap<PublicKey, usize>,
    setup: Setup,
    now_ms: u64,
    requests: u64,
    random: Random,
    /// Entries and their bytes so far.
    pub entries: u64,
    /// Bytes of the entries.
    pub bytes: u64,
    /// Messages that the coordinator sent and received about tasks.
    pub messages: u64,
    /// Bytes of them.
    pub message_bytes: u64,
    /// Exact bytes of every entry, if they are kept.
    pub log: Option<Vec<Vec<u8>>>,
}

impl Coordinator {
    /// A coordinator that knows these agents.
    ///
    /// # Errors
    /// [`ExperimentError`], if the setup is none that a peer can have.
    pub fn new(agents: &[Agent], setup: Setup, seed: u64) -> Result<Self, ExperimentError> {
        Self::begin(0, agents, setup, seed, None)
    }

    /// The same, and its log is kept.
    ///
    /// # Errors
    /// [`ExperimentError`], if the setup is none that a peer can have.
    pub fn with_log(agents: &[Agent], setup: Setup, seed: u64) -> Result<Self, ExperimentError> {
        Self::begin(0, agents, setup, seed, Some(Vec::new()))
    }

    /// The same with another key for each number: coordinators that hear of each other.
    ///
    /// # Errors
    /// As [`Coordinator::new`].
    pub fn of(
        number: u8,
        agents: &[Agent],
        setup: Setup,
        seed: u64,
    ) -> Result<Self, ExperimentError> {
        Self::begin(number, agents, setup, seed, None)
    }

    fn begin(
        number: u8,
        agents: &[Agent],
        setup: Setup,
        seed: u64,
        mut log: Option<Vec<Vec<u8>>>,
    ) -> Result<Self, ExperimentError> {
        let mut random = Random::new(seed);
        let secret = [0xc0 + 3 * (number % 16); 32];
        let secrets = PeerSecrets {
            log: SecretKey::from_bytes(secret),
            transport: SecretKey::from_bytes(secret.map(|byte| byte + 1)),
            witness: SecretKey::from_bytes(secret.map(|byte| byte + 2)),
        };
        let network = setup.params.network_id();
        let entry_0 = Genesis::bind(&secrets, setup.params.clone())
            .search_stamp(START_MS, STAMP_ATTEMPTS_MAX)
            .ok_or(ExperimentError::Stamp)?;
        let replay = Replay::begin(&entry_0, Some(&network))?;
        if let Some(log) = &mut log {
            log.push(entry_0.clone());
        }
        let config = PeerConfig {
            profile: None,
            policy: setup.policy.clone(),
            capability_ms: CAPABILITY_MS,
            queue_max: 0,
            tasks_max: u32::MAX,
        };
        let secret = SecretKey::from_bytes(secret);
        let peer = match setup.signing {
            Signing::Signed => Peer::new(secret, replay, config),
            #[expect(
                clippy::disallowed_methods,
                reason = "nobody but this simulation hears what it says"
            )]
            Signing::Unsigned => Peer::without_signatures(secret, replay, config),
        };
        let mut coordinator = Self {
            peer,
            network,
            executors: Vec::new(),
            by_key: BTreeMap::new(),
            setup,
            now_ms: START_MS,
            requests: 0,
            random: Random::new(random.bits()),
            entries: 1,
            bytes: entry_0.len() as u64,
            messages: 0,
            message_bytes: 0,
            log,
        };
        let started = coordinator.peer.start(START_MS)?;
        coordinator.note(&started);
        for (number, agent) in agents.iter().enumerate() {
            coordinator.introduce(number, agent)?;
        }
        Ok(coordinator)
    }

    /// The coordinator's state.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The root of the coordinator's state.
    pub fn state_root(&mut self) -> [u8; 32] {
        *self.peer.checkpoint().state_root.as_bytes()
    }

    /// What another coordinator may take in of this one's measures, with weight 1.
    ///
    /// # Errors
    /// [`ExperimentError`], a defect of the coordinator.
    pub fn measures_for(
        &mut self,
        importer: &PublicKey,
    ) -> Result<Vec<MeasuresImported>, ExperimentError> {
        let checkpoint = self.peer.checkpoint();
        let signed = self.peer.sign_checkpoint(&checkpoint);
        let mut replay = self.peer.replay().clone();
        Ok(replay
            .state_mut()
            .imports_for(importer, &signed, PPM, usize::MAX)?)
    }

    /// Takes in what another coordinator measured.
    ///
    /// # Errors
    /// [`ExperimentError`], a defect.
    pub fn import(&mut self, imports: Vec<MeasuresImported>) -> Result<(), ExperimentError> {
        let (output, taken) = self.peer.import(imports, self.now_ms)?;
        self.note(&output);
        taken.map_err(ExperimentError::Import)
    }

    /// The agent of a key, if it is one.
    pub fn agent(&self, key: &PublicKey) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    /// An agent joins: its capability is heard, and it can be reached.
    ///
    /// # Errors
    /// [`ExperimentError`], a defect of the coordinator.
    pub fn introduce(&mut self, number: usize, agent: &Agent) -> Result<(), ExperimentError> {
        // The same agent has the same key in every run: ties fall alike.
        let mut own = Random::new(u64::try_from(number).unwrap_or(u64::MAX));
        let secret = SecretKey::from_bytes(own.bytes());
        let key = secret.public();
        self.by_key.insert(key, self.executors.len());
        self.executors.push(Executor {
            secret,
            key,
            log: Digest::from_bytes(own.bytes()),
            sequence: 0,
            capability: Digest::ZERO,
            matched: [0.0; 2],
            match_ppm: [0; 2],
            price_microunits: 0,
        });
        self.announce(self.executors.len() - 1, agent)?;
        let reachable = Event::Reachable {
            peer: key,
            reachable: true,
        };
        let output = self.peer.handle(reachable, self.now_ms)?;
        self.note(&output);
        Ok(())
    }

    /// Agents whose published match has changed say so: they issue new capabilities.
    ///
    /// # Errors
    /// [`ExperimentError`], a defect of the coordinator.
    pub fn renew(&mut self, agents: &[Agent]) -> Result<(), ExperimentError> {
        for (number, agent) in agents.iter().enumerate() {
            let known = self.executors.get(number);
            if known.is_some_and(|known| known.matched != agent.matched) {
                self.announce(number, agent)?;
            }
        }
        Ok(())
    }

    /// An agent issues a capability, the first or a new one.
    fn announce(&mut self, number: usize, agent: &Agent) -> Result<(), ExperimentError> {
        let requirements = Kind::ALL.map(|kind| Embedding::of_text(kind.tag()));
        let mut tags = Kind::ALL.map(|kind| kind.tag().to_owned()).to_vec();
        tags.sort_unstable();
        let cosines = Kind::ALL.map(|kind| COSINE_FACTOR * (agent.match_at(kind) - 0.5));
        let embedding = at_angles(&requirements, cosines);
        let match_ppm = Kind::ALL.map(|kind| {
            match_ppm(
                &Profile {
                    tags: &tags,
                    embedding: &embedding,
                },
                &Profile {
                    tags: &[kind.tag().to_owned()],
                    embedding: &Embedding::of_text(kind.tag()),
                },
            )
        });
        let price_microunits = microunits(agent.stated_cost.unwrap_or(agent.cost));
        let executor = &self.executors[number];
        let issued = Issued::new(Capability {
            origin: Origin {
                log: executor.log,
                index: executor.sequence + 1,
            },
            sequence: executor.sequence + 1,
            tags,
            embedding,
            models: Vec::new(),
            price_microunits,
            parallel_max: 1,
            valid_from_ms: 0,
            valid_until_ms: START_MS + CAPABILITY_MS,
        });
        let executor = &mut self.executors[number];
        executor.sequence += 1;
        executor.capability = issued.digest;
        executor.matched = agent.matched;
        executor.match_ppm = match_ppm;
        executor.price_microunits = price_microunits;
        let statement = self.say(number, &issued);
        self.tell(statement, Vec::new())?;
        Ok(())
    }

    /// Runs a step up to its last receipt. `claims` are the loads that the agents state, in [0, 1].
    ///
    /// # Errors
    /// [`ExperimentError`], a defect of the coordinator.
    pub fn step(
        &mut self,
        kind: Kind,
        claims: &[f64],
        mut call: impl FnMut(usize) -> Call,
    ) -> Result<Step, ExperimentError> {
        self.now_ms += 1;
        self.requests += 1;
        let key = self.random.bytes();
        let submit = Event::Submit {
            request: self.requests,
            task: TaskRequest {
                plans: vec![PlanRequest {
                    steps: vec![StepRequest {
                        text: kind.tag().to_owned(),
                        tags: vec![kind.tag().to_owned()],
                        form: AnswerForm::Integer,
                    }],
                }],
                settings: self.setup.settings,
                gold: None,
            },
            key: TaskKey::from_bytes(key),
            // Never asked for: the plans are given.
            planning_key: TaskKey::from_bytes(key),
        };
        let output = self.peer.handle(submit, self.now_ms)?;
        let mut orders = self.collect(output);
        let beacon = self
            .peer
            .state()
            .open_steps()
            .last()
            .ok_or(ExperimentError::NoStep)?;
        let statement = self
            .peer
            .state()
            .step(beacon)
            .map(|step| step.statement)
            .ok_or(ExperimentError::NoStep)?;
        let asked: Vec<usize> = std::mem::take(&mut orders.asked);
        for agent in asked {
            let bid = self.bid(agent, kind, (statement, &key), claims[agent]);
            let more = self.tell(bid, Vec::new())?;
            orders.extend(more);
        }
        // Where the policy leaves something to chance: bids are in, their nonces are called for.
        for agent in std::mem::take(&mut orders.called) {
            let opening = self.opening(agent, (statement, key));
            let more = self.tell(opening, Vec::new())?;
            orders.extend(more);
        }
        let mut step = Step {
            beacon,
            ..Step::default()
        };
        if let Some(open) = self.peer.state().step(beacon) {
            step.shortlist = open
                .ranking
                .iter()
                .filter_map(|ranked| open.bids.iter().find(|bid| bid.entry == ranked.bid))
                .filter_map(|bid| self.agent(&bid.peer))
                .collect();
            step.first = open
                .selections
                .first()
                .and_then(|selection| self.agent(&selection.executor));
        }
        let start_ms = self.now_ms;
        let mut running: Vec<Running> = Vec::new();
        loop {
            for to in orders.assigned.drain(..) {
                let Some(assignment) = self.newest_assignment(beacon, &self.executors[to].key)
                else {
                    continue;
                };
                let call = call(to);
                running.push(Running {
                    due_ms: self.now_ms + whole_ms(call.latency_ms),
                    agent: to,
                    assignment,
                    call,
                });
            }
            let Some(next) = (0..running.len()).min_by_key(|place| running[*place].due_ms) else {
                break;
            };
            let ended = running.remove(next);
            self.now_ms = self.now_ms.max(ended.due_ms);
            orders = self.answer(&mut step, &ended, key)?;
        }
        step.latency_ms = self.now_ms - start_ms;
        Ok(step)
    }

    /// Opens the ballots of a step: its vote is counted and its rewards are settled.
    ///
    /// # Errors
    /// [`ExperimentError`], a defect of the coordinator.
    pub fn settle(&mut self, step: &Step) -> Result<(), ExperimentError> {
        for ballot in &step.ballots {
            let text = if ballot.success { RIGHT } else { WRONG };
            let reveal = Issued::new(Reveal {
                origin: self.origin(ballot.agent),
                assignment: ballot.assignment,
                answer: ballot.answer,
                confidence_ppm: CONFIDENCE_PPM,
                salt: ballot.key,
            });
            let statement = self.say(ballot.agent, &reveal);
            let private = RevealPrivate {
                answer: text.to_owned(),
                output: text.to_owned(),
            };
            self.tell(statement, private.encode())?;
        }
        Ok(())
    }

    fn newest_assignment(&self, beacon: u64, executor: &PublicKey) -> Option<Digest> {
        self.peer
            .state()
            .step(beacon)?
            .selections
            .iter()
            .rev()
            .find(|selection| selection.executor == *executor)?
            .assignment
    }

    /// A bid on a beacon. `nonce` is the bidder's chance, if the policy leaves something to chance.
    fn bid(
        &self,
        agent: usize,
        kind: Kind,
        (beacon, nonce): (Digest, &[u8; 32]),
        load: f64,
    ) -> VerifiedStatement {
        let executor = &self.executors[agent];
        let place = usize::from(kind == Kind::Hard);
        let drawn = self.setup.policy.parameters.kind.uses_chance();
        self.say(
            agent,
            &Issued::new(Bid {
                origin: self.origin(agent),
                beacon,
                capability: executor.capability,
                match_ppm: executor.match_ppm[place],
                load_ppm: millionths(load),
                queue: 0,
                price_microunits: executor.price_microunits,
                nonce_commitment: drawn.then(|| nonce_commitment(&beacon, &executor.key, nonce)),
                coordinator: self.peer.author(),
            }),
        )
    }

    fn opening(&self, agent: usize, (beacon, nonce): (Digest, [u8; 32])) -> VerifiedStatement {
        self.say(
            agent,
            &Issued::new(Opening {
                origin: self.origin(agent),
                beacon,
                coordinator: self.peer.author(),
                nonce,
            }),
        )
    }

    fn answer(
        &mut self,
        step: &mut Step,
        ended: &Running,
        key: [u8; 32],
    ) -> Result<Orders, ExperimentError> {
        let Running {
            agent,
            assignment,
            call,
            ..
        } = *ended;
        let failed = !call.success && self.setup.failure == Failure::Redispatched;
        let task_key = TaskKey::from_bytes(key);
        let answer = task_key.answer(if call.success { RIGHT } else { WRONG });
        let salt = key;
        let issued = Issued::new(Receipt {
            origin: self.origin(agent),
            assignment,
            model: Digest::ZERO,
            device: Device::Cpu,
            temperature_ppm: 0,
            output_tokens_max: 1,
            output: task_key.output(RIGHT),
            prompt_tokens: 1,
            output_tokens: 1,
            duration_ms: whole_ms(call.latency_ms),
            class: if failed {
                ResultClass::Failed
            } else {
                ResultClass::Answered
            },
            ballot: ballot_commitment(
                &assignment,
                &self.executors[agent].key,
                &answer,
                CONFIDENCE_PPM,
                &salt,
            ),
        });
        step.calls.push(call);
        if !failed {
            step.ballots.push(Ballot {
                agent,
                assignment,
                answer,
                success: call.success,
                key: salt,
            });
        }
        let statement = self.say(agent, &issued);
        self.tell(statement, Vec::new())
    }

    fn origin(&self, agent: usize) -> Origin {
        Origin {
            log: self.executors[agent].log,
            index: self.peer.replay().size(),
        }
    }

    fn say<R: StatementRecord>(&self, agent: usize, issued: &Issued<R>) -> VerifiedStatement {
        let executor = &self.executors[agent];
        let payload = issued.payload.clone();
        match self.setup.signing {
            Signing::Signed => sign_statement(&executor.secret, &self.network, R::KIND, payload),
            #[expect(
                clippy::disallowed_methods,
                reason = "the simulation is both sides: nothing arrives here from anybody else"
            )]
            Signing::Unsigned => {
                statement_without_signature(executor.key, &self.network, R::KIND, payload)
            }
        }
    }

    fn tell(
        &mut self,
        statement: VerifiedStatement,
        private: Vec<u8>,
    ) -> Result<Orders, ExperimentError> {
        self.messages += 1;
        self.message_bytes += (statement.bytes().len() + private.len()) as u64;
        let event = Event::Statement {
            statement,
            private,
            token: None,
        };
        let output = self.peer.handle(event, self.now_ms)?;
        Ok(self.collect(output))
    }

    fn note(&mut self, output: &Output) {
        self.entries += output.entries.len() as u64;
        self.bytes += output
            .entries
            .iter()
            .map(|entry| entry.len() as u64)
            .sum::<u64>();
        if let Some(log) = &mut self.log {
            log.extend(output.entries.iter().cloned());
        }
    }

    fn collect(&mut self, output: Output) -> Orders {
        self.note(&output);
        let mut orders = Orders::default();
        for effect in output.effects {
            let Effect::Send {
                to,
                statement,
                private,
            } = effect
            else {
                continue;
            };
            self.messages += 1;
            self.message_bytes += (statement.len() + private.len()) as u64;
            let Some(agent) = self.agent(&to) else {
                continue;
            };
            match UnverifiedStatement::parse(&statement).map(|statement| statement.kind()) {
                Ok(StatementKind::Beacon) => orders.asked.push(agent),
                Ok(StatementKind::Call) => orders.called.push(agent),
                Ok(StatementKind::Assignment) => orders.assigned.push(agent),
                _ => {}
            }
        }
        orders
    }
}

#[derive(Default)]
struct Orders {
    asked: Vec<usize>,
    called: Vec<usize>,
    assigned: Vec<usize>,
}

impl Orders {
    fn extend(&mut self, more: Self) {
        self.asked.extend(more.asked);
        self.called.extend(more.called);
        self.assigned.extend(more.assigned);
    }
}

/// The loads that honest agents state.
pub fn honest_claims(world: &World) -> Vec<f64> {
    (0..world.agents.len())
        .map(|agent| world.load(agent))
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a price, not below 0"
)]
fn microunits(cost: f64) -> u64 {
    (cost.max(0.0) * 1e6).round() as u64
}
