//! Logs to verify, replay and audit.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use symphony_ledger::symlog::{ExportHeader, ExportWriter};
use symphony_protocol::records::{Body, Phase, Policy, Timeout};
use symphony_transparency::log_id;

use crate::kit::{Author, WINDOW_MS, World, params};

/// A coordinator's log: its entries, and how many selections are settled in it.
pub(crate) struct Log {
    pub(crate) author: Author,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) settled: u64,
    pub(crate) bytes: u64,
}

/// Tasks of one step, with ten bids, of which five are kept (L = 5) and three are picked (P = 3); d = 6.
pub(crate) fn coordinator(tasks: u64) -> Log {
    let mut world = World::new(10, Policy::shared());
    world.shortlist = 5;
    world.picked = 3;
    for _ in 0..tasks {
        world.whole_task();
        world.pass(1);
    }
    of(world)
}

/// Tasks that nobody bids for: no signatures, so that long logs are made soon. Six entries a task.
pub(crate) fn lonely(entries: u64) -> Log {
    let mut world = World::new(1, Policy::shared());
    while world.coordinator.size() < entries {
        world.open(1).announce(0);
        world.pass(WINDOW_MS);
        let beacon = world.beacon_index();
        world.coordinator.push(Body::Timeout(Timeout {
            beacon,
            phase: Phase::Bids,
        }));
        while world.coordinator.replay.state().duty().is_some() {
            world.coordinator.decide();
        }
        world.pass(1);
    }
    of(world)
}

fn of(world: World) -> Log {
    let mut author = world.coordinator;
    let entries = std::mem::take(&mut author.entries);
    Log {
        settled: author.replay.state().counters().settlements,
        bytes: entries.iter().map(|entry| entry.len() as u64).sum(),
        author,
        entries,
    }
}

/// Writes the log as a portable file, with a checkpoint over all of it.
pub(crate) fn export(log: &mut Log, path: &Path) {
    let checkpoint = log.author.replay.checkpoint();
    let header = ExportHeader {
        network_id: params().network_id(),
        log_id: log_id(&log.entries[0]),
        log_key: log.author.key(),
        size: log.entries.len() as u64,
        params: params().to_bytes(),
        checkpoint: Some(checkpoint.sign(&log.author.secret).text()),
    };
    let output = BufWriter::new(File::create(path).unwrap());
    let mut writer = ExportWriter::new(output, &header).unwrap();
    for entry in &log.entries {
        writer.write_entry(entry).unwrap();
    }
    writer.finish().unwrap();
}
