//! Evidence of what replay finds in a changed log, and changed evidence.

use symphony_protocol::{Fault, evidence::Evidence, replay::Replay};
use symphony_simulation::Random;
use symphony_transparency::{Domain, SignedCheckpoint, digest};

use crate::{
    change::Changed,
    log::{Log, checkpoint_of},
    messages::{changed, flip},
    scenario::below,
    wire::{Message, Value, bytes_of, parse, with_field, write},
};

/// Evidence of what replay finds in a changed log, and the same with something in it changed.
pub(crate) fn evidence(log: &Log, changed_log: &Changed, random: &mut Random) -> Vec<Vec<u8>> {
    let Some(checkpoint) = &changed_log.checkpoint else {
        return Vec::new();
    };
    let faults = faults(&changed_log.entries, log, checkpoint);
    // An earlier checkpoint, where the author's first entries are right.
    let size = 1 + below(random, changed_log.entries.len());
    let earlier = checkpoint_of(&changed_log.entries[..size]).map(|end| log.sign(&end));
    let earlier: Vec<&str> = earlier.iter().map(String::as_str).collect();
    let mut made = Vec::new();
    for fault in faults.iter().take(2) {
        let Ok(evidence) = Evidence::prove(&changed_log.entries, checkpoint, &earlier, fault)
        else {
            continue;
        };
        let bytes = evidence.bytes();
        made.push(bytes.to_vec());
        made.extend((0..2).map(|_| changed(bytes, random, 1)));
        made.extend(closed(bytes, random));
        let mut flipped = bytes.to_vec();
        flip(&mut flipped, random);
        made.push(flipped);
    }
    made
}

/// A window with one leaf of its state less: under the same root, the rules know less.
fn closed(evidence: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    // Evidence: window (11), of which from_entry (3) is a state, and from_checkpoint (4) has one (2).
    let window = parse(&bytes_of(&parse(evidence)?, 11)?)?;
    let path: &[u64] = if bytes_of(&window, 3).is_some() {
        &[11, 3]
    } else {
        &[11, 4, 2]
    };
    let mut state = evidence.to_vec();
    for field in path {
        state = bytes_of(&parse(&state)?, *field)?;
    }
    // OpenState: nodes (1), each a hidden digest (2), a hidden leaf (3), or a leaf (4) of key (1) and value (2).
    let mut nodes = parse(&state)?;
    let leaves: Vec<(usize, Message)> = nodes
        .iter()
        .enumerate()
        .filter_map(|(place, (_, node))| match node {
            Value::Bytes(node) => Some((place, parse(&bytes_of(&parse(node)?, 4)?)?)),
            Value::Number(_) => None,
        })
        .collect();
    let (place, leaf) = leaves.get(below(random, leaves.len()))?;
    let of = |field| bytes_of(leaf, field).unwrap_or_default();
    let key = digest(Domain::StateKey, &of(1)).as_bytes().to_vec();
    let value = digest(Domain::StateValue, &of(2)).as_bytes().to_vec();
    let node = if random.chance(500_000) {
        let hidden = digest(Domain::StateLeaf, &[key, value].concat());
        (2, Value::Bytes(hidden.as_bytes().to_vec()))
    } else {
        let leaf = [(1, Value::Bytes(key)), (2, Value::Bytes(value))];
        (3, Value::Bytes(write(&leaf)))
    };
    nodes[*place].1 = Value::Bytes(write(&[node]));
    Some(with_path(evidence, path, write(&nodes)))
}

/// The message with these bytes in a field of a field.
fn with_path(message: &[u8], path: &[u64], bytes: Vec<u8>) -> Vec<u8> {
    let Some((first, rest)) = path.split_first() else {
        return bytes;
    };
    let inner = parse(message)
        .and_then(|fields| bytes_of(&fields, *first))
        .unwrap_or_default();
    with_field(
        message,
        *first,
        Value::Bytes(with_path(&inner, rest, bytes)),
    )
}

/// What replay of these entries finds, the author's fault last.
fn faults(entries: &[Vec<u8>], log: &Log, checkpoint: &str) -> Vec<Fault> {
    let mut found = Vec::new();
    let Ok(mut replay) = Replay::begin(&entries[0], None) else {
        return found;
    };
    for bytes in &entries[1..] {
        match replay.push(bytes) {
            Ok((_, applied)) => found.extend(applied.findings),
            Err(fault) => {
                found.push(fault);
                return found;
            }
        }
    }
    let signed = SignedCheckpoint::parse_and_verify(checkpoint, &log.secret().public());
    if let Ok(Err(fault)) = signed.map(|signed| replay.check(signed.checkpoint())) {
        found.push(fault);
    }
    found
}
