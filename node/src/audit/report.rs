//! What an audit concludes about one log.

use std::{fmt, path::PathBuf, time::Duration};

use symphony_protocol::{Fault, state::Counters};
use symphony_transparency::{Digest, PublicKey};

/// What an auditor concludes about a peer's log. Spec: REPLAY-3, REPLAY-4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Everything is computed correctly from what the log claims.
    Clean,
    /// The author signed more entries than are at hand.
    Suspected,
    /// The input is no log that this auditor can judge. Nobody is blamed.
    Unusable,
    /// A rule is broken.
    Exposed,
}

impl Verdict {
    /// The word that people and scripts read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Suspected => "suspected",
            Self::Unusable => "unusable",
            Self::Exposed => "exposed",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A broken rule, and where it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedFault {
    /// The rule, who broke it, and at which entry.
    pub fault: Fault,
    /// Id of the log in which that entry stands: that of the peer itself, or that of a peer to which it sent a statement.
    pub log: Digest,
    /// Whether the peer's own signature covers what is held against it.
    pub signed: bool,
}

/// The state that a checkpoint claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedState {
    /// Number of entries.
    pub size: u64,
    /// Root of the state after them.
    pub state_root: Digest,
}

/// What an audit concludes about one log, or about a peer whose log was not given.
#[derive(Clone, Debug, PartialEq)]
pub struct LogReport {
    /// The file; absent for a log that came otherwise, and for a peer without one.
    pub file: Option<PathBuf>,
    /// Log key of the author; absent if entry 0 cannot be read.
    pub peer: Option<PublicKey>,
    /// Id of the log; absent if entry 0 cannot be read, or the log was not given.
    pub log: Option<Digest>,
    /// The conclusion.
    pub verdict: Verdict,
    /// Entries replayed without a fault.
    pub entries: u64,
    /// What they count.
    pub counters: Counters,
    /// Root of the state after them.
    pub state_root: Option<Digest>,
    /// The state that the author's checkpoint claims, if there is a checkpoint.
    pub claimed: Option<SignedState>,
    /// How long reading and replay took.
    pub duration: Duration,
    /// The broken rule; only with [`Verdict::Exposed`].
    pub fault: Option<LocatedFault>,
    /// Why, in one line for people: with [`Verdict::Suspected`] and [`Verdict::Unusable`].
    pub reason: Option<String>,
}

impl LogReport {
    /// A peer that other logs speak of, without a log of its own at hand.
    pub(super) fn without_log(peer: PublicKey) -> Self {
        Self {
            peer: Some(peer),
            ..Self::unusable(String::new())
        }
    }

    /// An input of which nothing can be said.
    pub(super) fn unusable(reason: String) -> Self {
        Self {
            file: None,
            peer: None,
            log: None,
            verdict: Verdict::Unusable,
            entries: 0,
            counters: Counters::default(),
            state_root: None,
            claimed: None,
            duration: Duration::ZERO,
            fault: None,
            reason: Some(reason),
        }
    }

    /// Names a fault, and concludes from it.
    pub(super) fn expose(&mut self, fault: LocatedFault) {
        self.verdict = Verdict::Exposed;
        self.fault = Some(fault);
        self.reason = None;
    }

    /// Speed of the audit; 0 when nothing was replayed.
    pub fn entries_per_second(&self) -> f64 {
        per_second(self.entries, self.duration)
    }
}

/// A count over a time; 0 when no time passed.
pub(crate) fn per_second(count: u64, duration: Duration) -> f64 {
    let seconds = duration.as_secs_f64();
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}
