//! The loop: takes the next thing that happens, hands it to its machine, schedules what follows.

mod auditing;
mod convicting;
mod effects;
mod error;
mod finish;
mod happening;
mod importing;
mod links;
mod logs;
mod machines;
mod recovery;
mod relaying;
mod serving;
mod setup;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use symphony_coordination::{Event, Relays};
use symphony_protocol::{
    Fault,
    records::{Params, TaskKey},
};
use symphony_transparency::{Digest, NodeHash, PublicKey};

use crate::{
    audit::{Memo, Standing},
    peer::{Machine, Recovery, Role},
    questions::Question,
    queue::Queue,
    random::Random,
    report::{Conviction, Report, SelectionReport, TaskOutcome},
    scenario::Scenario,
};

pub use self::error::SimulationError;

use self::happening::{Awaited, Happening, Message};

/// Time between two heartbeats of a machine (tick, capability again, following of logs), in milliseconds.
const HEARTBEAT_MS: u64 = 10_000;
/// Time between two checkpoints of a log that grows, in milliseconds: as nodes do.
const CHECKPOINT_MS: u64 = 500;
/// Time until others notice that a peer is gone or back, in milliseconds.
const NOTICE_MS: u64 = 200;
/// Time before the first task, in milliseconds: capabilities have spread.
const WARM_UP_MS: u64 = 2_000;
/// Virtual time after the last task within which everything must have come to an end, in milliseconds.
const END_MS: u64 = 900_000;
/// Virtual time after the last task in which peers still crash, in milliseconds.
const CRASHES_AFTER_MS: u64 = 2_000;

/// How a task goes.
struct OpenTask {
    question: Question,
    coordinator: usize,
    /// Whether planners are at work on it.
    planning: bool,
    outcome: Option<TaskOutcome>,
}

/// A whole network.
pub struct Simulation<'a> {
    scenario: &'a Scenario,
    network: Digest,
    random: Random,
    queue: Queue<Happening>,
    now_ms: u64,
    machines: Vec<Machine>,
    memo: Memo,
    tasks: Vec<OpenTask>,
    selections: Vec<SelectionReport>,
    /// Tasks that were opened with the plans of planners.
    planned: u64,
    faults: Vec<Fault>,
    messages: u64,
    lost: u64,
    crashes: u64,
    /// What came in that is no statement of this network.
    refused: u64,
    restored: u64,
    healed: u64,
    retired: u64,
    /// Gossiped beacons that each peer heard, and how many.
    relays: Vec<Relays>,
    beacons_heard: Vec<u64>,
    /// What each honest peer got from cheats.
    arrivals: Vec<BTreeMap<Digest, Arrival>>,
    /// Cheats and framers that are exposed to an honest peer, by number: the first time.
    convictions: BTreeMap<usize, Conviction>,
    /// Who knows since when that a peer is exposed.
    avoided: BTreeMap<(usize, PublicKey), u64>,
    /// What honest peers said of places in their own logs: peer, index and statement.
    released: BTreeMap<(usize, u64, Digest), Standing>,
    /// Roots that honest peers signed, by peer and size.
    signed: BTreeMap<(usize, u64), NodeHash>,
    /// What must never happen.
    violations: Vec<String>,
    /// Faults that were found and could not be proved.
    unproved: BTreeSet<String>,
    /// Entry 0 of each peer of another revision.
    strangers: Vec<Rc<[u8]>>,
}

/// When bytes of a cheat reached an honest peer.
#[derive(Clone, Copy)]
struct Arrival {
    time_ms: u64,
    kept: Kept,
}

/// Whether a peer that crashes still has them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Stored,
    InMemory,
}

/// Simulates a network from its first entry to the decision of its last task.
///
/// # Errors
/// A scenario that cannot be set up, or a defect of this program.
pub fn run(scenario: &Scenario) -> Result<Report, SimulationError> {
    let mut simulation = Simulation::new(scenario)?;
    simulation.run()?;
    simulation.report()
}

impl<'a> Simulation<'a> {
    /// Sets a network up.
    ///
    /// # Errors
    /// [`SimulationError::Scenario`] or [`SimulationError::Params`].
    pub fn new(scenario: &'a Scenario) -> Result<Self, SimulationError> {
        if scenario.peers < 2 || !(1..=scenario.peers).contains(&scenario.coordinators) {
            return Err(SimulationError::Scenario {
                expected: "2 or more peers, of which 1 or more are coordinators",
            });
        }
        if scenario.skills.is_empty() || scenario.plan_steps.is_empty() {
            return Err(SimulationError::Scenario {
                expected: "1 or more skills and plans",
            });
        }
        let params = Params::standard("simulation", scenario.difficulty_bits)?;
        let mut random = Random::new(scenario.seed);
        let machines: Vec<Machine> = (0..scenario.peers)
            .map(|number| Machine::new(scenario, (number, &params), &mut random))
            .collect::<Option<_>>()
            .ok_or(SimulationError::Scenario {
                expected: "a difficulty for which a stamp is found",
            })?;
        let tasks = (0..scenario.tasks as usize)
            .map(|number| OpenTask {
                question: Question::draw(&mut random, scenario),
                coordinator: number % scenario.coordinators as usize,
                planning: false,
                outcome: None,
            })
            .collect();
        let mut simulation = Self {
            scenario,
            network: params.network_id(),
            random,
            queue: Queue::new(),
            now_ms: 0,
            memo: Memo::new(params.network_id()),
            relays: machines.iter().map(|_| Relays::default()).collect(),
            beacons_heard: vec![0; machines.len()],
            arrivals: machines.iter().map(|_| BTreeMap::new()).collect(),
            strangers: (0..scenario.troubles.strangers)
                .map(|number| setup::stranger(&params, number))
                .collect::<Result<_, _>>()?,
            machines,
            tasks,
            selections: Vec::new(),
            planned: 0,
            faults: Vec::new(),
            messages: 0,
            lost: 0,
            crashes: 0,
            refused: 0,
            restored: 0,
            healed: 0,
            retired: 0,
            convictions: BTreeMap::new(),
            avoided: BTreeMap::new(),
            released: BTreeMap::new(),
            signed: BTreeMap::new(),
            violations: Vec::new(),
            unproved: BTreeSet::new(),
        };
        simulation.introduce();
        simulation.schedule();
        Ok(simulation)
    }

    fn last_submit_ms(&self) -> u64 {
        WARM_UP_MS + self.scenario.task_interval_ms * u64::from(self.scenario.tasks)
    }

    /// Runs until every task has come to an end, every log is durable and every machine is up.
    ///
    /// # Errors
    /// A defect of this program.
    pub fn run(&mut self) -> Result<(), SimulationError> {
        let troubles = &self.scenario.troubles;
        let outage_ms = u64::from(troubles.outages.min(1)) * recovery::OUTAGE_MS;
        let least_ms = self.last_submit_ms() + troubles.afterwards_ms + outage_ms;
        let end_ms = least_ms + END_MS;
        while let Some((time_ms, happening)) = self.queue.pop() {
            self.now_ms = time_ms;
            if time_ms > end_ms {
                break;
            }
            let heartbeat = matches!(happening, Happening::Heartbeat { .. });
            self.happen(happening)?;
            if heartbeat && time_ms > least_ms && self.at_rest() {
                break;
            }
        }
        Ok(())
    }

    fn at_rest(&self) -> bool {
        let known = |cheat: &Machine| {
            let observers = self
                .machines
                .iter()
                .filter(|observer| observer.is_honest() && observer.recovery != Recovery::Retired);
            let mut exposures = observers.map(|observer| observer.auditor.exposed());
            exposures.all(|exposed| exposed.contains_key(&cheat.key))
        };
        self.tasks.iter().all(|task| task.outcome.is_some())
            && self.machines.iter().all(|machine| {
                if machine.recovery == Recovery::Retired {
                    return true;
                }
                let exposed = !matches!(machine.role, Role::Cheat(_)) || known(machine);
                exposed
                    && machine.writes.is_empty()
                    && machine.peer.as_ref().is_some_and(|peer| {
                        let state = peer.state();
                        let counters = state.counters();
                        state.open_steps().next().is_none()
                            && counters.tasks == counters.tasks_decided
                    })
            })
    }

    fn happen(&mut self, happening: Happening) -> Result<(), SimulationError> {
        match happening {
            Happening::Wake { peer, epoch } => {
                if self.machines[peer].epoch == epoch
                    && self.machines[peer].wake_ms == Some(self.now_ms)
                {
                    self.machines[peer].wake_ms = None;
                    self.handle(peer, Event::Tick)?;
                }
            }
            Happening::Heartbeat { peer, epoch } => {
                if self.machines[peer].epoch == epoch {
                    self.heartbeat(peer)?;
                }
            }
            Happening::Checkpoint { peer, epoch } => {
                if self.machines[peer].epoch == epoch {
                    self.checkpoint_round(peer);
                }
            }
            Happening::Synced { peer, epoch } => {
                if self.machines[peer].epoch == epoch {
                    self.synced(peer)?;
                }
            }
            Happening::Arrives { to, message } => self.arrives(to, message)?,
            Happening::Executed {
                peer,
                epoch,
                assignment,
                execution,
            } => {
                if self.machines[peer].epoch == epoch {
                    let salt = self.random.bytes();
                    self.handle(
                        peer,
                        Event::Executed {
                            assignment,
                            execution,
                            salt,
                            // Nobody here guesses keys.
                            key: TaskKey::from_bytes(salt),
                        },
                    )?;
                }
            }
            Happening::Submit { task } => self.submit(task)?,
            Happening::TakeIn {
                peer,
                source,
                weight_ppm,
            } => self.take_in(peer, source, weight_ppm)?,
            Happening::Crash { peer } => self.crash(peer, usize::MAX),
            Happening::Restart { peer } => self.restart(peer)?,
            Happening::Meets { peer, other } => self.meets(peer, other)?,
            Happening::Partition => {
                for peer in 0..self.machines.len() {
                    self.notice(peer);
                }
            }
            Happening::Jump { peer, by_ms } => self.jump(peer, by_ms)?,
            Happening::BackUp { peer } => self.machines[peer].disk.back_up(),
            Happening::Restore { peer } => self.restore(peer),
            Happening::Outage { peer } => self.outage(peer),
            Happening::Heal { peer, epoch } => self.heal_again(peer, epoch),
            Happening::Strangers => self.strangers(),
        }
        Ok(())
    }
}
