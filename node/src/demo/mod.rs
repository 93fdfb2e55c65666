//! `symphony demo`: a whole network on one machine, with real processes, real models and real questions; some peers cheat.
//!
//! The demo is a client like any other: it makes home folders, starts processes, talks gRPC to their admin sockets, and
//! audits with a separate process that reads nothing but exported files.

mod baseline;
mod cast;
mod contract;
mod report;
mod show;
mod stage;
mod strangers;

use std::{io::Write as _, path::PathBuf, time::Duration};

use clap::Args;

use crate::cli::output::print_text;

pub use contract::{Accuracy, DemoResult, FaultLine, PeerLine, WindowLine};

/// Arguments of the demo.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Questions: BIG-Bench Hard JSON, or JSON lines with `input` and `target`; by default a mix is generated.
    #[arg(long, value_name = "FILE")]
    pub tasks: Option<PathBuf>,
    /// How many questions are asked at most.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub count: u64,
    /// Seed of the generated questions and of their order.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Keeps everything in this folder: homes, logs, exports.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Questions that are under way at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub concurrency: u64,
    /// Ends with one JSON object on the last line of standard output.
    #[arg(long)]
    pub json: bool,
    /// Program of the model engine; by default `symphony-engine` beside this program.
    #[arg(long, env = "SYMPHONY_ENGINE_BINARY", value_name = "FILE")]
    pub engine: Option<PathBuf>,
    /// Folder of the cheating programs; by default that of this program.
    #[arg(long, env = "SYMPHONY_CHEAT_BINARY", value_name = "DIR")]
    pub cheats: Option<PathBuf>,
    /// Folder of the models.
    #[arg(
        long,
        env = "SYMPHONY_MODELS",
        value_name = "DIR",
        default_value = "models"
    )]
    pub models: PathBuf,
}

/// Most tokens of one answer to a generated question, in the run as in the baselines: twice what the longest right
/// one takes. A specialist that is asked about something else often babbles to the end.
const OUTPUT_TOKENS_GENERATED: u32 = 96;
/// The same for questions from a file, which may need long answers.
const OUTPUT_TOKENS_FILE: u32 = 400;
/// Time for all peers to find each other.
const MEETING_MAX: Duration = Duration::from_secs(60);
/// Time for the others to follow the liar's log to the lie, after the last question.
const JUDGEMENT_MAX: Duration = Duration::from_secs(30);

impl DemoArgs {
    /// Most tokens of one answer.
    fn output_tokens_max(&self) -> u32 {
        match self.tasks {
            None => OUTPUT_TOKENS_GENERATED,
            Some(_) => OUTPUT_TOKENS_FILE,
        }
    }
}

/// Runs the demo and prints what happened.
///
/// # Errors
/// A missing program, model or tasks file, or a process that does not do its part.
pub async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let questions = show::Questions::load(&args)?;
    let mut stage = stage::Stage::set(&args, &questions).await?;
    let result = perform(&args, &mut stage, questions).await;
    stage.end().await;
    let result = result?;
    if args.json {
        print_text(&format!("{}\n", serde_json::to_string(&result)?))?;
    }
    Ok(())
}

async fn perform(
    args: &DemoArgs,
    stage: &mut stage::Stage,
    questions: show::Questions,
) -> anyhow::Result<DemoResult> {
    stage.meet(MEETING_MAX).await?;
    let performance = show::Performance::play(args, stage, questions).await?;
    let sightings = stage.await_judgement(JUDGEMENT_MAX).await;
    let exports = stage.export().await?;
    stage.close_nodes().await;
    let audits = stage.audit(&exports).await?;
    let evidence = stage.evidence().await?;
    let baseline = baseline::Baseline::measure(stage, &performance).await?;
    let result =
        contract::DemoResult::new(stage, &performance, &audits, &baseline, &exports, evidence);
    let report = report::text(stage, &performance, &sightings, &audits, &baseline, &result);
    // A script reads standard output: there the JSON object stands alone.
    if args.json {
        std::io::stderr().write_all(report.as_bytes())?;
    } else {
        print_text(&report)?;
    }
    Ok(result)
}
