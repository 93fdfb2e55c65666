//! `symphony log fsck`.

use clap::Args;
use serde_json::{Value, json};
use symphony_ledger::{Damages, FsckReport, fsck_with_progress};

use crate::{
    cli::{
        arguments::OutputArgs,
        connect::HomeArgs,
        exit::ExitStatus,
        output::{print_json, print_line, unread_too},
        progress,
    },
    home::Home,
};

/// Checks everything that a home folder stores.
#[derive(Args, Debug)]
#[command(
    after_help = "Reads every entry, every node of each tree, every checkpoint and the signing record, and changes nothing. Each
damage has a name, which stands first in its line. What to do: `symphony log import` with an export that a peer made of this
log heals it; `symphony log retire` ends one that cannot be healed. Whether the entries obey the rules is for `symphony
audit`. The node must not run.

Exit codes: 0 intact; 2 damaged; 1 failed."
)]
pub(in crate::cli) struct FsckCommand {
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl FsckCommand {
    pub(in crate::cli) fn run(self) -> anyhow::Result<ExitStatus> {
        let home = Home::open(&self.home.folder())?;
        let spinner = progress::spinner("checking");
        let report = fsck_with_progress(
            &home.data_folder(),
            Some(&home.signing_record()),
            &mut |log, checked| {
                if checked.is_multiple_of(1024) {
                    spinner
                        .set_message(format!("checking log {}: entry {checked}", log.fmt_short()));
                }
            },
        );
        spinner.finish_and_clear();
        let report = report?;
        unread_too(if self.output.json {
            print_json(&report_json(&report))
        } else {
            print_report(&report)
        })?;
        Ok(if report.is_clean() {
            ExitStatus::Success
        } else {
            ExitStatus::UnusableInput
        })
    }
}

fn listed(damages: &Damages) -> Vec<Value> {
    damages
        .listed()
        .iter()
        .map(|damage| json!({ "name": damage.name(), "text": damage.to_string() }))
        .collect()
}

fn report_json(report: &FsckReport) -> Value {
    let logs: Vec<Value> = report
        .logs
        .iter()
        .map(|check| {
            json!({
                "log": check.log.to_string(),
                "own": report.own == Some(check.log),
                "size": check.head.map(|head| head.size),
                "damages": listed(&check.damages),
                "damages_count": check.damages.count(),
            })
        })
        .collect();
    json!({
        "network": report.network.map(|network| network.to_string()),
        "logs": logs,
        "elsewhere": listed(&report.elsewhere),
        "intact": report.is_clean(),
    })
}

fn print_report(report: &FsckReport) -> anyhow::Result<()> {
    for check in &report.logs {
        let own = if report.own == Some(check.log) {
            " (own)"
        } else {
            ""
        };
        let size = check.head.map_or_else(
            || "size unknown".to_owned(),
            |head| format!("{} entries", head.size),
        );
        let state = match check.damages.count() {
            0 => "intact".to_owned(),
            count => format!("{count} damages"),
        };
        print_line(&format!("log {}{own}: {size}, {state}", check.log))?;
        print_damages(&check.damages)?;
    }
    print_damages(&report.elsewhere)?;
    print_line(if report.is_clean() {
        "intact"
    } else {
        "damaged"
    })
}

fn print_damages(damages: &Damages) -> anyhow::Result<()> {
    let shown = damages.listed();
    for damage in shown {
        print_line(&format!("  {}: {damage}", damage.name()))?;
    }
    let more = damages.count().saturating_sub(shown.len() as u64);
    if more > 0 {
        print_line(&format!("  and {more} more"))?;
    }
    Ok(())
}
