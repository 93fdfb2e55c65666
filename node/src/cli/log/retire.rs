//! `symphony log retire`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use symphony_ledger::{MissingRecord, SigningRecord, Standing};
use symphony_protocol::records::{Params, Retirement};
use symphony_transparency::{Digest, merkle::EMPTY_ROOT};

use crate::{
    cli::{
        arguments::OutputArgs,
        connect::HomeArgs,
        exit::ExitStatus,
        output::{print_json, print_line},
    },
    home::Home,
    retirement::retire,
};

/// Ends a log that cannot be healed, and names its successor.
#[derive(Args, Debug)]
#[command(
    after_help = "For a log whose data or signing record is lost, or that has other entries than were signed: if no peer has an
export that heals it (`symphony log import`), it must never sign again, since others would expose it for contradicting itself.
A retirement says so in a signed statement, and names the log that takes its place: a new one with new keys, which inherits
nothing. The successor's node tells the others, who treat the old log as ended and not as lost. It cannot be taken back, and it
takes nothing back: what the old log signed still counts. Neither node may run.

Example:
  symphony node init --home ~/.symphony-2
  symphony log retire --home ~/.symphony --successor ~/.symphony-2"
)]
pub(in crate::cli) struct RetireCommand {
    /// Home folder of the successor
    #[arg(long, value_name = "DIR")]
    successor: PathBuf,
    /// Id of the log that ends, if neither data nor signing record names it
    #[arg(long, value_name = "ID")]
    log_id: Option<Digest>,
    /// Retires a log that could go on
    #[arg(long)]
    although_intact: bool,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl RetireCommand {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<ExitStatus> {
        let home = Home::open(&self.home.folder())?;
        let successor = Home::open(&self.successor)?;
        let params = home.config()?.params().context("network")?;
        let network = params.network_id();
        let theirs = successor.config()?.params().context("network")?;
        anyhow::ensure!(
            theirs.network_id() == network,
            "the successor belongs to another network"
        );
        let ended = self.ended(&home, &params).await?;
        let (ledger, _) = successor.open_ledger(&theirs, MissingRecord::Refuse)?;
        let successor_log = ledger.own().context("the successor has no log")?;
        let retirement = Retirement {
            successor: *successor_log.log(),
            ..ended
        };
        drop(successor_log);
        ledger.close().await?;
        retire(
            &home,
            &successor,
            (&home.secret("log")?, &successor.secret("log")?),
            &network,
            &retirement,
        )?;
        self.print(&retirement)?;
        Ok(ExitStatus::Success)
    }

    /// What is known of the log that ends: from its data if they open, else from the signing record. The successor is not
    /// known yet.
    async fn ended(&self, home: &Home, params: &Params) -> anyhow::Result<Retirement> {
        let named = |log: Digest| Retirement {
            log,
            size: 0,
            root: EMPTY_ROOT,
            successor: Digest::ZERO,
        };
        if let Ok((ledger, recovered)) = home.open_ledger(params, MissingRecord::Refuse) {
            let own = recovered.own.map(|own| own.log);
            let signed = match own {
                Some(log) => ledger.signed(log).await?,
                None => None,
            };
            ledger.close().await?;
            if let Some(log) = own {
                anyhow::ensure!(
                    self.although_intact || recovered.standing != Standing::Good,
                    "log {log} has everything that was signed and can go on; --although-intact retires it all the same"
                );
                let head = signed.context("the signing record does not know the log")?;
                return Ok(Retirement {
                    size: head.size,
                    root: head.root,
                    ..named(log)
                });
            }
        }
        let record = SigningRecord::open(&home.signing_record(), &params.network_id());
        let known = record.as_ref().ok().and_then(|record| {
            let mut logs = record
                .logs()
                .filter(|(log, _)| self.log_id.is_none_or(|id| id == **log));
            // Of several, somebody has to say which.
            let only = logs.next();
            only.filter(|_| logs.next().is_none())
        });
        match (known, self.log_id) {
            (Some((log, head)), _) => Ok(Retirement {
                size: head.size,
                root: head.root,
                ..named(*log)
            }),
            (None, Some(log)) => Ok(named(log)),
            (None, None) => anyhow::bail!(
                "neither the data nor the signing record says which log this is; name it with --log-id"
            ),
        }
    }

    fn print(&self, retirement: &Retirement) -> anyhow::Result<()> {
        if self.output.json {
            return print_json(&json!({
                "log": retirement.log.to_string(),
                "size": retirement.size,
                "root": data_encoding::HEXLOWER.encode(&retirement.root),
                "successor": retirement.successor.to_string(),
            }));
        }
        print_line(&format!(
            "log {} ended at {} signed entries; its successor is log {}",
            retirement.log, retirement.size, retirement.successor
        ))
    }
}
