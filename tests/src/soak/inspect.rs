//! What a folder holds after something happened to it, against what was acknowledged.

use std::path::Path;

use anyhow::Context as _;
use symphony_ledger::{FsckReport, Ledger, LedgerError, Standing, fsck_with_progress};
use symphony_transparency::entry_digest;

use super::{
    acknowledged::Acknowledged,
    writer::{data, options, record},
};

/// How a damaged folder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stands {
    /// Everything acknowledged is there.
    Whole,
    /// It opens as good, and names the entry that it cannot read.
    Named,
    /// It says that it is behind what was signed, or diverged.
    Behind,
    /// It does not open.
    Refused,
}

/// Opens a folder as the next life of its node would, and compares every acknowledged entry. Nothing may be missing.
///
/// # Errors
/// The property that fails.
pub(super) async fn whole(folder: &Path, acknowledged: &Acknowledged) -> anyhow::Result<u64> {
    let (ledger, recovered) = Ledger::open(&data(folder), options(folder))?;
    let size = recovered.own.map_or(0, |own| own.head.size);
    anyhow::ensure!(
        recovered.standing == Standing::Good,
        "{} entries were acknowledged; the log stands {:?}",
        acknowledged.count(),
        recovered.standing
    );
    compare(&ledger, acknowledged)?;
    if let Some(own) = ledger.own() {
        let signed = ledger.signed(*own.log()).await?;
        let signed = signed.context("the signing record does not know the log")?;
        anyhow::ensure!(
            signed.size >= acknowledged.size,
            "{} entries were released, the signing record covers {}",
            acknowledged.size,
            signed.size
        );
    }
    ledger.close().await?;
    Ok(size)
}

fn compare(ledger: &Ledger, acknowledged: &Acknowledged) -> anyhow::Result<()> {
    let Some(own) = ledger.own() else {
        anyhow::ensure!(acknowledged.count() == 0, "the whole log is gone");
        return Ok(());
    };
    for (index, expected) in acknowledged.iter() {
        let entry = own.entry(index)?;
        let entry = entry.with_context(|| format!("acknowledged entry {index} is gone"))?;
        anyhow::ensure!(
            entry_digest(&entry) == expected,
            "acknowledged entry {index} has other bytes"
        );
    }
    Ok(())
}

/// What `fsck` says.
pub(super) fn check(folder: &Path) -> anyhow::Result<FsckReport> {
    Ok(fsck_with_progress(
        &data(folder),
        Some(&record(folder)),
        &mut |_, _| {},
    )?)
}

/// Names of the damages, in order.
pub(super) fn names(report: &FsckReport) -> Vec<&'static str> {
    let of_logs = report.logs.iter().flat_map(|log| log.damages.listed());
    of_logs
        .chain(report.elsewhere.listed())
        .map(|damage| damage.name())
        .collect()
}

/// How a folder with changed files stands. It may have lost entries, but never in silence.
///
/// # Errors
/// The property that fails.
pub(super) async fn damaged(folder: &Path, acknowledged: &Acknowledged) -> anyhow::Result<Stands> {
    let report = check(folder);
    let found = report
        .as_ref()
        .map_or_else(|_| vec!["refused"], |report| names(report));
    let stands = match Ledger::open(&data(folder), options(folder)) {
        Err(_) => Stands::Refused,
        Ok((ledger, recovered)) => {
            let own = ledger.own();
            // A log of which nothing is left may be behind; the record alone knows of it.
            let behind = recovered.standing != Standing::Good
                || (own.is_none() && !recovered.other_signed_logs.is_empty());
            let stands = if behind {
                Stands::Behind
            } else {
                named(&ledger, acknowledged)?
            };
            drop(own);
            ledger.close().await?;
            stands
        }
    };
    anyhow::ensure!(
        stands == Stands::Whole || !found.is_empty(),
        "the folder stands {stands:?}, and fsck finds nothing"
    );
    Ok(stands)
}

/// Every acknowledged entry is there, or its reading fails.
fn named(ledger: &Ledger, acknowledged: &Acknowledged) -> anyhow::Result<Stands> {
    let own = ledger
        .own()
        .context("the log is gone, and nobody says so")?;
    let mut stands = Stands::Whole;
    for (index, expected) in acknowledged.iter() {
        match own.entry(index) {
            Ok(Some(entry)) => anyhow::ensure!(
                entry_digest(&entry) == expected,
                "acknowledged entry {index} has other bytes, and the ledger gives them out"
            ),
            Ok(None) => anyhow::bail!("acknowledged entry {index} is gone, and nobody says so"),
            Err(LedgerError::Read(_)) => stands = Stands::Named,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(stands)
}
