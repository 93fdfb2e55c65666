//! The loop: takes the next thing that happens, hands it to its machine, schedules what follows.

mod effects;
mod error;
mod finish;
mod happening;
mod links;
mod logs;
mod machines;

use symphony_coordination::Event;
use symphony_protocol::{Fault, records::Params};
use symphony_transparency::Digest;

use crate::{
    audit::Follower,
    peer::Machine,
    questions::Question,
    queue::Queue,
    random::Random,
    report::{Report, SelectionReport, TaskOutcome},
    scenario::Scenario,
};

pub use self::error::SimulationError;

use self::happening::{Awaited, Happening, Message};

/// Time between two heartbeats of a machine (tick, capability again, following of logs), in milliseconds.
const HEARTBEAT_MS: u64 = 10_000;
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
    followers: Vec<Vec<Follower>>,
    tasks: Vec<OpenTask>,
    selections: Vec<SelectionReport>,
    faults: Vec<Fault>,
    messages: u64,
    lost: u64,
    crashes: u64,
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
            .map(|_| Machine::new(scenario, &params, &mut random))
            .collect::<Option<_>>()
            .ok_or(SimulationError::Scenario {
                expected: "a difficulty for which a stamp is found",
            })?;
        let tasks = (0..scenario.tasks as usize)
            .map(|number| OpenTask {
                question: Question::draw(&mut random, scenario),
                coordinator: number % scenario.coordinators as usize,
                outcome: None,
            })
            .collect();
        let mut simulation = Self {
            scenario,
            network: params.network_id(),
            random,
            queue: Queue::new(),
            now_ms: 0,
            followers: machines
                .iter()
                .map(|_| (0..scenario.followers).map(|_| Follower::new()).collect())
                .collect(),
            machines,
            tasks,
            selections: Vec::new(),
            faults: Vec::new(),
            messages: 0,
            lost: 0,
            crashes: 0,
        };
        simulation.schedule();
        Ok(simulation)
    }

    fn schedule(&mut self) {
        for peer in 0..self.machines.len() {
            let time_ms = self.random.within(0, 500);
            self.queue.push(time_ms, Happening::Restart { peer });
        }
        let mut last_ms = WARM_UP_MS;
        for task in 0..self.tasks.len() {
            self.queue.push(last_ms, Happening::Submit { task });
            last_ms += self.scenario.task_interval_ms;
        }
        let most = u64::try_from(self.machines.len() - 1).unwrap_or(0);
        for _ in 0..self.scenario.troubles.crashes {
            let time_ms = self.random.within(WARM_UP_MS, last_ms);
            let peer = usize::try_from(self.random.within(0, most)).unwrap_or(0);
            self.queue.push(time_ms, Happening::Crash { peer });
        }
        let (from_ms, until_ms) = self.scenario.troubles.partition_ms;
        if until_ms > from_ms {
            self.queue.push(from_ms, Happening::Partition);
            self.queue.push(until_ms, Happening::Partition);
        }
    }

    fn last_submit_ms(&self) -> u64 {
        WARM_UP_MS + self.scenario.task_interval_ms * u64::from(self.scenario.tasks)
    }

    /// Runs until every task has come to an end, every log is durable and every machine is up.
    ///
    /// # Errors
    /// A defect of this program.
    pub fn run(&mut self) -> Result<(), SimulationError> {
        let end_ms = self.last_submit_ms() + END_MS;
        while let Some((time_ms, happening)) = self.queue.pop() {
            self.now_ms = time_ms;
            if time_ms > end_ms {
                break;
            }
            let heartbeat = matches!(happening, Happening::Heartbeat { .. });
            self.happen(happening)?;
            if heartbeat && time_ms > self.last_submit_ms() && self.at_rest() {
                break;
            }
        }
        Ok(())
    }

    fn at_rest(&self) -> bool {
        self.tasks.iter().all(|task| task.outcome.is_some())
            && self.machines.iter().all(|machine| {
                machine.writes.is_empty()
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
                        },
                    )?;
                }
            }
            Happening::Submit { task } => self.submit(task)?,
            Happening::Crash { peer } => self.crash(peer, usize::MAX),
            Happening::Restart { peer } => self.restart(peer)?,
            Happening::Meets { peer, other } => self.meets(peer, other)?,
            Happening::Partition => {
                for peer in 0..self.machines.len() {
                    self.notice(peer);
                }
            }
        }
        Ok(())
    }
}
