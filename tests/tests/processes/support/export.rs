//! Exported logs: auditing them in a process of its own, reading and changing them.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context as _;
use serde_json::Value;
use symphony_ledger::symlog::{ExportHeader, ExportReader, ExportWriter};
use symphony_protocol::records::Entry;
use tokio::process::Command;

use super::symphony;

/// What `symphony audit FILE… --json` said.
#[derive(Debug)]
pub(crate) struct Audited {
    /// Exit code.
    pub(crate) code: Option<i32>,
    /// One object a log.
    pub(crate) reports: Vec<Value>,
    /// Standard error.
    pub(crate) errors: String,
}

impl Audited {
    /// Panics unless the log is clean and its computed root is the one signed.
    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
        for report in &self.reports {
            assert_eq!(report["verdict"], "clean", "{report}");
            assert_eq!(report["fault"], Value::Null, "{report}");
            assert!(report["state_root"].is_string(), "{report}");
            assert_eq!(
                report["state_root"], report["claimed_state_root"],
                "{report}"
            );
        }
    }
}

/// Audits files in a process that sees nothing else: an empty home, an empty environment, an empty folder.
pub(crate) async fn audit(files: &[PathBuf]) -> anyhow::Result<Audited> {
    audit_with(&[], files).await
}

/// The same, with flags.
pub(crate) async fn audit_with(flags: &[&str], files: &[PathBuf]) -> anyhow::Result<Audited> {
    let nowhere = tempfile::tempdir()?;
    let output = Command::new(symphony())
        .args(["audit", "--json"])
        .args(flags)
        .args(files)
        .env_clear()
        .env("HOME", nowhere.path())
        .current_dir(nowhere.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!errors.contains("panicked"), "{errors}");
    let reports = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).context("a line that is no JSON"))
        .collect::<anyhow::Result<_>>()?;
    Ok(Audited {
        code: output.status.code(),
        reports,
        errors,
    })
}

/// The header and the exact bytes of all entries.
pub(crate) fn read_export(file: &Path) -> anyhow::Result<(ExportHeader, Vec<Vec<u8>>)> {
    let mut reader = ExportReader::new(std::io::BufReader::new(File::open(file)?))?;
    let header = reader.header().clone();
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        entries.push(entry);
    }
    Ok((header, entries))
}

/// The entries, read.
pub(crate) fn entries(file: &Path) -> anyhow::Result<Vec<Entry>> {
    let (header, all) = read_export(file)?;
    all.iter()
        .enumerate()
        .map(|(index, bytes)| {
            let network = (index > 0).then_some(&header.network_id);
            Ok(Entry::parse(bytes, network)?)
        })
        .collect()
}

/// Writes an export with other entries: well-formed as a file, whatever it says.
pub(crate) fn write_export(
    file: &Path,
    header: &ExportHeader,
    entries: &[Vec<u8>],
) -> anyhow::Result<()> {
    let mut writer = ExportWriter::new(File::create(file)?, header)?;
    for entry in entries {
        writer.write_entry(entry)?;
    }
    writer.finish()?;
    Ok(())
}
