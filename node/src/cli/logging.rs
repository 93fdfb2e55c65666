//! Structured logs, on standard error.

use std::io::IsTerminal as _;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use super::exit::UnusableInput;

/// What is logged.
#[derive(Args, Clone, Debug)]
pub(super) struct LoggingArgs {
    /// What is logged to standard error, such as `debug` or `symphony_network=debug,info` [default: info for `node run`,
    /// otherwise warn]
    #[arg(long, global = true, env = "SYMPHONY_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Form of the log
    #[arg(
        long,
        global = true,
        env = "SYMPHONY_LOG_FORMAT",
        value_enum,
        default_value_t = LogFormat::Text,
        hide_possible_values = true,
        value_name = "text|json"
    )]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// Begins to log.
///
/// # Errors
/// A filter that cannot be read.
pub(super) fn start(arguments: &LoggingArgs, default_filter: &str) -> anyhow::Result<()> {
    let text = arguments.log.as_deref().unwrap_or(default_filter);
    let filter = EnvFilter::try_new(text)
        .map_err(|error| UnusableInput(format!("log filter {text:?}: {error}")))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A line that nobody reads is lost. To say so on the same closed output would be a panic.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match arguments.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("log: {error}"))
}
