//! What is simulated.

use symphony_coordination::TaskSettings;
use symphony_protocol::records::{Policy, Reach};

use crate::zoo::Cheat;

/// A whole network, its work and its troubles. Equal scenarios give equal reports.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Seeds all chance.
    pub seed: u64,
    /// Number of peers, 2 or more.
    pub peers: u32,
    /// The first so many peers are given tasks.
    pub coordinators: u32,
    /// Number of tasks; task i goes to coordinator i modulo their number.
    pub tasks: u32,
    /// Time between two tasks, in milliseconds.
    pub task_interval_ms: u64,
    /// Shape of each task: the number of steps of each plan.
    pub plan_steps: Vec<u32>,
    /// Random peers that take in, at a random time, what another one measured.
    pub imports: u32,
    /// How steps are run.
    pub settings: TaskSettings,
    /// The policy of every peer.
    pub policy: Policy,
    /// Kinds of questions: tags.
    pub skills: Vec<String>,
    /// Who can do what.
    pub workers: Workers,
    /// How messages travel.
    pub links: Links,
    /// How logs become durable.
    pub storage: Storage,
    /// What fails.
    pub troubles: Troubles,
    /// Difficulty of admission, in leading zero bits of the log id.
    pub difficulty_bits: u32,
    /// Other peers that replay each log while it grows.
    pub followers: u32,
    /// Peers, by number, that are not honest.
    pub characters: Vec<(u32, Character)>,
}

/// What a peer that is not honest does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Character {
    /// It breaks a rule.
    Cheat {
        /// How.
        cheat: Cheat,
        /// Chances that it lets pass first.
        patience: u32,
    },
    /// It tries to have others exposed.
    Framer,
}

/// Simulated models. Every peer claims every skill; what it can do only its answers show.
#[derive(Clone, Debug, PartialEq)]
pub struct Workers {
    /// Every n-th peer is good at a given skill; the skills take turns.
    pub skilled_every: u32,
    /// Share of right answers of a peer at its own skill, in parts per million.
    pub skilled_ppm: u32,
    /// Share of right answers otherwise, in parts per million.
    pub unskilled_ppm: u32,
    /// Shortest and longest execution, in milliseconds.
    pub duration_ms: (u64, u64),
    /// Answers that a peer computes at the same time.
    pub parallel: u32,
    /// Every n-th peer offers to plan; 0: none.
    pub planner_every: u32,
    /// Share of executions that fail, in parts per million.
    pub failed_ppm: u32,
    /// Share of executions that give text without an answer, in parts per million.
    pub unparsable_ppm: u32,
    /// Share of executions that never end, in parts per million.
    pub hanging_ppm: u32,
}

/// Whom a peer's gossip reaches at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbours {
    /// Everyone: nobody is more than one hop away, so passing on would bring nothing.
    Everyone,
    /// The peers with the numbers before and after. Only gossiped beacons go this way; requests reach everyone.
    Line,
}

/// Links between any two peers. Messages overtake each other as their delays differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Links {
    /// Whom a peer's gossiped beacons reach at once.
    pub neighbours: Neighbours,
    /// Share of messages that are lost, in parts per million.
    pub loss_ppm: u32,
    /// Share of messages that arrive twice, in parts per million.
    pub duplicate_ppm: u32,
    /// Shortest and longest delay, in milliseconds.
    pub delay_ms: (u64, u64),
    /// Share of messages that arrive much later, in parts per million ...
    pub late_ppm: u32,
    /// ... namely by up to this much, in milliseconds.
    pub late_ms: u64,
}

/// Durable storage of entries.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// Shortest and longest time until entries are durable, in milliseconds.
    pub sync_ms: (u64, u64),
}

/// What fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Troubles {
    /// Crashes at random times of random peers.
    pub crashes: u32,
    /// Share of syncs and sends at which the peer crashes, in parts per million: between append and sync, between sync and
    /// send, and between two sends.
    pub boundary_crash_ppm: u32,
    /// Shortest and longest time that a peer is down, in milliseconds.
    pub down_ms: (u64, u64),
    /// Clocks are off by up to this much either way, in milliseconds, and by something else after each restart.
    pub clock_skew_ms: u64,
    /// The peers below this number and the rest cannot reach each other ...
    pub partition_below: u32,
    /// ... from this until this time after the start, in milliseconds.
    pub partition_ms: (u64, u64),
    /// Random peers whose clock jumps at a random time ...
    pub clock_jumps: u32,
    /// ... by up to this much either way, in milliseconds.
    pub clock_jump_ms: u64,
    /// Random peers whose disk is put back to an earlier state at a random time.
    pub restored_backups: u32,
    /// Random peers that are gone for an hour from a random time on.
    pub outages: u32,
    /// Peers of another revision of the rules that introduce themselves to everyone, again and again.
    pub strangers: u32,
    /// Virtual time that the run goes on after the last task, in milliseconds, even if everything has come to an end.
    pub afterwards_ms: u64,
}

impl Default for Troubles {
    /// Nothing but clocks that are a little off.
    fn default() -> Self {
        Self {
            crashes: 0,
            boundary_crash_ppm: 0,
            down_ms: (500, 5_000),
            clock_skew_ms: 50,
            partition_below: 0,
            partition_ms: (0, 0),
            clock_jumps: 0,
            clock_jump_ms: 0,
            restored_backups: 0,
            outages: 0,
            strangers: 0,
            afterwards_ms: 0,
        }
    }
}

impl Default for Scenario {
    /// Twelve peers, two coordinators, three skills, mild troubles.
    fn default() -> Self {
        Self {
            seed: 1,
            peers: 12,
            coordinators: 2,
            tasks: 60,
            task_interval_ms: 400,
            plan_steps: vec![1],
            imports: 0,
            settings: TaskSettings {
                bid_window_ms: 300,
                execute_ms: 2_000,
                reveal_ms: 600,
                reach: Reach::Directed,
                ..TaskSettings::default()
            },
            policy: Policy::shared(),
            skills: ["boolean", "navigation", "truth-chains"]
                .map(str::to_owned)
                .to_vec(),
            workers: Workers::default(),
            links: Links {
                neighbours: Neighbours::Everyone,
                loss_ppm: 5_000,
                duplicate_ppm: 5_000,
                delay_ms: (1, 40),
                late_ppm: 0,
                late_ms: 0,
            },
            storage: Storage { sync_ms: (1, 8) },
            troubles: Troubles::default(),
            difficulty_bits: 2,
            followers: 2,
            characters: Vec::new(),
        }
    }
}

impl Default for Workers {
    /// One in three is right in 95 of 100 cases, the others in 35.
    fn default() -> Self {
        Self {
            skilled_every: 3,
            skilled_ppm: 950_000,
            unskilled_ppm: 350_000,
            duration_ms: (20, 200),
            parallel: 4,
            planner_every: 0,
            failed_ppm: 5_000,
            unparsable_ppm: 5_000,
            hanging_ppm: 2_000,
        }
    }
}

impl Workers {
    /// The share of right answers of a peer at a skill (both by number), in parts per million.
    ///
    /// At the first skill, about true and false, nobody is worse than a coin.
    pub fn accuracy_ppm(&self, peer: u32, skill: usize) -> u32 {
        match (self.is_skilled(peer, skill), skill) {
            (true, _) => self.skilled_ppm,
            (false, 0) => self.unskilled_ppm.max(500_000),
            (false, _) => self.unskilled_ppm,
        }
    }

    /// Whether a peer is good at a skill.
    pub fn is_skilled(&self, peer: u32, skill: usize) -> bool {
        let every = self.skilled_every.max(1);
        usize::try_from(peer % every).ok() == skill.checked_rem(every as usize)
    }
}
