//! The audit at the end: every log from its bytes, and all of them against each other.

use symphony_protocol::{
    Fault,
    cross_check::CrossCheck,
    replay::{Replay, Unusable},
};
use symphony_transparency::Digest;

use super::memo::Memo;

/// Replays every log and cross-checks them all. Returns the root that each log leads to, and all faults.
pub(crate) fn audit(
    network: &Digest,
    logs: &[&[Vec<u8>]],
    memo: &Memo,
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
            match replay.push_prepared(memo.prepare(bytes)) {
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
