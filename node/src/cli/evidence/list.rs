//! `symphony evidence list`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::cli::{
    arguments::OutputArgs,
    connect::NodeArgs,
    exit::ExitStatus,
    output::{print_json, print_lines, table},
};

/// Most files that are listed: a node keeps at most as many.
const FILES_MAX: usize = 1_024;

/// Lists the files that a running node keeps.
#[derive(Args, Debug)]
#[command(
    after_help = "The node verified each file, whether it made it or another peer did. Examples:
  symphony evidence list
  symphony evidence list --out evidence/       and writes each into the folder, as <digest>.evidence"
)]
pub(in crate::cli) struct ListCommand {
    /// Folder into which the files are written, too
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl ListCommand {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<ExitStatus> {
        let client = self.node.connect().await?;
        let files = client.evidence().await?;
        let files = files.collect_at_most(FILES_MAX).await?;
        if let Some(folder) = &self.out {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            for file in &files {
                let path = folder.join(format!("{}.evidence", file.digest));
                std::fs::write(&path, &file.file).with_context(|| path.display().to_string())?;
            }
        }
        let peer = |file: &symphony_admin::v1::Evidence| {
            file.peer
                .as_ref()
                .map(|peer| peer.did_key.clone())
                .unwrap_or_default()
        };
        if self.output.json {
            for file in &files {
                print_json(&json!({
                    "peer": peer(file), "rule": file.rule, "digest": file.digest,
                    "size": file.file.len(), "explanation": file.explanation,
                }))?;
            }
            return Ok(ExitStatus::Success);
        }
        let rows: Vec<Vec<String>> = files
            .iter()
            .map(|file| {
                vec![
                    file.rule.clone(),
                    file.file.len().to_string(),
                    file.digest.clone(),
                    peer(file),
                ]
            })
            .collect();
        print_lines(&table(&["RULE", "BYTES", "DIGEST", "PEER"], &rows))?;
        Ok(ExitStatus::Success)
    }
}
