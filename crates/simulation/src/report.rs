//! What a run showed.

use symphony_protocol::{Fault, Rule, state::Counters};
use symphony_transparency::{Digest, PublicKey};

use crate::scenario::Character;

/// The outcome of a simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Virtual time from the first to the last event, in milliseconds.
    pub virtual_ms: u64,
    /// Every peer, in order.
    pub peers: Vec<PeerReport>,
    /// Every task, in order.
    pub tasks: Vec<TaskReport>,
    /// Every settled selection that taught something, in the order of settlement.
    pub selections: Vec<SelectionReport>,
    /// Tasks whose plans planners gave.
    pub planned: u64,
    /// Faults that honest peers found in the run, and those that an audit of all logs found at its end. Where nobody cheats,
    /// there must be none.
    pub faults: Vec<Fault>,
    /// What must never happen: an honest peer exposed, something acknowledged lost, two histories signed.
    pub violations: Vec<String>,
    /// Faults that an honest peer found and could not prove.
    pub unproved: Vec<String>,
    /// Peers that are not honest, in order.
    pub characters: Vec<CharacterReport>,
    /// Messages sent.
    pub messages: u64,
    /// Messages lost.
    pub lost: u64,
    /// Crashes.
    pub crashes: u64,
    /// Messages that are no statement of this network, or not signed by whom they name.
    pub refused: u64,
    /// Different gossiped beacons that each peer heard from neighbours in a line, in order.
    pub beacons_heard: Vec<u64>,
    /// Introductions of peers whose rules nobody here knows.
    pub unusable: u64,
    /// Disks that were put back to an earlier state.
    pub restored: u64,
    /// Logs that were healed after that, and logs that were retired.
    pub healed: u64,
    /// Logs that could not be healed to what was signed for.
    pub retired: u64,
}

/// A peer that is not honest, at the end.
#[derive(Clone, Debug, PartialEq)]
pub struct CharacterReport {
    /// Its number.
    pub peer: u32,
    /// What it does.
    pub character: Character,
    /// Whether an honest peer has all the bytes that show what it did.
    pub in_the_open: bool,
    /// When it was first exposed to an honest peer, if it was.
    pub conviction: Option<Conviction>,
    /// Honest peers that run at the end, and those of them that it is exposed to.
    pub observers: (u32, u32),
}

/// A peer is exposed for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conviction {
    /// The rule that it broke.
    pub rule: Rule,
    /// What kind of proof the evidence is.
    pub kind: &'static str,
    /// Size of the evidence, in bytes.
    pub evidence_size: usize,
    /// When an honest peer first had all the bytes that show what it did, in milliseconds of virtual time.
    pub in_the_open_ms: u64,
    /// When it was exposed, in milliseconds of virtual time.
    pub time_ms: u64,
    /// Number of the peer that found it.
    pub by: usize,
}

/// A peer at the end.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerReport {
    /// Its log key.
    pub key: PublicKey,
    /// Number of durable entries.
    pub size: u64,
    /// Digest of the last entry: names the whole log.
    pub last: Digest,
    /// State root that the author has.
    pub state_root: Digest,
    /// State root that an auditor reached from the bytes alone.
    pub replayed_root: Digest,
    /// What the log counted.
    pub counters: Counters,
    /// Steps that are still open.
    pub open_steps: usize,
    /// Size of the durable entries, in bytes.
    pub bytes: u64,
}

/// A task at the end.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskReport {
    /// Number of its coordinator.
    pub coordinator: u32,
    /// How it ended.
    pub outcome: TaskOutcome,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskOutcome {
    /// Decided, with the right answer.
    Right,
    /// Decided, with a wrong answer.
    Wrong,
    /// Decided, without an answer.
    Unanswered,
    /// Refused by its coordinator.
    Refused,
    /// Its coordinator crashed or was down.
    Lost,
}

/// A settled selection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelectionReport {
    /// Number of the task.
    pub task: u32,
    /// Whether the executor is good at the skill that was asked for.
    pub skilled: bool,
    /// Reward.
    pub reward: f64,
}

impl Report {
    /// Share of right answers among the tasks of a range (in hundredths of all tasks) that were decided.
    pub fn accuracy(&self, from_percent: usize, to_percent: usize) -> f64 {
        let count = self.tasks.len();
        let part = &self.tasks[count * from_percent / 100..count * to_percent / 100];
        share(
            part.iter()
                .filter(|task| task.outcome == TaskOutcome::Right)
                .count(),
            part.iter()
                .filter(|task| {
                    matches!(
                        task.outcome,
                        TaskOutcome::Right | TaskOutcome::Wrong | TaskOutcome::Unanswered
                    )
                })
                .count(),
        )
    }

    /// Share of skilled executors among the selections of a range (in hundredths of all settled selections).
    pub fn skilled(&self, from_percent: usize, to_percent: usize) -> f64 {
        let count = self.selections.len();
        let part = &self.selections[count * from_percent / 100..count * to_percent / 100];
        share(
            part.iter().filter(|selection| selection.skilled).count(),
            part.len(),
        )
    }

    /// How many tasks ended like this.
    pub fn count(&self, outcome: TaskOutcome) -> usize {
        self.tasks
            .iter()
            .filter(|task| task.outcome == outcome)
            .count()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts are far below 2^53, and reports decide nothing"
)]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
