//! `symphony log witnessed`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use symphony_protocol::records::{Body, Entry};
use symphony_transparency::{
    CHECKPOINT_SIZE_MAX, NotWitnessed, PublicKey, SignedCheckpoint, TrustPolicy, Witnessed,
    trust_policy::{POLICY_SIZE_MAX, WitnessedBy},
};

use crate::{
    audit::ExportFile,
    cli::{
        arguments::OutputArgs,
        exit::{ExitStatus, UnusableInput},
        output::{print_json, print_line, unread_too},
    },
};

/// Judges a checkpoint by a trust policy.
#[derive(Args, Debug)]
#[command(
    after_help = "FILE is an exported log (.symlog) or a checkpoint, as it stands at /checkpoint of a log that is served; of a
checkpoint alone the policy must list the log, since nothing else tells its key.

The policy is a file in the format of C2SP tlog-policy:

  witness alice symphony/v1/<network id>/<alice's log id>/witness+<key id>+<key>
  witness bob   symphony/v1/<network id>/<bob's log id>/witness+<key id>+<key>
  group friends any alice bob
  quorum friends

Witnessed means that these witnesses saw this one history. Whether the log obeys the rules is for `symphony audit`.

Exit codes: 0 witnessed; 1 not witnessed, or failed; 2 the file or the policy cannot be read."
)]
pub(in crate::cli) struct WitnessedCommand {
    /// Exported log (.symlog) or checkpoint
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Trust policy
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

impl WitnessedCommand {
    pub(in crate::cli) fn run(self) -> anyhow::Result<ExitStatus> {
        let policy = read_limited(&self.policy, POLICY_SIZE_MAX)?;
        let policy = TrustPolicy::parse(&policy)
            .map_err(|error| UnusableInput(format!("{}: {error}", self.policy.display())))?;
        let signed = signed(&self.file, &policy)?;
        let judged = policy.witnessed(&signed);
        unread_too(self.print(&signed, &policy, &judged))?;
        Ok(match judged {
            Ok(_) => ExitStatus::Success,
            Err(_) => ExitStatus::Failure,
        })
    }

    fn print(
        &self,
        signed: &SignedCheckpoint,
        policy: &TrustPolicy,
        judged: &Result<Witnessed, NotWitnessed>,
    ) -> anyhow::Result<()> {
        let (by, reason): (&[WitnessedBy], _) = match judged {
            Ok(witnessed) => (&witnessed.by, None),
            Err(NotWitnessed::Quorum { by, .. }) => (by, judged.as_ref().err()),
            Err(_) => (&[], judged.as_ref().err()),
        };
        let checkpoint = signed.checkpoint();
        if self.output.json {
            let by: Vec<_> = by
                .iter()
                .map(|by| json!({ "witness": by.witness.to_string(), "time_s": by.time_s }))
                .collect();
            return print_json(&json!({
                "witnessed": judged.is_ok(),
                "log": checkpoint.log.to_string(),
                "size": checkpoint.size,
                "quorum": policy.quorum().map(ToString::to_string),
                "by": by,
                "reason": reason.map(ToString::to_string),
            }));
        }
        let (log, size) = (checkpoint.log, checkpoint.size);
        match reason {
            None => print_line(&format!("log {log} is witnessed up to {size} entries"))?,
            Some(reason) => print_line(&format!(
                "log {log} is not witnessed up to {size} entries: {reason}"
            ))?,
        }
        for by in by {
            print_line(&format!("  cosigned by {} at {} s", by.witness, by.time_s))?;
        }
        Ok(())
    }
}

/// The bytes of a file of limited size.
pub(super) fn read_limited(path: &Path, size_max: usize) -> anyhow::Result<Vec<u8>> {
    let refused =
        |error: &dyn std::fmt::Display| UnusableInput(format!("{}: {error}", path.display()));
    let size = std::fs::metadata(path)
        .map_err(|error| refused(&error))?
        .len();
    if size > size_max as u64 {
        let message = format!("{size} bytes, more than {size_max}");
        return Err(refused(&message).into());
    }
    Ok(std::fs::read(path).map_err(|error| refused(&error))?)
}

/// The checkpoint of a file, with its log's signature.
fn signed(path: &Path, policy: &TrustPolicy) -> anyhow::Result<SignedCheckpoint> {
    let refused = |error: &dyn std::fmt::Display| {
        anyhow::Error::from(UnusableInput(format!("{}: {error}", path.display())))
    };
    let (text, key) = if path
        .extension()
        .is_some_and(|extension| extension == "symlog")
    {
        exported(path).map_err(|error| refused(&format!("{error:#}")))?
    } else {
        let text = String::from_utf8(read_limited(path, CHECKPOINT_SIZE_MAX)?)
            .map_err(|_| refused(&"this is no text"))?;
        let claimed = SignedCheckpoint::parse_unverified(&text).map_err(|error| refused(&error))?;
        let origin = claimed.origin();
        let listed = policy.logs().iter().find(|log| log.key.name() == origin);
        let listed = listed.ok_or_else(|| {
            refused(&format!(
                "the policy does not list the log {origin}, so that its key is not known"
            ))
        })?;
        (text, *listed.key.key())
    };
    SignedCheckpoint::parse_and_verify(&text, &key).map_err(|error| refused(&error))
}

/// The checkpoint of an export, and the key that its entry 0 names.
fn exported(path: &Path) -> anyhow::Result<(String, PublicKey)> {
    let mut file = ExportFile::open(path)?;
    let text = file.header().checkpoint.clone();
    let text = text.context("the export holds no checkpoint")?;
    let entry_0 = file.next_entry()?.context("the export holds no entries")?;
    let Body::Genesis(genesis) = Entry::parse(&entry_0, None)?.body else {
        anyhow::bail!("entry 0 is no genesis");
    };
    let claimed = SignedCheckpoint::parse_unverified(&text)?;
    let log = symphony_transparency::log_id(&entry_0);
    anyhow::ensure!(claimed.log == log, "the checkpoint is of another log");
    Ok((text, genesis.keys.log))
}
