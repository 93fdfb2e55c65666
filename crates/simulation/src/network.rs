//! The loop: takes the next thing that happens, hands it to its machine, schedules what follows.

use symphony_coordination::{Effect, Event, Execution, Output, ProposeError, TaskEvent};
use symphony_protocol::{
    Fault,
    records::{OutcomeClass, Params, RecordError, TaskKey},
    replay::{Stop, Unusable},
};
use symphony_transparency::{Digest, StatementError, UnverifiedStatement, VerifiedStatement};

use crate::{
    audit::{Follower, audit},
    peer::Machine,
    questions::{Question, number_in},
    queue::Queue,
    random::Random,
    report::{PeerReport, Report, SelectionReport, TaskOutcome, TaskReport},
    scenario::Scenario,
    worker::execute,
};

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

/// A run that could not go on. With honest peers each of these is a defect of this program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// A scenario that cannot be set up.
    #[error("scenario: expected {expected}")]
    Scenario {
        /// What it should have been.
        expected: &'static str,
    },
    /// The agreed parameters are refused.
    #[error(transparent)]
    Params(#[from] RecordError),
    /// A peer proposed an entry that the rules refuse.
    #[error("peer {peer} at {time_ms} ms: {source}")]
    Propose {
        /// Number of the peer.
        peer: usize,
        /// Virtual time, in milliseconds.
        time_ms: u64,
        /// The refusal.
        source: ProposeError,
    },
    /// A peer sent a statement that nobody accepts.
    #[error("peer {peer} at {time_ms} ms: {source}")]
    Statement {
        /// Number of the peer.
        peer: usize,
        /// Virtual time, in milliseconds.
        time_ms: u64,
        /// The refusal.
        source: StatementError,
    },
    /// A peer's own stored log is refused at a restart.
    #[error("peer {peer} at {time_ms} ms: {source}")]
    Restart {
        /// Number of the peer.
        peer: usize,
        /// Virtual time, in milliseconds.
        time_ms: u64,
        /// The refusal.
        source: Stop,
    },
    /// A log cannot be audited.
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

/// Something that happens.
enum Happening {
    Wake {
        peer: usize,
        epoch: u64,
    },
    Heartbeat {
        peer: usize,
        epoch: u64,
    },
    Synced {
        peer: usize,
        epoch: u64,
    },
    Arrives {
        to: usize,
        message: Message,
    },
    Executed {
        peer: usize,
        epoch: u64,
        assignment: Digest,
        execution: Execution,
    },
    Submit {
        task: usize,
    },
    Crash {
        peer: usize,
    },
    Restart {
        peer: usize,
    },
    Meets {
        peer: usize,
        other: usize,
    },
    Partition,
}

/// What travels between two machines.
#[derive(Clone)]
enum Message {
    Statement {
        from: usize,
        statement: Box<VerifiedStatement>,
        private: Vec<u8>,
        awaited: Awaited,
    },
    AskReveal {
        from: usize,
        assignment: Digest,
    },
}

/// Whether the sender waits for an answer.
#[derive(Clone, Copy)]
enum Awaited {
    Yes,
    No,
}

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

    // --- machines ---

    fn restart(&mut self, peer: usize) -> Result<(), SimulationError> {
        if self.machines[peer].peer.is_some() {
            return Ok(());
        }
        let most = self.scenario.troubles.clock_skew_ms;
        let skew = self.random.within(0, 2 * most);
        let skew_ms = i64::try_from(skew)
            .unwrap_or(0)
            .saturating_sub_unsigned(most);
        let (time_ms, network) = (self.now_ms, self.network);
        let machine = &mut self.machines[peer];
        machine
            .boot(&network, skew_ms)
            .map_err(|source| SimulationError::Restart {
                peer,
                time_ms,
                source,
            })?;
        let (clock_ms, epoch) = (machine.clock_ms(time_ms), machine.epoch);
        let started = machine.peer.as_mut().map(|peer| peer.start(clock_ms));
        if let Some(output) = started {
            let output = output.map_err(|source| SimulationError::Propose {
                peer,
                time_ms,
                source,
            })?;
            self.append(peer, output);
        }
        let pause_ms = self.random.within(1, HEARTBEAT_MS);
        self.queue
            .push(time_ms + pause_ms, Happening::Heartbeat { peer, epoch });
        self.notice(peer);
        Ok(())
    }

    fn crash(&mut self, peer: usize, survivors_max: usize) {
        if self.machines[peer].peer.is_none() {
            return;
        }
        let waiting: usize = self.machines[peer]
            .writes
            .iter()
            .map(|output| output.entries.len())
            .sum();
        let most = u64::try_from(waiting.min(survivors_max)).unwrap_or(0);
        let survivors = usize::try_from(self.random.within(0, most)).unwrap_or(0);
        self.machines[peer].crash(survivors);
        self.crashes += 1;
        self.lose_tasks(peer);
        let (least, most) = self.scenario.troubles.down_ms;
        let down_ms = self.random.within(least, most);
        self.queue
            .push(self.now_ms + down_ms, Happening::Restart { peer });
        self.notice(peer);
    }

    /// Tasks that a coordinator had taken and not decided are lost with its memory.
    fn lose_tasks(&mut self, peer: usize) {
        let taken = self.now_ms.saturating_sub(WARM_UP_MS) / self.scenario.task_interval_ms.max(1);
        let taken = usize::try_from(taken)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        for task in self.tasks.iter_mut().take(taken) {
            if task.coordinator == peer && task.outcome.is_none() {
                task.outcome = Some(TaskOutcome::Lost);
            }
        }
    }

    /// Others notice, after a while, whether this peer can be reached.
    fn notice(&mut self, peer: usize) {
        for other in 0..self.machines.len() {
            if other != peer {
                self.queue
                    .push(self.now_ms + NOTICE_MS, Happening::Meets { peer, other });
            }
        }
    }

    fn meets(&mut self, peer: usize, other: usize) -> Result<(), SimulationError> {
        let reachable = self.connected(peer, other)
            && self.machines[peer].peer.is_some()
            && self.machines[other].peer.is_some();
        for (one, two) in [(peer, other), (other, peer)] {
            let key = self.machines[two].key;
            self.handle(
                one,
                Event::Reachable {
                    peer: key,
                    reachable,
                },
            )?;
            if reachable {
                self.offer(one, two)?;
            }
        }
        Ok(())
    }

    /// Shows the own capability.
    fn offer(&mut self, from: usize, to: usize) -> Result<(), SimulationError> {
        // Only what is durable may be shown.
        if !self.machines[from].writes.is_empty() {
            return Ok(());
        }
        let capability = self.machines[from]
            .peer
            .as_ref()
            .and_then(|peer| peer.own_capability());
        match capability {
            Some(statement) => self.send_statement(from, to, &statement, Vec::new(), Awaited::No),
            None => Ok(()),
        }
    }

    fn heartbeat(&mut self, peer: usize) -> Result<(), SimulationError> {
        self.handle(peer, Event::Tick)?;
        for other in 0..self.machines.len() {
            if other != peer {
                self.offer(peer, other)?;
            }
        }
        self.follow(peer)?;
        let epoch = self.machines[peer].epoch;
        self.queue.push(
            self.now_ms + HEARTBEAT_MS,
            Happening::Heartbeat { peer, epoch },
        );
        Ok(())
    }

    /// Replays what is new in the logs that this peer follows.
    fn follow(&mut self, peer: usize) -> Result<(), SimulationError> {
        let count = self.machines.len();
        for number in 0..self.followers[peer].len() {
            let followed = (peer + number + 1) % count;
            if followed == peer {
                continue;
            }
            let follower = &mut self.followers[peer][number];
            let known = follower.fault.is_some();
            follower.follow(&self.network, &self.machines[followed].stored)?;
            if let (false, Some(fault)) = (known, follower.fault.clone()) {
                let exposed = fault.peer;
                self.faults.push(fault);
                self.handle(peer, Event::Exposed { peer: exposed })?;
            }
        }
        Ok(())
    }

    fn submit(&mut self, number: usize) -> Result<(), SimulationError> {
        let task = &mut self.tasks[number];
        let coordinator = task.coordinator;
        if self.machines[coordinator].peer.is_none() {
            task.outcome = Some(TaskOutcome::Lost);
            return Ok(());
        }
        let text = u32::try_from(number).unwrap_or(u32::MAX);
        let request = task.question.request(text, self.scenario);
        let key = TaskKey::from_bytes(self.random.bytes());
        self.handle(
            coordinator,
            Event::Submit {
                request: u64::try_from(number).unwrap_or(u64::MAX),
                task: request,
                key,
            },
        )
    }

    // --- events and effects ---

    fn handle(&mut self, peer: usize, event: Event) -> Result<(), SimulationError> {
        let time_ms = self.now_ms;
        let machine = &mut self.machines[peer];
        let clock_ms = machine.clock_ms(time_ms);
        let Some(running) = machine.peer.as_mut() else {
            return Ok(());
        };
        let output =
            running
                .handle(event, clock_ms)
                .map_err(|source| SimulationError::Propose {
                    peer,
                    time_ms,
                    source,
                })?;
        self.append(peer, output);
        Ok(())
    }

    /// Entries go on their way to the disk; their effects wait for them, and for all before them.
    fn append(&mut self, peer: usize, output: Output) {
        let (least, most) = self.scenario.storage.sync_ms;
        let sync_ms = if output.entries.is_empty() {
            0
        } else {
            self.random.within(least, most)
        };
        let now_ms = self.now_ms;
        let machine = &mut self.machines[peer];
        let epoch = machine.epoch;
        if !(output.entries.is_empty() && output.effects.is_empty()) {
            machine.sync_ms = machine.sync_ms.max(now_ms + sync_ms);
            self.queue
                .push(machine.sync_ms, Happening::Synced { peer, epoch });
            machine.writes.push_back(output);
        }
        let wake = machine.peer.as_ref().and_then(|peer| peer.next_wake_ms());
        if let Some(clock_ms) = wake {
            let wake_ms = machine.virtual_ms(clock_ms).max(now_ms);
            if machine.wake_ms.is_none_or(|known| known > wake_ms) {
                machine.wake_ms = Some(wake_ms);
                self.queue.push(wake_ms, Happening::Wake { peer, epoch });
            }
        }
    }

    fn synced(&mut self, peer: usize) -> Result<(), SimulationError> {
        if self.boundary_crash() {
            // Between append and sync: any part of what was appended may be on the disk.
            self.crash(peer, usize::MAX);
            return Ok(());
        }
        let Some(output) = self.machines[peer].writes.pop_front() else {
            return Ok(());
        };
        self.machines[peer].stored.extend(output.entries);
        for effect in output.effects {
            if self.boundary_crash() {
                // Between sync and send, or between two sends.
                self.crash(peer, 0);
                return Ok(());
            }
            self.carry_out(peer, effect)?;
        }
        Ok(())
    }

    fn boundary_crash(&mut self) -> bool {
        self.now_ms < self.last_submit_ms() + CRASHES_AFTER_MS
            && self
                .random
                .chance(self.scenario.troubles.boundary_crash_ppm)
    }

    fn carry_out(&mut self, peer: usize, effect: Effect) -> Result<(), SimulationError> {
        match effect {
            Effect::Publish { statement } => {
                for other in 0..self.machines.len() {
                    if other != peer {
                        self.send_statement(peer, other, &statement, Vec::new(), Awaited::No)?;
                    }
                }
            }
            Effect::Send {
                to,
                statement,
                private,
            } => {
                if let Some(to) = self.number_of(&to) {
                    self.send_statement(peer, to, &statement, private, Awaited::Yes)?;
                }
            }
            Effect::AskReveal { to, assignment } => {
                if let Some(to) = self.number_of(&to) {
                    self.send(
                        peer,
                        to,
                        &Message::AskReveal {
                            from: peer,
                            assignment,
                        },
                    );
                }
            }
            Effect::Acknowledge { token, statement } => {
                if let Some(to) = self.machines[peer].tokens.remove(&token)
                    && !statement.is_empty()
                {
                    self.send_statement(peer, to, &statement, Vec::new(), Awaited::No)?;
                }
            }
            Effect::Refuse { token, .. } => {
                self.machines[peer].tokens.remove(&token);
            }
            Effect::Execute {
                assignment, prompt, ..
            } => self.begin(peer, assignment, &prompt),
            Effect::Report { request, event, .. } => self.note(request, &event),
            Effect::Found(fault) => self.faults.push(fault),
        }
        Ok(())
    }

    /// Begins an execution at the place that is free first.
    fn begin(&mut self, peer: usize, assignment: Digest, prompt: &str) {
        let Some(question) = number_in(prompt).and_then(|number| self.tasks.get(number)) else {
            return;
        };
        let number = u32::try_from(peer).unwrap_or(u32::MAX);
        let workers = &self.scenario.workers;
        let execution = execute(workers, &mut self.random, number, &question.question);
        let Some(execution) = execution else { return };
        let machine = &mut self.machines[peer];
        let epoch = machine.epoch;
        let Some(free_ms) = machine.free_ms.iter_mut().min() else {
            return;
        };
        *free_ms = self.now_ms.max(*free_ms) + execution.duration_ms;
        let time_ms = *free_ms;
        self.queue.push(
            time_ms,
            Happening::Executed {
                peer,
                epoch,
                assignment,
                execution,
            },
        );
    }

    /// Notes what a client is told.
    fn note(&mut self, request: u64, event: &TaskEvent) {
        let Ok(number) = usize::try_from(request) else {
            return;
        };
        let Some(task) = self.tasks.get_mut(number) else {
            return;
        };
        match event {
            TaskEvent::Settled { outcomes, .. } => {
                for (executor, class, _, reward) in outcomes {
                    let found = self
                        .machines
                        .iter()
                        .position(|machine| machine.key == *executor);
                    if let (Some(peer), true) = (found, *class != OutcomeClass::Void) {
                        let peer = u32::try_from(peer).unwrap_or(u32::MAX);
                        self.selections.push(SelectionReport {
                            task: u32::try_from(number).unwrap_or(u32::MAX),
                            skilled: self.scenario.workers.is_skilled(peer, task.question.skill),
                            reward: *reward,
                        });
                    }
                }
            }
            TaskEvent::Decided { answer, .. } => {
                task.outcome = Some(match answer.as_deref() {
                    Some(answer) if answer == task.question.right_answer() => TaskOutcome::Right,
                    Some(_) => TaskOutcome::Wrong,
                    None => TaskOutcome::Unanswered,
                });
            }
            TaskEvent::Failed { .. } => task.outcome = Some(TaskOutcome::Refused),
            _ => {}
        }
    }

    // --- links ---

    fn number_of(&self, key: &symphony_transparency::PublicKey) -> Option<usize> {
        self.machines.iter().position(|machine| machine.key == *key)
    }

    fn connected(&self, one: usize, two: usize) -> bool {
        let troubles = &self.scenario.troubles;
        let (from_ms, until_ms) = troubles.partition_ms;
        let below = troubles.partition_below as usize;
        !(from_ms..until_ms).contains(&self.now_ms) || (one < below) == (two < below)
    }

    fn send_statement(
        &mut self,
        from: usize,
        to: usize,
        bytes: &[u8],
        private: Vec<u8>,
        awaited: Awaited,
    ) -> Result<(), SimulationError> {
        let statement = UnverifiedStatement::parse(bytes)
            .and_then(|statement| statement.verify(&self.network))
            .map_err(|source| SimulationError::Statement {
                peer: from,
                time_ms: self.now_ms,
                source,
            })?;
        let statement = Box::new(statement);
        self.send(
            from,
            to,
            &Message::Statement {
                from,
                statement,
                private,
                awaited,
            },
        );
        Ok(())
    }

    fn send(&mut self, from: usize, to: usize, message: &Message) {
        let links = &self.scenario.links;
        self.messages += 1;
        if !self.connected(from, to) || self.random.chance(links.loss_ppm) {
            self.lost += 1;
            return;
        }
        let copies = if self.random.chance(links.duplicate_ppm) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let delay_ms = self.random.within(links.delay_ms.0, links.delay_ms.1);
            let message = message.clone();
            self.queue
                .push(self.now_ms + delay_ms, Happening::Arrives { to, message });
        }
    }

    fn arrives(&mut self, to: usize, message: Message) -> Result<(), SimulationError> {
        if self.machines[to].peer.is_none() {
            self.lost += 1;
            return Ok(());
        }
        let event = match message {
            Message::Statement {
                from,
                statement,
                private,
                awaited,
            } => Event::Statement {
                statement: *statement,
                private,
                token: match awaited {
                    Awaited::Yes => Some(self.machines[to].token(from)),
                    Awaited::No => None,
                },
            },
            Message::AskReveal { from, assignment } => Event::RevealAsked {
                assignment,
                token: self.machines[to].token(from),
            },
        };
        self.handle(to, event)
    }

    // --- the end ---

    /// Audits every log and tells how the run went.
    ///
    /// # Errors
    /// A log that cannot be audited: a defect of this program.
    pub fn report(mut self) -> Result<Report, SimulationError> {
        let logs: Vec<&[Vec<u8>]> = self
            .machines
            .iter()
            .map(|machine| machine.stored.as_slice())
            .collect();
        let (roots, faults) = audit(&self.network, &logs)?;
        self.faults.extend(faults);
        let peers = self
            .machines
            .iter_mut()
            .zip(roots)
            .filter_map(|(machine, replayed_root)| {
                let key = machine.key;
                let bytes = machine.stored.iter().map(Vec::len).sum::<usize>();
                let peer = machine.peer.as_mut()?;
                let checkpoint = peer.checkpoint();
                Some(PeerReport {
                    key,
                    size: checkpoint.size,
                    last: peer.replay().end().last,
                    state_root: checkpoint.state_root,
                    replayed_root,
                    counters: *peer.state().counters(),
                    open_steps: peer.state().open_steps().count(),
                    bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
                })
            })
            .collect();
        Ok(Report {
            virtual_ms: self.now_ms,
            peers,
            tasks: self
                .tasks
                .iter()
                .map(|task| TaskReport {
                    coordinator: u32::try_from(task.coordinator).unwrap_or(u32::MAX),
                    outcome: task.outcome.unwrap_or(TaskOutcome::Lost),
                })
                .collect(),
            selections: self.selections,
            faults: self.faults,
            messages: self.messages,
            lost: self.lost,
            crashes: self.crashes,
        })
    }
}
