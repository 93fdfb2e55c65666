//! The command line of `symphony-engine`.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::device::Device;
use crate::source::ModelSource;

/// Most requests that may wait, whatever the command line says: each can hold a whole prompt in memory.
pub const QUEUE_COUNT_MAX: u32 = 4_096;
/// Most requests computed at the same time.
pub const RUNNING_COUNT_MAX: u32 = 64;

/// `symphony-engine`: serves one model over a Unix socket, or describes it.
#[derive(Debug, Parser)]
#[command(
    version,
    about = "Serves one model to one peer over gRPC on a Unix socket.",
    args_conflicts_with_subcommands = true,
    after_help = "Exit codes: 0 clean shutdown, 1 failure, 2 unusable model or arguments, 101 the engine crashed."
)]
pub struct Arguments {
    /// Another command than serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Which model to serve.
    #[command(flatten)]
    pub model: Option<ModelArguments>,
    /// How to serve it.
    #[command(flatten)]
    pub serve: ServeArguments,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Task {
    /// Print what a model's files show.
    Describe(ModelSource),
    /// Serve a model.
    Serve {
        /// Which one.
        source: ModelSource,
        /// Unix socket to listen on.
        socket: PathBuf,
        /// How.
        arguments: ServeArguments,
    },
}

impl Arguments {
    /// What is asked for.
    ///
    /// # Errors
    ///
    /// What is missing, as clap reports it.
    pub fn task(self) -> Result<Task, clap::Error> {
        let missing = |what: &str| {
            Self::command().error(
                ErrorKind::MissingRequiredArgument,
                format!("{what} is missing"),
            )
        };
        let no_model = || missing("one of --model, --gguf and --hub-id");
        if let Some(Command::Describe(model)) = self.command {
            return model.source().map(Task::Describe).ok_or_else(no_model);
        }
        let source = self
            .model
            .as_ref()
            .and_then(ModelArguments::source)
            .ok_or_else(no_model)?;
        let socket = self
            .serve
            .socket
            .clone()
            .ok_or_else(|| missing("--socket"))?;
        Ok(Task::Serve {
            source,
            socket,
            arguments: self.serve,
        })
    }
}

/// Commands other than serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints one JSON object on a model's files without loading it: name, digest, architecture, sizes.
    Describe(ModelArguments),
}

/// Which model.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct ModelArguments {
    /// Folder with config.json, tokenizer.json and *.safetensors.
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// GGUF file; a tokenizer.json beside it is used in place of the one inside.
    #[arg(long, value_name = "FILE")]
    pub gguf: Option<PathBuf>,
    /// Hub model to download, for example "Qwen/Qwen3-0.6B". The only option that reaches the network.
    #[arg(long, value_name = "ID")]
    pub hub_id: Option<String>,
}

impl ModelArguments {
    /// The chosen source; clap has made sure that there are not two.
    pub fn source(&self) -> Option<ModelSource> {
        match (&self.model, &self.gguf, &self.hub_id) {
            (Some(folder), _, _) => Some(ModelSource::Folder(folder.clone())),
            (_, Some(file), _) => Some(ModelSource::Gguf(file.clone())),
            (_, _, Some(id)) => Some(ModelSource::Hub(id.clone())),
            _ => None,
        }
    }
}

/// How to serve a model.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Unix socket to listen on; made with mode 0600.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Device that computes; cuda uses the first device visible (CUDA_VISIBLE_DEVICES).
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    pub device: Device,
    /// Inference threads on the CPU.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: u32,
    /// Requests computed at the same time. Above 1 they share forward passes, and then an answer can depend on what else is
    /// asked: mistral.rs 0.8.1 gives prompts of different length other texts together than alone.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(RUNNING_COUNT_MAX)))]
    pub max_running: u32,
    /// Requests that may wait; one more is refused.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(0..=i64::from(QUEUE_COUNT_MAX)))]
    pub max_queue: u32,
    /// Most tokens of one answer.
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=131_072))]
    pub max_tokens: u32,
    /// Folder for the model library's cache and for downloaded models [default: ~/.cache/symphony/engine].
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Exit as soon as standard input closes: a supervisor that dies takes the engine with it.
    #[arg(long)]
    pub supervised: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(arguments: &[&str]) -> Result<Task, clap::Error> {
        let program = std::iter::once("symphony-engine");
        Arguments::try_parse_from(program.chain(arguments.iter().copied()))?.task()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn one_model_source_and_a_socket_are_required() {
        let served = task(&["--socket", "s", "--gguf", "a", "--threads", "2"]).expect("valid");
        let Task::Serve {
            source,
            socket,
            arguments,
        } = served
        else {
            panic!("to serve")
        };
        assert_eq!(
            (source, socket),
            (ModelSource::Gguf("a".into()), "s".into())
        );
        assert_eq!((arguments.threads, arguments.device), (2, Device::Cpu));
        assert!(task(&["--socket", "s"]).is_err());
        assert!(task(&["--model", "a"]).is_err());
        assert!(task(&["--socket", "s", "--model", "a", "--gguf", "b"]).is_err());
        assert!(task(&[]).is_err());
    }

    #[test]
    fn describe_takes_a_model_and_nothing_else() {
        let described = task(&["describe", "--model", "a"]).expect("valid");
        assert!(matches!(described, Task::Describe(ModelSource::Folder(_))));
        assert!(task(&["describe"]).is_err());
        assert!(task(&["describe", "--socket", "a"]).is_err());
    }

    #[test]
    fn numbers_have_ranges() {
        for wrong in [
            ["--threads", "0"],
            ["--max-running", "65"],
            ["--max-queue", "4097"],
            ["--max-tokens", "0"],
        ] {
            assert!(
                task(&["--socket", "s", "--model", "a", wrong[0], wrong[1]]).is_err(),
                "{wrong:?}"
            );
        }
    }
}
