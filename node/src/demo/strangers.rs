//! What strangers find: an audit of the exported files, and a check of each evidence file, in processes that see nothing else.

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::stage::Stage;

/// Most evidence files that are checked.
const EVIDENCE_MAX: usize = 64;

/// One line of `symphony audit --json`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AuditLine {
    /// Nothing for a file that names no peer.
    pub(super) peer: Option<String>,
    pub(super) verdict: String,
    pub(super) entries: u64,
    pub(super) selections: u64,
    pub(super) settlements: u64,
    #[serde(rename = "void")]
    pub(super) void_settlements: u64,
    pub(super) timeouts: u64,
    pub(super) state_root: Option<String>,
    pub(super) claimed_state_root: Option<String>,
    pub(super) entries_per_second: f64,
    pub(super) fault: Option<super::FaultLine>,
}

/// What an evidence file proves to a process that was given nothing else.
#[derive(Clone, Debug, Serialize)]
pub struct EvidenceLine {
    /// The file.
    pub file: PathBuf,
    /// Its size, in bytes.
    pub size: u64,
    /// Log key of the peer that it convicts.
    pub peer: Option<String>,
    /// Requirement id of the broken rule.
    pub rule: Option<String>,
    /// Whether it proves the fault.
    pub valid: bool,
    /// In plain words, what the peer did and why the file proves it.
    pub explanation: String,
}

/// One line of `symphony evidence verify --json`.
#[derive(Debug, Deserialize)]
struct Verified {
    peer: Option<String>,
    rule: Option<String>,
    valid: bool,
    explanation: String,
}

impl Stage {
    /// Audits exported files in a process of its own, which sees nothing else, and writes a proof of each fault.
    pub(super) async fn audit(&self, exports: &[PathBuf]) -> anyhow::Result<Vec<AuditLine>> {
        let program = std::env::current_exe()?;
        let output = Command::new(program)
            .arg("audit")
            .arg("--json")
            .arg("--evidence")
            .arg(self.evidence_folder())
            .args(exports)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await?;
        let mut lines = Vec::new();
        for line in output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            lines.push(
                serde_json::from_slice(line)
                    .with_context(|| format!("audit printed {}", String::from_utf8_lossy(line)))?,
            );
        }
        if lines.is_empty() {
            bail!(
                "the audit printed nothing and ended with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(lines)
    }

    /// Checks each evidence file that the audit wrote, in a process of its own.
    pub(super) async fn evidence(&self) -> anyhow::Result<Vec<EvidenceLine>> {
        let folder = self.evidence_folder();
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", folder.display()))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        files.truncate(EVIDENCE_MAX);
        let mut lines = Vec::with_capacity(files.len());
        for file in files {
            let output = Command::new(std::env::current_exe()?)
                .args(["evidence", "verify", "--json"])
                .arg(&file)
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .output()
                .await?;
            let verified: Verified = serde_json::from_slice(&output.stdout).with_context(|| {
                format!(
                    "evidence verify printed {}",
                    String::from_utf8_lossy(&output.stdout)
                )
            })?;
            lines.push(EvidenceLine {
                size: std::fs::metadata(&file)?.len(),
                file,
                peer: verified.peer,
                rule: verified.rule,
                valid: verified.valid,
                explanation: verified.explanation,
            });
        }
        Ok(lines)
    }

    fn evidence_folder(&self) -> PathBuf {
        self.folder().join("evidence")
    }
}
