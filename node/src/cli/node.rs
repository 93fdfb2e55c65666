//! `symphony node init|run`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use symphony_executor::{
    EngineDevice, EngineModel, EngineProcessConfig, ExecutorConfig, ExternalCommandConfig,
    OpenAiEndpointConfig,
};

use super::{
    arguments::OutputArgs,
    connect::HomeArgs,
    exit::{ExitStatus, UnusableInput},
    output::{complain, print_json, print_line},
    progress,
};
use crate::{
    config::{Config, PolicyChoice},
    home::Home,
    runtime::{self, Hooks},
};

/// Makes and runs a node.
#[derive(Debug, Subcommand)]
pub(super) enum NodeCommand {
    /// Makes a home folder: keys, settings, and the first entry of the log
    Init(Box<InitArgs>),
    /// Runs the node of a home folder until it is interrupted
    Run(RunArgs),
}

/// What a new node is.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  symphony node init --tag general --endpoint http://localhost:11434/v1 --model llama3.2
  symphony node init --tag boolean-expressions --model-folder models/boolean_expressions
  symphony node init                      a node that asks and audits, and answers nothing

Everything else is set in config.toml in the home folder; docs/cli.md describes it.")]
pub(super) struct InitArgs {
    #[command(flatten)]
    home: HomeArgs,
    /// Settings to begin with (TOML); flags stand above them
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Name of the network
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Proof of work on admission to the network, in leading zero bits, 0 to 40: all peers of a network agree on it
    #[arg(long, value_name = "BITS")]
    difficulty: Option<u32>,
    /// Skill that the peer offers; may be repeated
    #[arg(long = "tag", value_name = "WORD")]
    tags: Vec<String>,
    /// What the peer is good at, in words
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Answers through an OpenAI-compatible endpoint, such as Ollama's http://localhost:11434/v1
    #[arg(long, value_name = "URL", requires = "model", conflicts_with_all = ["model_folder", "gguf", "command"])]
    endpoint: Option<String>,
    /// Name of the model at the endpoint, or of the command's model
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Answers with a model from this folder (config.json, tokenizer.json, *.safetensors)
    #[arg(long, value_name = "DIR", conflicts_with_all = ["gguf", "command"])]
    model_folder: Option<PathBuf>,
    /// Answers with a model from a GGUF file
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    gguf: Option<PathBuf>,
    /// Answers with an external program that speaks JSON lines
    #[arg(long, value_name = "PROGRAM", requires = "model")]
    command: Option<PathBuf>,
    /// Where a local model computes
    #[arg(
        long,
        value_enum,
        value_name = "cpu|cuda|metal",
        hide_possible_values = true
    )]
    device: Option<DeviceChoice>,
    /// Threads of a local model on the processor
    #[arg(long, value_name = "COUNT")]
    threads: Option<u32>,
    /// Learning rule
    #[arg(long, value_enum, value_name = "KIND")]
    policy: Option<PolicyArgument>,
    #[command(flatten)]
    addresses: AddressArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Where a node listens and whom it dials.
#[derive(Args, Debug)]
struct AddressArgs {
    /// Address to listen at, such as /ip4/0.0.0.0/udp/4791/quic-v1; may be repeated
    #[arg(long, value_name = "MULTIADDR")]
    listen: Vec<String>,
    /// Peer to dial at the start, such as /ip4/192.0.2.7/tcp/4791; may be repeated
    #[arg(long, value_name = "MULTIADDR")]
    bootstrap: Vec<String>,
}

/// How a node is run.
#[derive(Args, Debug)]
#[command(
    after_help = "Settings come from config.toml in the home folder, then from variables such as
SYMPHONY_CONFIG_PROFILE__PRICE_MICROUNITS, then from flags. An interrupt (Ctrl-C) or SIGTERM ends the node cleanly: it
signs a last checkpoint, syncs its log and closes; a second one ends it at once, which loses nothing either.

Examples:
  symphony node run
  symphony node run --home peer-2 --bootstrap /ip4/127.0.0.1/tcp/4791 --log debug"
)]
pub(super) struct RunArgs {
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    addresses: AddressArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DeviceChoice {
    Cpu,
    Cuda,
    Metal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PolicyArgument {
    Shared,
    Paper,
    Disjoint,
    Hybrid,
    Strongest,
    Screening,
    Random,
    RandomTop,
    EpsilonGreedy,
    Thompson,
}

impl From<PolicyArgument> for PolicyChoice {
    fn from(argument: PolicyArgument) -> Self {
        match argument {
            PolicyArgument::Shared => Self::Shared,
            PolicyArgument::Paper => Self::Paper,
            PolicyArgument::Disjoint => Self::Disjoint,
            PolicyArgument::Hybrid => Self::Hybrid,
            PolicyArgument::Strongest => Self::Strongest,
            PolicyArgument::Screening => Self::Screening,
            PolicyArgument::Random => Self::Random,
            PolicyArgument::RandomTop => Self::RandomTop,
            PolicyArgument::EpsilonGreedy => Self::EpsilonGreedy,
            PolicyArgument::Thompson => Self::Thompson,
        }
    }
}

impl NodeCommand {
    /// Whether this keeps running, so that its log is worth reading.
    pub(super) fn runs(&self) -> bool {
        matches!(self, Self::Run(_))
    }

    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Init(arguments) => init(*arguments).await,
            Self::Run(arguments) => run(arguments).await,
        }
    }
}

async fn init(arguments: InitArgs) -> anyhow::Result<ExitStatus> {
    let config = arguments.settings()?;
    config.validate()?;
    if let Some(warning) = config.offers_nothing() {
        complain(&format!("warning: {warning}"));
    }
    let folder = arguments.home.folder();
    let spinner = progress::spinner("searching a stamp for the log");
    let made = Home::init(&folder, &config, |tried| {
        spinner.set_message(format!("searching a stamp for the log: {tried} tried"));
    })
    .await;
    spinner.finish_and_clear();
    let (home, log) = made?;
    let key = home.secret("log")?.public();
    if arguments.output.json {
        print_json(&json!({
            "home": home.folder().display().to_string(),
            "peer": key.to_string(),
            "log": log.to_string(),
            "network": config.network.name,
            "config": home.config_file().display().to_string(),
        }))?;
        return Ok(ExitStatus::Success);
    }
    print_line(&format!("peer     {key}"))?;
    print_line(&format!("log      {log}"))?;
    print_line(&format!("settings {}", home.config_file().display()))?;
    let run = if folder == Home::default_folder() {
        "symphony node run".to_owned()
    } else {
        format!("symphony node run --home {}", folder.display())
    };
    print_line(&format!("run it with `{run}`"))?;
    Ok(ExitStatus::Success)
}

impl InitArgs {
    fn settings(&self) -> anyhow::Result<Config> {
        let mut config = Config::load(self.config.as_deref())?;
        if let Some(name) = &self.network {
            config.network.name.clone_from(name);
        }
        if let Some(bits) = self.difficulty {
            config.network.admission_difficulty_bits = bits;
        }
        if !self.tags.is_empty() {
            config.profile.tags.clone_from(&self.tags);
            config.profile.tags.sort_unstable();
            config.profile.tags.dedup();
        }
        if self.description.is_some() {
            config.profile.description.clone_from(&self.description);
        }
        if let Some(executor) = self.executor()? {
            config.executor = Some(executor);
        }
        if let Some(policy) = self.policy {
            config.policy.kind = policy.into();
        }
        self.addresses.apply(&mut config);
        Ok(config)
    }

    fn executor(&self) -> anyhow::Result<Option<ExecutorConfig>> {
        let model = self.model.clone().unwrap_or_default();
        if let Some(endpoint) = &self.endpoint {
            let endpoint = OpenAiEndpointConfig::new(endpoint.clone(), model);
            return Ok(Some(ExecutorConfig::OpenAi(endpoint)));
        }
        if let Some(command) = &self.command {
            let command = ExternalCommandConfig::new(command.clone(), model);
            return Ok(Some(ExecutorConfig::Command(command)));
        }
        self.find_model()?;
        // The settings lie in another folder than the one that a relative path was meant from.
        let absolute = |path: &PathBuf| {
            std::path::absolute(path).with_context(|| format!("{}", path.display()))
        };
        let named = match (&self.model_folder, &self.gguf) {
            (Some(folder), _) => EngineModel::Folder(absolute(folder)?),
            (None, Some(file)) => EngineModel::Gguf(absolute(file)?),
            (None, None) => return Ok(None),
        };
        let mut engine = EngineProcessConfig::new(named);
        engine.threads = self.threads.unwrap_or(engine.threads);
        engine.device = match self.device {
            Some(DeviceChoice::Cuda) => EngineDevice::Cuda,
            Some(DeviceChoice::Metal) => EngineDevice::Metal,
            Some(DeviceChoice::Cpu) => EngineDevice::Cpu,
            None => engine.device,
        };
        Ok(Some(ExecutorConfig::Engine(engine)))
    }

    /// Refuses a local model that is not there: the node would have its keys and its stamp, and could not run.
    fn find_model(&self) -> Result<(), UnusableInput> {
        let (path, found, expected) = match (&self.model_folder, &self.gguf) {
            (Some(folder), _) => (
                folder,
                folder.join("config.json").is_file(),
                "a folder with config.json, tokenizer.json and *.safetensors",
            ),
            (None, Some(file)) => (file, file.is_file(), "a GGUF file"),
            (None, None) => return Ok(()),
        };
        if found {
            return Ok(());
        }
        let path = path.display();
        Err(UnusableInput(format!(
            "no model at {path}: expected {expected}"
        )))
    }
}

impl AddressArgs {
    fn apply(&self, config: &mut Config) {
        if !self.listen.is_empty() {
            config.listen.clone_from(&self.listen);
        }
        if !self.bootstrap.is_empty() {
            config.bootstrap.clone_from(&self.bootstrap);
        }
    }
}

async fn run(arguments: RunArgs) -> anyhow::Result<ExitStatus> {
    let home = Home::open(&arguments.home.folder())?;
    let mut config = home.config()?;
    arguments.addresses.apply(&mut config);
    config.validate()?;
    if let Some(warning) = config.offers_nothing() {
        tracing::warn!("{warning}");
    }
    let socket = home.admin_socket(&config);
    let (node, mut ended) = runtime::start(config, home, Hooks::faithful()).await?;
    // Before anybody is told that it runs.
    let mut signals = Signals::listen()?;
    let about = node.about();
    tracing::info!(
        peer = %about.key,
        log = %about.log,
        network = %about.network,
        executor = %about.executor,
        admin = %socket.display(),
        "running"
    );
    for address in node.network().listen_addresses().await.unwrap_or_default() {
        tracing::info!(%address, "listening");
    }
    tokio::select! {
        ended = &mut ended => return finished(ended),
        signal = signals.next() => tracing::info!(signal, "shutting down; again to end at once"),
    }
    node.shutdown();
    drop(node);
    tokio::select! {
        ended = ended => finished(ended),
        signal = signals.next() => {
            tracing::warn!(signal, "ended before the shutdown was complete");
            Ok(ExitStatus::Failure)
        }
    }
}

fn finished(
    ended: Result<Result<(), runtime::RunError>, tokio::task::JoinError>,
) -> anyhow::Result<ExitStatus> {
    ended??;
    Ok(ExitStatus::Success)
}

/// The signals that ask a process to end.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "interrupt",
            _ = self.terminate.recv() => "terminate",
        }
    }
}
