//! What a peer gives back.

use std::path::Path;

use anyhow::Context as _;
use symphony_ledger::{
    ExportAbout, ImportError, ImportKind, Ledger, LedgerError, OpenError, put_aside,
    symlog::ExportReader,
};
use symphony_transparency::SecretKey;

use super::{
    acknowledged::Acknowledged,
    inspect::{self, Stands},
    writer::{data, network, options},
};

/// What a peer that follows the log holds: everything that was released.
pub(super) async fn export(folder: &Path, file: &Path) -> anyhow::Result<()> {
    let (ledger, _) = Ledger::open(&data(folder), options(folder))?;
    let own = ledger.own().context("no log")?;
    let about = ExportAbout {
        network_id: network(),
        params: Vec::new(),
        log_key: SecretKey::from_bytes([1; 32]).public(),
        checkpoint: None,
        size: own.size()?,
    };
    let output = std::io::BufWriter::new(std::fs::File::create(file)?);
    own.export(about, output)?;
    drop(own);
    Ok(ledger.close().await?)
}

/// Heals a folder that is not whole. False if it cannot be healed, since it is not known what was signed: it is retired.
pub(super) async fn heal(
    folder: &Path,
    peers: &Path,
    stands: Stands,
    acknowledged: &Acknowledged,
) -> anyhow::Result<bool> {
    if stands == Stands::Whole {
        return Ok(false);
    }
    // Whatever is readable of a database that is behind may be gone on with; any other is begun anew.
    if stands != Stands::Behind {
        put_aside(&data(folder))?;
    }
    let (ledger, _) = match Ledger::open(&data(folder), options(folder)) {
        Ok(opened) => opened,
        Err(OpenError::SigningRecord(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let file = std::io::BufReader::new(std::fs::File::open(peers)?);
    let imported = ledger.import(ExportReader::new(file)?).await;
    match imported {
        Ok(imported) if imported.kind == ImportKind::Healed => {}
        // Without a record, the log is a stranger's: nothing may be signed for it again.
        Ok(_) => {
            ledger.close().await?;
            return Ok(false);
        }
        Err(ImportError::Ledger(LedgerError::NothingToHeal)) => {
            // The record is an earlier one, and so is what the log must reach.
            ledger.close().await?;
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    }
    ledger.close().await?;
    let (ledger, _) = Ledger::open(&data(folder), options(folder))?;
    let signed = match ledger.own() {
        Some(own) => ledger.signed(*own.log()).await?.map_or(0, |head| head.size),
        None => 0,
    };
    ledger.close().await?;
    if signed < acknowledged.size {
        // The signing record itself was restored from an earlier time: it vouches for less than was released.
        return Ok(false);
    }
    inspect::whole(folder, acknowledged).await?;
    Ok(true)
}
