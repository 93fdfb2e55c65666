//! `symphony log cosign`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use symphony_transparency::{
    NotWitnessed, SignedCheckpoint, TrustPolicy, Witnessed, trust_policy::POLICY_SIZE_MAX,
};

use super::witnessed::read_limited;
use crate::{
    cli::{
        arguments::OutputArgs,
        exit::{ExitStatus, UnusableInput},
        output::{print_json, print_line, unread_too},
    },
    tiles::{Asked, cosign},
};

/// Asks witnesses to cosign a published log.
#[derive(Args, Debug)]
#[command(
    after_help = "DIR is a folder that `symphony log tiles` wrote. Each witness of the policy that has an address is asked
(C2SP tlog-witness: POST <address>/add-checkpoint) and shown from the folder's tiles that the log only grew; what it cosigns is
added to DIR/checkpoint.

A witness line of the policy: witness <name> <verifier key> https://witness.example/

Exit codes: 0 witnessed as the policy asks; 1 not, or failed; 2 the policy cannot be read."
)]
pub(in crate::cli) struct CosignCommand {
    /// Folder of a published log
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Trust policy that names the witnesses
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

impl CosignCommand {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<ExitStatus> {
        let policy = TrustPolicy::parse(&read_limited(&self.policy, POLICY_SIZE_MAX)?)
            .map_err(|error| UnusableInput(format!("{}: {error}", self.policy.display())))?;
        let (signed, asked) = cosign(&self.folder, &policy)
            .await
            .with_context(|| format!("{}", self.folder.display()))?;
        let judged = policy.witnessed(&signed);
        unread_too(self.print(&signed, &asked, &judged))?;
        Ok(match judged {
            Ok(_) => ExitStatus::Success,
            Err(_) => ExitStatus::Failure,
        })
    }

    fn print(
        &self,
        signed: &SignedCheckpoint,
        asked: &[Asked],
        judged: &Result<Witnessed, NotWitnessed>,
    ) -> anyhow::Result<()> {
        let checkpoint = signed.checkpoint();
        if self.output.json {
            let asked: Vec<_> = asked
                .iter()
                .map(|asked| {
                    json!({
                        "witness": asked.witness.to_string(),
                        "time_s": asked.outcome.as_ref().ok(),
                        "reason": asked.outcome.as_ref().err().map(ToString::to_string),
                    })
                })
                .collect();
            return print_json(&json!({
                "log": checkpoint.log.to_string(),
                "size": checkpoint.size,
                "asked": asked,
                "witnessed": judged.is_ok(),
            }));
        }
        for asked in asked {
            let told = match &asked.outcome {
                Ok(time_s) => format!("cosigned at {time_s} s"),
                Err(error) => error.to_string(),
            };
            print_line(&format!("{}: {told}", asked.witness))?;
        }
        let size = checkpoint.size;
        match judged {
            Ok(_) => print_line(&format!("witnessed up to {size} entries")),
            Err(error) => print_line(&format!("not witnessed up to {size} entries: {error}")),
        }
    }
}
