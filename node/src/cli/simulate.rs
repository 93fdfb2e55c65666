//! `symphony simulate`: the paper's experiments.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use symphony_simulation::experiments::{Request, Section, produce, published_section};

use super::{
    arguments::OutputArgs,
    exit::{ExitStatus, UnusableInput},
    output::{print_json, print_text},
    progress::bar,
};

/// Runs the paper's experiments on a real coordinator in a simulated world
///
/// Experiments: exp1, exp2, exp3, delay, join, failures, liars, shortlist, executors, collective, regret, settings, weights, offpolicy, plans,
/// scaling; without a name all of them. The same seeds give the same bytes, but for the times of `scaling`.
#[derive(Args, Debug)]
pub(super) struct SimulateCommand {
    /// Names of experiments
    experiments: Vec<String>,
    /// How many seeds
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1_000_001)]
    seed: u64,
    /// Folder for the report, its tables and its charts; without it the report goes to standard output
    #[arg(long)]
    out: Option<PathBuf>,
    /// Shows the shock experiment as its authors ran it, flaw included, beside a repaired run; runs nothing else
    #[arg(long)]
    as_published: bool,
    #[command(flatten)]
    output: OutputArgs,
}

impl SimulateCommand {
    /// Runs on all cores; needs no runtime.
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        if self.as_published {
            print_text(&published_section())?;
            return Ok(ExitStatus::Success);
        }
        let mut request = Request {
            sections: Vec::new(),
            first_seed: self.seed,
            seeds: self.seeds,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            shorter: 1,
            origin: format!("symphony {}.", env!("CARGO_PKG_VERSION")),
        };
        for name in &self.experiments {
            let section = Section::from_name(name).ok_or_else(|| {
                let names: Vec<&str> = Section::all().into_iter().map(Section::name).collect();
                let names = names.join(", ");
                UnusableInput(format!("no experiment {name:?}: expected one of {names}"))
            })?;
            request.sections.push(section);
        }
        if self.experiments.is_empty() {
            request.sections = Section::all();
        }
        let drawn: ProgressBar = bar(0, "runs");
        let files = produce(&request, &|name, done, total| {
            drawn.set_message(name.to_owned());
            drawn.set_length(total as u64);
            drawn.set_position(done as u64);
        })?;
        drawn.finish_and_clear();
        if let Some(folder) = &self.out {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("folder {}", folder.display()))?;
            for file in &files {
                let path = folder.join(&file.name);
                std::fs::write(&path, &file.content).with_context(|| path.display().to_string())?;
            }
        }
        // Pictures of pixels are for a folder.
        for (file, text) in files
            .iter()
            .filter_map(|file| Some((file, file.as_text()?)))
        {
            if self.output.json {
                print_json(&json!({ "file": file.name, "content": text }))?;
            } else if self.out.is_none() && file.name == "report.md" {
                print_text(text)?;
            }
        }
        Ok(ExitStatus::Success)
    }
}
