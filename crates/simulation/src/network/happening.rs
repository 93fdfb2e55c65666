//! What can happen, and what travels.

use symphony_coordination::Execution;
use symphony_transparency::{Digest, VerifiedStatement};

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
pub(super) enum Message {
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
pub(super) enum Awaited {
    Yes,
    No,
}
