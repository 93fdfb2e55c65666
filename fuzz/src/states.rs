//! Targets that apply entries: one changed entry behind a sound log, and whole sequences.

use std::sync::OnceLock;

use symphony_proto::log::v1 as wire;
use symphony_protocol::PreparedEntry;
use symphony_protocol::records::{Body, Entry, Signatures};
use symphony_protocol::replay::Replay;
use symphony_transparency::{Digest, PublicKey, decode_canonical, encode};

use crate::seeds;

/// Logs that inputs can choose from: more than there are vectors of faults.
const LOGS_COUNT_MAX: usize = 256;
/// Entries that one input can append.
const ENTRIES_COUNT_MAX: usize = 64;

/// The logs of the vectors of faults: each is sound but for its last entry.
fn logs() -> &'static [Vec<Vec<u8>>] {
    static LOGS: OnceLock<Vec<Vec<Vec<u8>>>> = OnceLock::new();
    LOGS.get_or_init(|| {
        seeds::files("faults")
            .into_iter()
            .map(|(_, lines)| {
                lines
                    .iter()
                    .filter(|(key, _)| key == "entry")
                    .map(|(_, value)| seeds::bytes_of(value))
                    .collect::<Vec<_>>()
            })
            .filter(|entries| {
                Replay::begin(entries.first().map_or(&[], Vec::as_slice), None).is_ok()
            })
            .take(LOGS_COUNT_MAX)
            .collect()
    })
}

/// The network of the vectors.
pub fn network() -> Digest {
    static NETWORK: OnceLock<Digest> = OnceLock::new();
    *NETWORK.get_or_init(|| {
        let entry_0 = logs().first().and_then(|log| log.first());
        entry_0
            .and_then(|entry| Replay::begin(entry, None).ok())
            .map_or(Digest::ZERO, |replay| replay.state().network())
    })
}

/// The author of the vectors' logs.
pub fn author() -> Option<PublicKey> {
    let entry_0 = logs().first()?.first()?;
    Replay::begin(entry_0, None)
        .ok()
        .map(|replay| replay.author())
}

/// The sound part of a log up to `size` entries, replayed. Signatures were checked when the vectors were tested.
fn sound(log: usize, size: usize) -> Option<Replay> {
    let entries = logs().get(log % logs().len().max(1))?;
    let mut replay = Replay::begin(entries.first()?, None).ok()?;
    for bytes in entries.iter().skip(1).take(size) {
        if push(&mut replay, bytes).is_err() {
            break;
        }
    }
    Some(replay)
}

/// Without signatures: a mutated statement would never get past them.
fn push(replay: &mut Replay, bytes: &[u8]) -> Result<(), ()> {
    let network = replay.state().network();
    let prepared = PreparedEntry::new(bytes.to_vec(), &network, Signatures::AssumeVerified);
    let before = replay.clone().checkpoint();
    match replay.push_prepared(prepared) {
        Ok(_) => {
            // What is due can be computed, and is what the state then takes.
            if let Some(duty) = replay.state().duty() {
                let decided = replay.state_mut().decide(duty);
                if let Some(body) = decided {
                    take_own(replay, body);
                }
            }
            Ok(())
        }
        Err(_) => {
            assert_eq!(
                replay.checkpoint(),
                before,
                "a fault leaves the state as it was"
            );
            Err(())
        }
    }
}

/// A decision that the state computed is one that it takes; tried on a copy.
fn take_own(replay: &mut Replay, body: Body) {
    let mut copy = replay.clone();
    let entry = Entry {
        index: copy.size(),
        previous: copy.end().last,
        time_ms: copy.state().time_ms(),
        body,
    };
    let bytes = entry.encode();
    copy.push(&bytes)
        .unwrap_or_else(|fault| panic!("the state refuses its own decision: {fault}"));
}

/// The entry with its place put right, so that what it says is reached.
fn chained(replay: &Replay, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut entry: wire::Entry = decode_canonical(bytes, 64 * 1024).ok()?;
    entry.index = replay.size();
    entry.previous = replay.end().last.as_bytes().to_vec();
    entry.time_ms = entry.time_ms.max(replay.end().time_ms);
    Some(encode(&entry))
}

/// One entry behind a log: byte 0 chooses the log, byte 1 how many of its entries are applied first.
pub fn apply(input: &[u8]) {
    let [log, size, entry @ ..] = input else {
        return;
    };
    let Some(mut replay) = sound(usize::from(*log), usize::from(*size)) else {
        return;
    };
    let Some(bytes) = chained(&replay, entry) else {
        let _ = push(&mut replay, entry);
        return;
    };
    let mut twin = replay.clone();
    let applied = push(&mut replay, &bytes);
    assert_eq!(push(&mut twin, &bytes), applied, "one entry, one result");
    assert_eq!(replay.checkpoint(), twin.checkpoint());
}

/// Each entry of each log, behind what stands before it.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, log) in (0_u8..).zip(logs()) {
        // Logs begin alike: of each, the end is what others do not have.
        let first = log.len().saturating_sub(3).max(1);
        for (size, entry) in log.iter().enumerate().skip(first) {
            let size = u8::try_from(size - 1).unwrap_or(u8::MAX);
            seeds.push([&[number, size], entry.as_slice()].concat());
        }
    }
    seeds
}

/// A sequence: byte 0 chooses the log, then each three bytes choose an entry of any log (two bytes) to be chained next, and
/// how much later it stands (one byte).
pub fn replay(input: &[u8]) {
    let [log, size, choices @ ..] = input else {
        return;
    };
    let Some(mut replay) = sound(usize::from(*log), usize::from(*size)) else {
        return;
    };
    for choice in choices.chunks_exact(3).take(ENTRIES_COUNT_MAX) {
        let [log, index, later] = choice else { return };
        let logs = logs();
        let log = &logs[usize::from(*log) % logs.len().max(1)];
        let Some(entry) = log.get(usize::from(*index) % log.len().max(1)) else {
            continue;
        };
        let Ok(mut value) = decode_canonical::<wire::Entry>(entry, 64 * 1024) else {
            continue;
        };
        value.index = replay.size();
        value.previous = replay.end().last.as_bytes().to_vec();
        // Most decisions stand at the time of the entry before them; a time-out stands later.
        value.time_ms = replay.end().time_ms.saturating_add(u64::from(*later) * 16);
        let _ = push(&mut replay, &encode(&value));
    }
    let root = replay.state_mut().root();
    assert_eq!(replay.clone().state_mut().root(), root);
}

/// Some walks through the logs.
pub fn replay_seeds() -> Vec<Vec<u8>> {
    (0_u8..32)
        .map(|log| {
            let walk = (1_u8..40).flat_map(|index| [log, index, 0]);
            [log, 0].into_iter().chain(walk).collect()
        })
        .collect()
}
