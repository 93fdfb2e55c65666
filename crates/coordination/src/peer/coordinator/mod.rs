//! The coordinator: from a task to its answer.
//!
//! Per step: beacon → bids → close (→ call → openings → draw, under a policy with chance) → assignments → receipts → reveals → settlement. Every decision on the way is a duty
//! of the state; this module announces, sends and tells the client. Spec: BEACON-1 to BEACON-9, EXEC-14, VOTE-9.

mod announce;
mod bids;
mod execution;
mod follow_up;
mod openings;
mod planning;
mod reveals;
mod stop;
mod submit;

use std::collections::BTreeMap;

use symphony_protocol::{records::TaskKey, state::OpenStep};
use symphony_transparency::Digest;

use crate::{
    event::{Effect, TaskEvent, TaskRequest},
    peer::{Link, Peer},
    plan::Plan,
};

pub(crate) use self::planning::PlannedTask;

/// A step that may be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadyStep {
    /// Index of the task.
    task: u64,
    /// Number of the plan.
    plan: u32,
    /// Number of the step.
    step: u32,
}

/// An open task, with what never stands in the log.
pub(crate) struct Task {
    /// The client's; nothing for a link of a chain.
    request: Option<u64>,
    task: TaskRequest,
    key: TaskKey,
    purpose: Purpose,
    /// When its time is over, in milliseconds since 1970.
    due_ms: Option<u64>,
    /// Whether no further step is begun.
    stopped: bool,
    /// Texts of revealed answers, by keyed digest.
    answers: BTreeMap<Digest, String>,
    /// Prompts of open steps, by beacon.
    prompts: BTreeMap<u64, String>,
    /// Winning answers of settled steps, by plan.
    context: BTreeMap<u32, Vec<(String, String)>>,
    /// Selections whose reveal was asked for.
    asked: Vec<(u64, u32)>,
}

/// What the answer of a task is for.
enum Purpose {
    /// The client.
    Answer,
    /// Its answers are plans of the task that a client asked for.
    Planning {
        asked: Box<TaskRequest>,
        /// Key of that task.
        key: TaskKey,
        /// Plans that were opened.
        plans: Vec<Plan>,
    },
    /// It is the rest of a chain that another peer handed to this one.
    Link(Box<Link>),
}

impl Peer {
    fn report(&mut self, request: u64, entry: u64, event: TaskEvent) {
        let time_ms = self.state().time_ms();
        self.effect(Effect::Report {
            request,
            entry,
            time_ms,
            event,
        });
    }

    fn request_of(&self, task: u64) -> Option<u64> {
        self.tasks.get(&task).and_then(|task| task.request)
    }

    fn open_step(&self, statement: &Digest) -> Option<(u64, &OpenStep)> {
        let state = self.state();
        state
            .open_steps()
            .filter_map(|index| Some((index, state.step(index)?)))
            .find(|(_, step)| step.statement == *statement)
    }

    fn selection_of(&self, assignment: &Digest) -> Option<(u64, u32)> {
        self.state().pending_assignment(assignment)
    }

    pub(crate) fn load_ppm(&self) -> u32 {
        let parallel = self
            .config
            .profile
            .as_ref()
            .map_or(1, |profile| profile.parallel_max.max(1));
        let share = u64::from(self.load()) * 1_000_000 / u64::from(parallel);
        u32::try_from(share.min(1_000_000)).unwrap_or(1_000_000)
    }

    pub(crate) fn queue(&self) -> u32 {
        let parallel = self
            .config
            .profile
            .as_ref()
            .map_or(1, |profile| profile.parallel_max);
        self.load().saturating_sub(parallel)
    }
}
