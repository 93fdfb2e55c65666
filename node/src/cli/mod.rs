//! The command line. Every command, its flags and exit codes are described in `docs/cli.md`.
//!
//! Results go to standard output, everything else to standard error. The commands decide nothing: they ask a running node,
//! read a home folder, or call the [`crate::audit`] and [`crate::demo`] modules.

mod arguments;
mod audit;
mod connect;
mod evidence;
mod exit;
mod log;
mod logging;
mod node;
mod offline;
pub(crate) mod output;
mod peers;
mod policy;
mod progress;
mod signing_record;
mod simulate;
mod task;
mod trust;

use std::process::ExitCode;

use clap::Parser as _;

pub use arguments::Cli;
pub use exit::ExitStatus;

use self::arguments::Command;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing can be told to anybody if this fails.
            let _ = error.print();
            return if error.use_stderr() {
                ExitStatus::UnusableInput.into()
            } else {
                ExitStatus::Success.into()
            };
        }
    };
    let default_filter = match &cli.command {
        // The table of peers warns each time that it finds nobody to ask, which is no trouble of a node that is the first or alone.
        Command::Node(command) if command.runs() => "info,libp2p_kad=error",
        _ => "warn",
    };
    let ran = logging::start(&cli.logging, default_filter).and_then(|()| run(cli.command));
    match ran {
        Ok(status) => status.into(),
        // Whoever read the output has seen enough, as in `symphony log show | head`.
        Err(error) if output::is_closed(&error) => ExitStatus::Success.into(),
        Err(error) => {
            output::complain(&format!("error: {}", output::with_causes(&error)));
            exit::status_of(&error).into()
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitStatus> {
    // An audit of files needs no runtime, and works where no threads may be had.
    let command = match command {
        Command::Audit(command) if command.reads_files() => return command.run_files(),
        command => command,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let status = runtime.block_on(async {
        match command {
            Command::Node(command) => command.run().await,
            Command::Task(command) => command.run().await,
            Command::Log(command) => command.run().await,
            Command::Audit(command) => command.run_node().await,
            Command::Evidence(command) => command.run().await,
            Command::Policy(command) => command.run().await,
            Command::Peers(command) => command.run().await,
            Command::Capabilities(command) => command.run().await,
            Command::SigningRecord(command) => command.run(),
            Command::Simulate(command) => command.run(),
            Command::Demo(arguments) => crate::demo::run(arguments)
                .await
                .map(|()| ExitStatus::Success),
        }
    });
    // Blocking reads that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    status
}
