//! The process that is killed.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use prost::Message as _;
use symphony_ledger::{ErrorClass, Ledger, OpenOptions, Release, Standing, follow};
use symphony_proto::log::v1::Entry;
use symphony_transparency::{ChainEnd, Digest, Domain, digest, entry_digest};

use super::{boundary::Boundary, numbers::Numbers};

/// Entries of one request at most: so that many requests share a sync, and some have the log to themselves.
const REQUEST_ENTRIES_MAX: u64 = 6;
/// Bytes of a body at most.
const BODY_SIZE_MAX: u64 = 2_000;
/// Requests under way at once: what waits together is synced together.
const REQUESTS_MAX: u64 = 4;
/// Steps before which a boundary ends the process.
const BOUNDARY_STEPS: u64 = 12;

/// The network of every soak.
pub(super) fn network() -> Digest {
    digest(Domain::NetworkId, b"soak")
}

pub(super) fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

pub(super) fn record(folder: &Path) -> PathBuf {
    folder.join("signing").join("record")
}

/// As a node opens it.
pub(super) fn options(folder: &Path) -> OpenOptions {
    OpenOptions::new(network()).with_signing_record(record(folder))
}

/// The next entry of a log; its body is a field that the ledger does not look at.
pub(super) fn entry(end: &ChainEnd, numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = Entry {
        index: end.size,
        previous: end.last.as_bytes().to_vec(),
        time_ms: end.time_ms + numbers.below(3),
        body: None,
    }
    .encode_to_vec();
    let size = 16 + numbers.place(usize::try_from(BODY_SIZE_MAX).unwrap_or(0));
    let body: Vec<u8> = (0..size).map(|_| numbers.next().to_le_bytes()[0]).collect();
    prost::encoding::bytes::encode(15, &body, &mut bytes);
    bytes
}

/// Appends and releases until the process is killed, or the ledger stops.
///
/// # Errors
/// The ledger does not open, refuses what it must take, or has lost what it acknowledged.
pub fn write_until_killed(
    folder: &Path,
    seed: u64,
    boundary: Option<Boundary>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(write(folder, seed, boundary))
}

async fn write(folder: &Path, seed: u64, boundary: Option<Boundary>) -> anyhow::Result<()> {
    let (ledger, recovered) = Ledger::open(&data(folder), options(folder))?;
    anyhow::ensure!(
        recovered.standing == Standing::Good,
        "the log may not go on: {:?}",
        recovered.standing
    );
    let mut end = recovered.own.map_or(ChainEnd::EMPTY, |own| own.chain);
    say(&format!("opened {}", end.size))?;
    let mut numbers = Numbers::new(seed);
    let last_step = numbers.below(BOUNDARY_STEPS);
    let ends = |step: u64, here: Boundary| boundary == Some(here) && step >= last_step;
    for step in 0_u64.. {
        if ends(step, Boundary::Opened) {
            std::process::abort();
        }
        let before = end;
        match append(&ledger, &mut end, &mut numbers, |here| {
            if ends(step, here) {
                std::process::abort();
            }
        })
        .await
        {
            Ok(()) => {}
            Err(error) => return stopped(ledger, &before, error).await,
        }
    }
    Ok(())
}

/// One step: some requests, whose entries are released when the signing record covers them.
async fn append(
    ledger: &Ledger,
    end: &mut ChainEnd,
    numbers: &mut Numbers,
    at: impl Fn(Boundary),
) -> Result<(), symphony_ledger::LedgerError> {
    // A log begins with a request of its own.
    let requests = if end.size == 0 {
        1
    } else {
        1 + numbers.below(REQUESTS_MAX)
    };
    let mut waiting = Vec::new();
    for _ in 0..requests {
        let count = 1 + numbers.below(REQUEST_ENTRIES_MAX);
        let mut entries = Vec::new();
        for _ in 0..count {
            let bytes = entry(end, numbers);
            *end = follow(end, &bytes)?;
            entries.push(bytes);
        }
        // Some requests are covered by the record at once, as a node's are; of others the record hears later.
        let release = if numbers.below(2) == 0 {
            Release::Now
        } else {
            Release::Later
        };
        let digests: Vec<Digest> = entries.iter().map(|entry| entry_digest(entry)).collect();
        let pending = ledger.submit(entries, Vec::new(), release).await?;
        waiting.push((pending, release, digests));
    }
    at(Boundary::Queued);
    for (pending, release, digests) in waiting {
        let appended = pending.await?;
        if release == Release::Later {
            at(Boundary::Synced);
            ledger.record_signing(appended.head()).await?;
        }
        at(Boundary::Recorded);
        let digests: Vec<String> = digests.iter().map(Digest::to_string).collect();
        // Whoever reads this may rely on the entries from now on.
        let line = format!(
            "released {} {} {}",
            appended.size(),
            appended.first_index,
            digests.join(" ")
        );
        if say(&line).is_err() {
            // The killer is gone: nobody is left to write for.
            std::process::abort();
        }
        at(Boundary::Released);
    }
    Ok(())
}

/// The ledger writes no more: what was released before must still be there.
async fn stopped(
    ledger: Ledger,
    before: &ChainEnd,
    error: symphony_ledger::LedgerError,
) -> anyhow::Result<()> {
    anyhow::ensure!(error.class() == ErrorClass::Fatal, "refused: {error}");
    if let Some(own) = ledger.own() {
        let mut found = ChainEnd::EMPTY;
        for read in own.entries(0..before.size) {
            let (_, bytes) = read.context("an acknowledged entry cannot be read")?;
            found = follow(&found, &bytes)?;
        }
        anyhow::ensure!(
            found == *before,
            "the log ends at {found:?}, not at {before:?}"
        );
    }
    // RocksDB's threads must end before the process does; what closing says is no news.
    let _ = ledger.close().await;
    say(&format!("stopped {error}"))
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
