//! What the very next entry must be, and which deadlines are due. Spec: REPLAY-5, REPLAY-24, REPLAY-25.

use super::State;
use crate::{
    fault::{Breach, Rule},
    records::{Body, Entry, Phase, Timeout},
};

/// What the very next entry must be. It carries the time of the entry before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// The close of this beacon.
    Close(u64),
    /// The assignment of this beacon's selection.
    Assign(u64, u32),
    /// A replacement of this beacon's failed selection.
    Replace(u64, u32),
    /// The settlement of this beacon.
    Settle(u64),
    /// The void settlement of this beacon, after a restart.
    Void(u64),
    /// The decision of this task.
    Decide(u64),
    /// The call for the openings of this beacon's bids.
    Call(u64),
    /// The draw of this beacon's selections.
    Draw(u64),
    /// The state root, where none was recorded for long. Spec: REPLAY-16.
    Record,
}

/// A deadline. Ordered by due time, then beacon, then phase and slot. Spec: SETTLE-21.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
    /// Index of the beacon's entry.
    pub beacon: u64,
    /// What for.
    pub phase: Phase,
}

impl Due {
    /// The entry that says that this deadline passed.
    pub fn timeout(&self) -> Timeout {
        Timeout {
            beacon: self.beacon,
            phase: self.phase,
        }
    }
}

impl State {
    /// What the very next entry must be, if anything in particular.
    ///
    /// The root goes before everything else, and leaves what else is due as it is. Spec: REPLAY-16.
    pub fn duty(&self) -> Option<Duty> {
        if self.weight.is_due() {
            return Some(Duty::Record);
        }
        self.duty
    }

    /// The next deadline.
    pub fn next_due(&self) -> Option<Due> {
        self.dues.first().copied()
    }

    /// Statements that a duty asks for name the beacon of its step. Everything that the clock tells was compared before, so that evidence needs
    /// no more than that. Spec: EVIDENCE-12.
    fn check_named(&self, body: &Body, duty: Duty) -> Result<(), Breach> {
        let (beacon, named) = match (body, duty) {
            (Body::AssignmentIssued(issued), Duty::Assign(beacon, _)) => {
                (beacon, issued.record.beacon)
            }
            (Body::CallIssued(issued), Duty::Call(beacon)) => (beacon, issued.record.beacon),
            _ => return Ok(()),
        };
        let statement = self.steps.get(&beacon).map(|step| step.statement);
        if statement == Some(named) {
            return Ok(());
        }
        Err(Breach::new(
            Rule::Duty,
            format_args!("{duty:?} as the very next entry"),
            format_args!("{} of another beacon", body.name()),
        ))
    }

    /// Whether this entry may stand here: duties first, then deadlines that passed.
    pub(super) fn check_turn(&self, entry: &Entry) -> Result<(), Breach> {
        let due = self.duty();
        if matches!(entry.body, Body::Resumed) && due != Some(Duty::Record) {
            return Ok(());
        }
        if let Some(duty) = due {
            let fits = match (&entry.body, duty) {
                (Body::Close(close), Duty::Close(beacon)) => close.beacon == beacon,
                (Body::AssignmentIssued(issued), Duty::Assign(_, slot)) => {
                    issued.record.slot == slot
                }
                (Body::Replacement(replacement), Duty::Replace(beacon, slot)) => {
                    (replacement.beacon, replacement.slot) == (beacon, slot)
                }
                (Body::Settlement(settlement), Duty::Settle(beacon) | Duty::Void(beacon)) => {
                    settlement.beacon == beacon
                }
                (Body::TaskDecided(decided), Duty::Decide(task)) => decided.task == task,
                (Body::CallIssued(_), Duty::Call(_)) => true,
                (Body::Draw(draw), Duty::Draw(beacon)) => draw.beacon == beacon,
                (Body::RootRecorded(_), Duty::Record) => true,
                _ => false,
            };
            if !fits {
                return Err(Breach::new(
                    Rule::Duty,
                    format_args!("{duty:?} as the very next entry"),
                    entry.body.name(),
                ));
            }
            if entry.time_ms != self.time_ms {
                return Err(Breach::new(
                    Rule::Duty,
                    format_args!("time {} ms", self.time_ms),
                    format_args!("time {} ms", entry.time_ms),
                ));
            }
            return self.check_named(&entry.body, duty);
        }
        match &entry.body {
            Body::Close(_)
            | Body::Replacement(_)
            | Body::Settlement(_)
            | Body::TaskDecided(_)
            | Body::RootRecorded(_)
            | Body::AssignmentIssued(_)
            | Body::CallIssued(_)
            | Body::Draw(_) => Err(Breach::new(
                Rule::NotOpen,
                "no decision, since none is due",
                entry.body.name(),
            )),
            Body::Timeout(_) => Ok(()),
            _ => match self.next_due() {
                Some(due) if due.time_ms <= entry.time_ms => Err(Breach::new(
                    Rule::Overdue,
                    format_args!(
                        "the time-out of {:?} of beacon {} (due at {} ms)",
                        due.phase, due.beacon, due.time_ms
                    ),
                    format_args!("{} at {} ms", entry.body.name(), entry.time_ms),
                )),
                _ => Ok(()),
            },
        }
    }

    /// After a restart: the next open step to settle as void, then the tasks to decide, then nothing. Spec: SETTLE-10.
    pub(super) fn next_resuming_duty(&mut self) -> Option<Duty> {
        if let Some(beacon) = self.steps.first_key() {
            return Some(Duty::Void(beacon));
        }
        if let Some(task) = self.tasks.first_key() {
            return Some(Duty::Decide(task));
        }
        self.resuming = false;
        None
    }

    pub(super) fn add_due(&mut self, time_ms: u64, beacon: u64, phase: Phase) {
        self.dues.insert(Due {
            time_ms,
            beacon,
            phase,
        });
    }

    pub(super) fn drop_due(&mut self, time_ms: u64, beacon: u64, phase: Phase) {
        self.dues.remove(&Due {
            time_ms,
            beacon,
            phase,
        });
    }
}
