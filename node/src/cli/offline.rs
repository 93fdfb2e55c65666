//! Reading a home folder whose node does not run.

use anyhow::Context as _;
use symphony_admin::LogName;
use symphony_ledger::{Ledger, LogReader, MissingRecord};
use symphony_protocol::records::{Body, Entry, Genesis, Params};
use symphony_transparency::Digest;

use super::connect::HomeArgs;
use crate::home::Home;

/// A ledger that no node uses; locked until it is closed.
pub(super) struct OfflineLedger {
    pub(super) ledger: Ledger,
    pub(super) params: Params,
}

impl OfflineLedger {
    /// Opens the ledger of a home folder.
    ///
    /// # Errors
    /// There is no node, it runs, or its data is damaged.
    pub(super) fn open(home: &HomeArgs) -> anyhow::Result<Self> {
        let home = Home::open(&home.folder())?;
        let params = home.config()?.params().context("network")?;
        let (ledger, _) = home.open_ledger(&params, MissingRecord::Refuse)?;
        Ok(Self { ledger, params })
    }

    /// The log that is meant.
    ///
    /// # Errors
    /// It is not stored here.
    pub(super) fn reader(&self, log: LogName) -> anyhow::Result<LogReader> {
        match log {
            LogName::Own => self.ledger.own().context("the log is empty"),
            LogName::Id(id) => {
                let id = Digest::from_bytes(id);
                self.ledger
                    .log(&id)?
                    .with_context(|| format!("no log {id} is stored here"))
            }
        }
    }

    /// Gives the data directory free.
    ///
    /// # Errors
    /// The last writes failed.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        Ok(self.ledger.close().await?)
    }
}

/// Entry 0 of a stored log.
///
/// # Errors
/// It cannot be read.
pub(super) fn genesis(reader: &LogReader) -> anyhow::Result<Genesis> {
    let bytes = reader.entry(0)?.context("the log is empty")?;
    match Entry::parse(&bytes, None)?.body {
        Body::Genesis(genesis) => Ok(*genesis),
        body => anyhow::bail!("entry 0 is a {}", body.name()),
    }
}
