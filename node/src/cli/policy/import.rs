//! `symphony policy import`.

use std::num::NonZeroU32;

use clap::Args;
use serde_json::json;
use symphony_admin::{ImportQuery, LogName};
use symphony_transparency::{KeyError, PublicKey};

use super::key;
use crate::cli::{
    arguments::OutputArgs,
    connect::NodeArgs,
    exit::{ExitStatus, UnusableInput},
    output::{print_json, print_line},
};

/// Parts per million.
const PPM: f64 = 1_000_000.0;

/// Whose measures.
#[derive(Args, Debug)]
#[command(
    after_help = "The node must follow that log (`symphony peers`) and have replayed it without a fault. What is taken in stands in the own log with its
proof, and weighs from then on as much as it foretells: a source that lies is soon not heard. Examples:
  symphony policy import 2f6c…e1
  symphony policy import 2f6c…e1 --weight 0.5
  symphony policy import 2f6c…e1 --leave-out
  symphony policy import did:key:z6Mk…Q8 --leave-out"
)]
pub(in crate::cli) struct ImportArgs {
    /// Log id of the peer whose measures are taken in, 64 hexadecimal digits; to leave it out, its key will do, too
    #[arg(value_name = "LOG", value_parser = parse_source)]
    source: SourceName,
    /// What its word weighs against the own record at first, above 0 and at most 1
    #[arg(long, default_value = "1", value_name = "WEIGHT", value_parser = parse_weight, conflicts_with = "leave_out")]
    weight: NonZeroU32,
    /// Most peers and kinds of steps to take in, those with the most settled work first
    #[arg(long, default_value_t = 128, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024), conflicts_with = "leave_out")]
    claims: u32,
    /// Leaves that peer out from here on
    #[arg(long)]
    leave_out: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl ImportArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
        let source = match self.source {
            SourceName::Log(log) => log,
            SourceName::Key(key) if self.leave_out => LogName::Id(*key.as_bytes()),
            SourceName::Key(_) => {
                let found = "expected a log id, 64 hexadecimal digits: only to leave a peer out its key will do";
                return Err(UnusableInput(found.to_owned()).into());
            }
        };
        let client = self.node.connect().await?;
        let query = ImportQuery {
            weight_ppm: (!self.leave_out).then_some(self.weight),
            claims_max: self.claims as usize,
        };
        let response = client.import(source, query).await?;
        if self.output.json {
            print_json(&json!({
                "source": key(response.source.as_ref()),
                "weight_ppm": query.weight_ppm.map_or(0, NonZeroU32::get),
                "size": response.size,
                "entries": response.entries,
                "claims": response.claims,
            }))?;
        } else if self.leave_out {
            print_line(&format!("{} is left out", key(response.source.as_ref())))?;
        } else {
            print_line(&format!(
                "{} claims of {} after its {} entries, in {} entries of the own log",
                response.claims,
                key(response.source.as_ref()),
                response.size,
                response.entries
            ))?;
        }
        Ok(ExitStatus::Success)
    }
}

/// What a source is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SourceName {
    Log(LogName),
    Key(PublicKey),
}

fn parse_source(text: &str) -> Result<SourceName, String> {
    if text.starts_with("did:key:") {
        let key = text.parse().map_err(|error: KeyError| error.to_string())?;
        return Ok(SourceName::Key(key));
    }
    match LogName::parse(text) {
        Ok(LogName::Own) => Err("expected the log id of another peer".to_owned()),
        Ok(log) => Ok(SourceName::Log(log)),
        Err(error) => Err(error.to_string()),
    }
}

fn parse_weight(text: &str) -> Result<NonZeroU32, String> {
    let wrong = || format!("expected a number above 0 and at most 1, found {text}");
    let weight: f64 = text.parse().map_err(|_| wrong())?;
    if !(weight > 0.0 && weight <= 1.0) {
        return Err(wrong());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most a million"
    )]
    let ppm = (weight * PPM).round() as u32;
    NonZeroU32::new(ppm).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::parse_weight;

    #[test]
    fn weights_are_parts_of_one() {
        assert_eq!(parse_weight("0.25").unwrap().get(), 250_000);
        assert_eq!(parse_weight("1").unwrap().get(), 1_000_000);
        for wrong in ["0", "-1", "1.5", "NaN", "0.0000001", "half"] {
            parse_weight(wrong).unwrap_err();
        }
    }
}
