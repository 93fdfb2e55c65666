//! Auditors: they know bytes, nothing else.

use symphony_protocol::{
    Fault,
    cross_check::CrossCheck,
    replay::{Replay, Unusable},
};
use symphony_transparency::Digest;

/// A peer's view of another peer's log, replayed while it grows.
pub(crate) struct Follower {
    replay: Option<Replay>,
    pub(crate) fault: Option<Fault>,
}

impl Follower {
    pub(crate) fn new() -> Self {
        Self {
            replay: None,
            fault: None,
        }
    }

    /// Takes the entries of a log that are new to this follower.
    pub(crate) fn follow(&mut self, network: &Digest, log: &[Vec<u8>]) -> Result<(), Unusable> {
        let mut seen = self
            .replay
            .as_ref()
            .map_or(0, |replay| usize::try_from(replay.size()).unwrap_or(0));
        while let (Some(bytes), None) = (log.get(seen), &self.fault) {
            match &mut self.replay {
                None => self.replay = Some(Replay::begin(bytes, Some(network))?),
                Some(replay) => match replay.push(bytes) {
                    Ok(_) => {}
                    Err(fault) => self.fault = Some(fault),
                },
            }
            seen += 1;
        }
        Ok(())
    }
}

/// Replays every log and cross-checks them all. Returns the root that each log leads to, and all faults.
pub(crate) fn audit(
    network: &Digest,
    logs: &[&[Vec<u8>]],
) -> Result<(Vec<Digest>, Vec<Fault>), Unusable> {
    let mut cross_check = CrossCheck::default();
    let (mut roots, mut faults) = (Vec::new(), Vec::new());
    for log in logs {
        let Some((first, rest)) = log.split_first() else {
            continue;
        };
        let mut replay = Replay::begin(first, Some(network))?;
        let (id, author) = (replay.state().log(), replay.author());
        for bytes in rest {
            match replay.push(bytes) {
                Ok((entry, applied)) => {
                    cross_check.add(&id, author, &entry);
                    faults.extend(applied.findings);
                }
                Err(fault) => {
                    faults.push(fault);
                    break;
                }
            }
        }
        roots.push(replay.state_mut().root());
    }
    faults.extend(cross_check.faults());
    Ok((roots, faults))
}
