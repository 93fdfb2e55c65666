//! What can happen, and what travels.

use std::rc::Rc;

use symphony_coordination::Execution;
use symphony_transparency::Digest;

/// Something that happens.
pub(super) enum Happening {
    Wake {
        peer: usize,
        epoch: u64,
    },
    Heartbeat {
        peer: usize,
        epoch: u64,
    },
    Checkpoint {
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
    /// A peer takes in what another one measured.
    TakeIn {
        peer: usize,
        source: usize,
        weight_ppm: u32,
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
    /// A clock jumps by this many milliseconds.
    Jump {
        peer: usize,
        by_ms: i64,
    },
    BackUp {
        peer: usize,
    },
    Restore {
        peer: usize,
    },
    Outage {
        peer: usize,
    },
    Heal {
        peer: usize,
        epoch: u64,
    },
    Strangers,
}

/// What travels between two machines.
#[derive(Clone)]
pub(super) enum Message {
    /// What claims to be a statement.
    Statement {
        from: usize,
        bytes: Rc<[u8]>,
        private: Vec<u8>,
        awaited: Awaited,
    },
    /// What claims to be a beacon on its way.
    Beacon {
        from: usize,
        bytes: Rc<[u8]>,
    },
    AskReveal {
        from: usize,
        assignment: Digest,
    },
    /// What claims to be entry 0 of a log.
    Hello {
        entry_0: Rc<[u8]>,
    },
    /// Asks for a log's entries from an index on.
    AskLog {
        from: usize,
        log: Digest,
        start: usize,
    },
    /// What claims to be a log's entries from an index on, and a checkpoint of it.
    Log {
        from: usize,
        log: Digest,
        start: usize,
        entries: Rc<[Vec<u8>]>,
        note: Rc<str>,
    },
    /// What claims to be checkpoints.
    Checkpoints {
        from: usize,
        notes: Rc<[String]>,
    },
    /// What claims to be evidence.
    Evidence {
        bytes: Rc<[u8]>,
    },
}

/// Whether the sender waits for an answer.
#[derive(Clone, Copy)]
pub(super) enum Awaited {
    Yes,
    No,
}
