//! Checkpoints that an author should not have signed.

use symphony_simulation::Random;
use symphony_transparency::{Checkpoint, Digest, Frontier, log_id};

use crate::{
    log::{Log, checkpoint_of},
    messages::flip,
    scenario::below,
};

/// A checkpoint over these entries with the state root that the author had before it changed one.
pub(crate) fn signed_all_the_same(
    log: &Log,
    entries: &[Vec<u8>],
    honest: &Checkpoint,
) -> Checkpoint {
    let mut tree = Frontier::default();
    for entry in entries {
        tree.append(entry);
    }
    Checkpoint {
        network: log.network,
        log: log_id(&entries[0]),
        size: u64::try_from(entries.len()).unwrap_or(u64::MAX),
        root: tree.root(),
        state_root: honest.state_root,
    }
}

/// For the honest entries a checkpoint that is none, shorter, longer, of another root or state, or damaged.
pub(crate) fn changed_checkpoint(log: &Log, random: &mut Random) -> Option<String> {
    let honest = log.honest_checkpoint()?;
    let other = Digest::from_bytes(random.bytes());
    let mut end = honest;
    match random.within(0, 6) {
        0 => return None,
        1 => end.size = random.within(1, honest.size + 3),
        2 => end.root = Frontier::default().root(),
        3 => end.state_root = other,
        4 => end.log = other,
        5 => {
            let size = 1 + below(random, log.entries.len());
            end = checkpoint_of(&log.entries[..size]).unwrap_or(honest);
        }
        _ => {
            let mut text = log.sign(&honest).into_bytes();
            flip(&mut text, random);
            return Some(String::from_utf8_lossy(&text).into_owned());
        }
    }
    Some(log.sign(&end))
}
