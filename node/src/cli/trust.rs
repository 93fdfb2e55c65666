//! A trust policy on the command line: which of the checkpoints in exported logs count as witnessed.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};
use symphony_transparency::{
    SignedCheckpoint, TrustPolicy,
    trust_policy::{NotWitnessed, POLICY_SIZE_MAX},
};

use super::exit::UnusableInput;
use crate::audit::ExportFile;

/// Whom to trust as witnesses.
#[derive(Args, Debug)]
pub(super) struct TrustArgs {
    /// Trust policy (C2SP format): says of each log whether its checkpoint is witnessed
    #[arg(long, value_name = "FILE", requires = "files")]
    trust_policy: Option<PathBuf>,
}

impl TrustArgs {
    /// The policy, if one is named.
    ///
    /// # Errors
    /// A file that is no policy, naming the line.
    pub(super) fn policy(&self) -> Result<Option<TrustPolicy>, UnusableInput> {
        let Some(path) = &self.trust_policy else {
            return Ok(None);
        };
        let named =
            |reason: &dyn std::fmt::Display| UnusableInput(format!("{}: {reason}", path.display()));
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| {
                file.take(POLICY_SIZE_MAX as u64 + 1)
                    .read_to_end(&mut bytes)
            })
            .map_err(|error| named(&error))?;
        let policy = TrustPolicy::parse(&bytes).map_err(|error| named(&error))?;
        Ok(Some(policy))
    }
}

/// What a policy says of the checkpoint in a file whose audit was not unusable.
pub(super) struct Trusted {
    size: u64,
    judged: Result<Vec<(String, u64)>, NotWitnessed>,
}

/// Judges the checkpoint of an exported log; nothing if the file has none.
pub(super) fn judge(policy: &TrustPolicy, file: &Path) -> Option<Trusted> {
    let file = ExportFile::open(file).ok()?;
    let header = file.header();
    let note = header.checkpoint.as_deref()?;
    let signed = SignedCheckpoint::parse_and_verify(note, &header.log_key).ok()?;
    Some(Trusted {
        size: signed.checkpoint().size,
        judged: policy.witnessed(&signed).map(|witnessed| {
            let by = witnessed.by.into_iter();
            by.map(|by| (by.witness.to_string(), by.time_s)).collect()
        }),
    })
}

impl Trusted {
    /// As JSON: the size, and by whom and when, or why not.
    pub(super) fn json(&self) -> Value {
        match &self.judged {
            Ok(by) => json!({
                "size": self.size,
                "by": by.iter().map(|(witness, time_s)| json!({
                    "witness": witness, "time_s": time_s,
                })).collect::<Vec<_>>(),
            }),
            Err(reason) => json!({ "size": 0, "reason": reason.to_string() }),
        }
    }

    /// For people.
    pub(super) fn line(&self) -> String {
        match &self.judged {
            Ok(by) => {
                let names: Vec<&str> = by.iter().map(|(witness, _)| witness.as_str()).collect();
                format!(
                    "witnessed up to {} entries by {}",
                    self.size,
                    names.join(", ")
                )
            }
            Err(reason) => format!("not witnessed: {reason}"),
        }
    }
}
