//! What happens to a peer, and what it wants done.

use symphony_protocol::{
    Fault,
    records::{AnswerForm, CheckerVerdict, Device, OutcomeClass, Reach, TaskKey},
};
use symphony_transparency::{Digest, PublicKey, VerifiedStatement};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// Time passed: deadlines may be due.
    Tick,
    /// A client asks for a task. `request` is the caller's id, which every [`TaskEvent`] carries.
    Submit {
        /// Id that the caller chose.
        request: u64,
        /// What is asked.
        task: TaskRequest,
        /// Fresh entropy of this task.
        key: TaskKey,
        /// Fresh entropy of the planning task before it, if planners are asked.
        planning_key: TaskKey,
    },
    /// A client gives its task up: what was begun is settled, and nothing more is begun. Spec: PLAN-3.
    Cancel {
        /// Id of the request.
        request: u64,
    },
    /// A statement arrived, its signature verified. `token` is the caller's id of an answer that the sender awaits.
    Statement {
        /// The statement.
        statement: VerifiedStatement,
        /// What accompanied it.
        private: Vec<u8>,
        /// Id of the awaited answer, if one is awaited.
        token: Option<u64>,
    },
    /// A coordinator asks for the reveal of a ballot.
    RevealAsked {
        /// Digest of the assignment's statement.
        assignment: Digest,
        /// Id of the awaited answer.
        token: u64,
    },
    /// An execution ended.
    Executed {
        /// Digest of the assignment's statement.
        assignment: Digest,
        /// What came of it.
        execution: Execution,
        /// Fresh entropy for the ballot's commitment.
        salt: [u8; 32],
        /// Fresh entropy of the task in which the rest of a chain is handed on, if there is one.
        key: TaskKey,
    },
    /// A peer can be reached, or no longer.
    Reachable {
        /// Its log key.
        peer: PublicKey,
        /// Whether it can be reached.
        reachable: bool,
    },
    /// A peer was exposed: it is asked no more, and what it measured is left out. To be told again when it comes again: so many are remembered, and no more.
    /// Spec: REPLAY-7, REPLAY-8, IMPORT-1.
    Exposed {
        /// Its log key.
        peer: PublicKey,
    },
    /// A peer's log has ended by its own word: it is asked no more, and has done nothing wrong. Spec: STORE-25.
    Retired {
        /// Its log key.
        peer: PublicKey,
    },
}

/// Something to be done, once the entries that came with it are durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Gossip a statement.
    Publish {
        /// Exact bytes.
        statement: Vec<u8>,
    },
    /// Gossip a beacon, with the token of its first hop. Spec: BEACON-14.
    Announce {
        /// Exact bytes.
        statement: Vec<u8>,
        /// The token, which only the author can compute.
        token: Digest,
    },
    /// Send a statement to a peer; its acknowledgement comes back as an [`Event::Statement`].
    Send {
        /// Log key of the peer.
        to: PublicKey,
        /// Exact bytes.
        statement: Vec<u8>,
        /// What accompanies it.
        private: Vec<u8>,
    },
    /// Ask a peer to open its ballot.
    AskReveal {
        /// Log key of the peer.
        to: PublicKey,
        /// Digest of the assignment's statement.
        assignment: Digest,
    },
    /// Answer an awaited token with an acknowledgement, or with nothing more than "received".
    Acknowledge {
        /// Id of the awaited answer.
        token: u64,
        /// Exact bytes of the acknowledgement; empty when the statement was taken but is not logged.
        statement: Vec<u8>,
    },
    /// Answer an awaited token with a refusal.
    Refuse {
        /// Id of the awaited answer.
        token: u64,
        /// Why.
        refusal: Refusal,
    },
    /// Execute; the result comes back as an [`Event::Executed`].
    Execute {
        /// Digest of the assignment's statement.
        assignment: Digest,
        /// The prompt.
        prompt: String,
        /// Form that the answer is to have: a plan is asked of a planner, everything else of an executor.
        form: AnswerForm,
        /// Time for it, in milliseconds.
        execute_ms: u32,
    },
    /// Tell the client how its task goes.
    Report {
        /// Id that the client chose.
        request: u64,
        /// Index of the entry that says so.
        entry: u64,
        /// Time of that entry, in milliseconds since 1970.
        time_ms: u64,
        /// What happened.
        event: TaskEvent,
    },
    /// A statement in the own log shows another peer's fault.
    Found(Fault),
}

/// Why a statement was not taken. Lower case, without a full stop, at most 200 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

/// Entries to append, then effects to carry out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// Exact bytes of consecutive entries.
    pub entries: Vec<Vec<u8>>,
    /// What to do when they are durable, in order.
    pub effects: Vec<Effect>,
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRequest {
    /// Plans, 1 to 8.
    pub plans: Vec<PlanRequest>,
    /// How steps are run.
    pub settings: TaskSettings,
    /// The right answer, for a checker; only used under a policy whose checker is switched on.
    pub gold: Option<String>,
}

impl TaskRequest {
    /// The one step of the one plan, if the task is no more than a question.
    pub fn question(&self) -> Option<&StepRequest> {
        match self.plans.as_slice() {
            [plan] => match plan.steps.as_slice() {
                [step] => Some(step),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A plan: steps that follow each other, 1 to 8. Each step sees the answers before it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRequest {
    /// The steps.
    pub steps: Vec<StepRequest>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRequest {
    /// The question, 1 byte to 60 KiB.
    pub text: String,
    /// Required skills, strictly sorted.
    pub tags: Vec<String>,
    /// Form of a valid answer.
    pub form: AnswerForm,
}

/// Who coordinates the steps of a plan after the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chaining {
    /// The coordinator of the task.
    #[default]
    Coordinated,
    /// The executor of the step before, each in its own log.
    HandedOver,
}

/// How steps are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskSettings {
    /// P: executors picked, 1 to 16.
    pub executors: u32,
    /// L: candidates kept by screening, 1 to 32.
    pub shortlist: u32,
    /// K: peers asked (directed), 1 to 64.
    pub asked: u32,
    /// Time for bids, in milliseconds.
    pub bid_window_ms: u32,
    /// Time for an execution, in milliseconds.
    pub execute_ms: u32,
    /// Time for reveals, in milliseconds.
    pub reveal_ms: u32,
    /// How beacons travel.
    pub reach: Reach,
    /// Hops of a gossiped beacon.
    pub hop_limit: u32,
    /// m: planners that are asked for a plan each, 0 to 8. With 1 or more, the task has one plan of one step, which is the
    /// question. Spec: PLAN-2.
    pub planners: u32,
    /// Who coordinates the steps of a plan after the first. Spec: PLAN-4.
    pub chaining: Chaining,
    /// Time for the whole task, in milliseconds from its submission; without an end if absent. Spec: PLAN-3.
    pub task_ms: Option<u64>,
}

impl Default for TaskSettings {
    /// P 3, L 5, K 2L: the papers' numbers, with time-outs for local models.
    fn default() -> Self {
        Self {
            executors: 3,
            shortlist: 5,
            asked: 10,
            bid_window_ms: 500,
            execute_ms: 30_000,
            reveal_ms: 2_000,
            reach: Reach::Directed,
            hop_limit: 3,
            planners: 0,
            chaining: Chaining::Coordinated,
            task_ms: None,
        }
    }
}

/// What came of an execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Digest of the model's files.
    pub model: Digest,
    /// Where it ran.
    pub device: Device,
    /// Sampling temperature, in parts per million.
    pub temperature_ppm: u32,
    /// Most tokens that the answer could have.
    pub output_tokens_max: u32,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What the model gave.
    pub outcome: ExecutionOutcome,
}

/// What a model gave.
#[derive(Clone, Debug, PartialEq)]
pub enum ExecutionOutcome {
    /// Text.
    Completed(Completion),
    /// Nothing: it failed.
    Failed,
    /// Nothing: there was no room for it.
    Abstained,
}

/// A model's output.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The whole output.
    pub text: String,
    /// Length of the prompt, in tokens.
    pub prompt_tokens: u32,
    /// Length of the output, in tokens.
    pub output_tokens: u32,
    /// Confidence, in parts per million.
    pub confidence_ppm: u32,
}

/// Where the plans of a task come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlannedBy {
    /// Planners gave them.
    Planners,
    /// No planner gave one: the question is the plan.
    Nobody,
}

/// Why a task is not carried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    /// Its client gave it up.
    Client,
    /// Its time is over.
    Deadline,
}

/// How a task goes.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskEvent {
    /// It was opened.
    Opened,
    /// A planning task was opened for it: what follows until [`TaskEvent::Planned`] is about that.
    Planning,
    /// Planning ended, and the task is opened with these plans.
    Planned {
        /// The plans; the last step of each is the question.
        plans: Vec<PlanRequest>,
        /// Whose they are.
        by: PlannedBy,
    },
    /// No further step is begun; what was begun is settled, and then the task is decided.
    Stopped {
        /// Why.
        by: StoppedBy,
    },
    /// A step was announced.
    Beacon {
        /// Number of the plan.
        plan: u32,
        /// Number of the step.
        step: u32,
        /// How many peers were asked; 0 when gossiped.
        asked: u32,
    },
    /// A bid arrived.
    Bid {
        /// The bidder.
        peer: PublicKey,
        /// Its match, in parts per million.
        match_ppm: u32,
    },
    /// A step closed: the ranking (peer and composite score, best first).
    Closed {
        /// Number of the plan.
        plan: u32,
        /// Number of the step.
        step: u32,
        /// Peers and scores.
        ranking: Vec<(PublicKey, f64)>,
    },
    /// A selection was assigned.
    Assigned {
        /// Number of the selection.
        slot: u32,
        /// The executor.
        peer: PublicKey,
        /// Estimated reward.
        estimate: f64,
        /// Width of the confidence bound.
        width: f64,
    },
    /// A receipt arrived.
    Receipt {
        /// Number of the selection.
        slot: u32,
        /// The executor.
        peer: PublicKey,
        /// Receipt entry time minus assignment entry time, in milliseconds.
        latency_ms: u64,
    },
    /// An executor gave no receipt in time.
    TimedOut {
        /// Number of the selection.
        slot: u32,
        /// The executor.
        peer: PublicKey,
    },
    /// A ballot was opened.
    Revealed {
        /// Number of the selection.
        slot: u32,
        /// The executor.
        peer: PublicKey,
        /// The answer's text.
        answer: String,
        /// The whole output: the chain of thought.
        output: String,
        /// What the checker said.
        checker: CheckerVerdict,
    },
    /// A step was settled.
    Settled {
        /// Number of the plan.
        plan: u32,
        /// Number of the step.
        step: u32,
        /// The winning answer's text.
        answer: Option<String>,
        /// Weight behind it.
        weight: f64,
        /// Executor, class, latency in milliseconds and reward of each selection.
        outcomes: Vec<(PublicKey, OutcomeClass, u64, f64)>,
    },
    /// The task is decided.
    Decided {
        /// The answer's text.
        answer: Option<String>,
        /// Weight behind it.
        weight: f64,
    },
    /// The task could not be begun.
    Failed {
        /// Why.
        reason: String,
    },
}
