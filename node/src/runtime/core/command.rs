//! What the core is asked.

use symphony_coordination::{Event, TaskRequest};
use symphony_network::ReplyToken;
use symphony_protocol::{
    Fault,
    records::{Capability, MeasuresImported, Received},
    replay::Replay,
};
use symphony_transparency::{Digest, PublicKey, VerifiedStatement};
use tokio::sync::{mpsc, oneshot};

use crate::runtime::view::Report;

/// A client's task, and the client's own name for it.
pub(crate) struct Submission {
    pub(crate) task: TaskRequest,
    /// The same name again opens no second task.
    pub(crate) id: Option<String>,
}

/// What the core is asked.
pub(crate) enum CoreCommand {
    /// An event without an awaited answer.
    Event(Event),
    /// A statement of a peer that awaits an answer.
    Statement {
        statement: VerifiedStatement,
        private: Vec<u8>,
        reply: ReplyToken,
    },
    /// A coordinator asks for a reveal and awaits an answer.
    Reveal {
        from: PublicKey,
        assignment: Digest,
        reply: ReplyToken,
    },
    /// A client's task.
    Submit {
        submission: Box<Submission>,
        reports: mpsc::Sender<Report>,
    },
    /// A client gives up the task that was opened at this entry; whether it was open is the answer.
    Cancel {
        task: u64,
        answer: oneshot::Sender<bool>,
    },
    /// Measures of other peers to be taken in, or a source to be left out.
    Import {
        imports: Vec<MeasuresImported>,
        answer: oneshot::Sender<Result<(), Fault>>,
    },
    /// What came of it, once it is durable.
    Imported {
        taken: Result<(), Fault>,
        answer: oneshot::Sender<Result<(), Fault>>,
    },
    /// Whoever is there can hear a beacon: tasks that waited for this begin.
    Gathered,
    /// Somebody now listens to beacons.
    Heard,
    /// Reports of a task from its first on.
    Follow {
        task: u64,
        answer: oneshot::Sender<Option<mpsc::Receiver<Report>>>,
    },
    /// The own log's replay.
    Snapshot {
        answer: oneshot::Sender<Box<Replay>>,
    },
    /// Capabilities heard of.
    Capabilities {
        answer: oneshot::Sender<Vec<Received<Capability>>>,
    },
    /// The own capability, for a peer that has just come.
    Introduce { to: PublicKey },
    /// A signed checkpoint of everything durable.
    Checkpoint { answer: oneshot::Sender<String> },
}
