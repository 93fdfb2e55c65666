//! `symphony-engine`: serves one model to one peer, or describes it. See the library for what it does.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use symphony_engine::arguments::{Arguments, ServeArguments, Task};
use symphony_engine::description::describe_files;
use symphony_engine::model::{LoadError, LoadOptions, LoadedModel};
use symphony_engine::proto::Dtype;
use symphony_engine::proto::engine_server::EngineServer;
use symphony_engine::service::{EngineService, MESSAGE_SIZE_MAX, ServiceOptions};
use symphony_engine::source::{ModelSource, SourceError};
use symphony_engine::{process, socket};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnixListenerStream;
use tonic_health::ServingStatus;
use tracing_subscriber::EnvFilter;

/// Time that running requests get to finish after a request to stop.
const SHUTDOWN_TIME: Duration = Duration::from_secs(5);
/// The model library speaks at `info` of each file that it reads; its errors are enough.
const LOG_FILTER: &str = "error,symphony_engine=info";

fn main() -> ExitCode {
    let task = Arguments::parse()
        .task()
        .unwrap_or_else(|error| error.exit());
    let outcome = match task {
        Task::Describe(source) => describe(&source),
        Task::Serve {
            source,
            socket,
            arguments,
        } => run(source, socket, arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "symphony-engine: {error:#}");
            if is_unusable(&error) {
                ExitCode::from(process::EXIT_UNUSABLE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Whether a new start with the same arguments would end the same way.
fn is_unusable(error: &anyhow::Error) -> bool {
    error.is::<LoadError>() || error.is::<SourceError>() || error.is::<socket::SocketError>()
}

fn describe(source: &ModelSource) -> anyhow::Result<()> {
    if !matches!(source, ModelSource::Hub(_)) {
        source.verify()?;
    }
    let description = describe_files(source).context("cannot describe the model")?;
    println!("{}", serde_json::to_string_pretty(&description)?);
    Ok(())
}

fn run(source: ModelSource, socket: PathBuf, arguments: ServeArguments) -> anyhow::Result<()> {
    let data_folder = arguments
        .data_dir
        .clone()
        .map_or_else(process::default_data_folder, Ok)?;
    fs::create_dir_all(&data_folder)
        .with_context(|| format!("cannot make {}", data_folder.display()))?;
    process::ensure_environment(&process::environment(arguments.threads, &data_folder))
        .context("cannot start with the wanted number of threads")?;
    process::exit_on_panic();
    let filter = EnvFilter::try_from_env("SYMPHONY_ENGINE_LOG")
        .unwrap_or_else(|_| EnvFilter::new(LOG_FILTER));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A line that nobody reads is lost. To say so on the same closed output would be a panic.
        .log_internal_errors(false)
        .with_ansi(false);
    // A supervisor passes the lines on in its own log, with its own times.
    if arguments.supervised {
        log.without_time().init();
    } else {
        log.init();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let supervised = arguments.supervised;
    let outcome = runtime.block_on(async {
        // Loading a large model takes minutes: a supervisor that dies meanwhile still ends it.
        let stop = process::stop_requested(supervised).context("signals cannot be received")?;
        let mut stop = std::pin::pin!(stop);
        let prepared = tokio::select! {
            prepared = prepare(source, arguments, data_folder) => prepared?,
            reason = &mut stop => {
                tracing::info!(reason, "stopped while loading");
                return Ok(());
            }
        };
        serve(prepared, &socket, stop).await
    });
    // The model's threads and a blocked read of standard input are not waited for.
    runtime.shutdown_background();
    outcome
}

/// A loaded model with all that serving needs.
struct Prepared {
    service: EngineService,
    model_died: mpsc::Receiver<()>,
}

async fn prepare(
    source: ModelSource,
    arguments: ServeArguments,
    cache_folder: PathBuf,
) -> anyhow::Result<Prepared> {
    let begun = Instant::now();
    let dtype = if matches!(source, ModelSource::Gguf(_)) {
        Dtype::Gguf
    } else {
        Dtype::F32
    };
    let running_count_max = arguments.max_running;
    let options = LoadOptions {
        source,
        device: arguments.device,
        running_count_max,
        cache_folder,
    };
    let model = LoadedModel::load(&options).await?;
    tracing::info!(
        model = model.name(),
        digest = %blake3::Hash::from_bytes(model.digest()).to_hex(),
        device = arguments.device.name(),
        threads = arguments.threads,
        load_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "model loaded"
    );
    let service_options = ServiceOptions {
        device: arguments.device,
        dtype,
        threads: arguments.threads,
        running_count_max,
        queue_count_max: arguments.max_queue,
        max_tokens_max: arguments.max_tokens,
    };
    let (stopped, model_died) = mpsc::channel(1);
    let service = EngineService::new(Arc::new(model), service_options, stopped);
    Ok(Prepared {
        service,
        model_died,
    })
}

async fn serve(
    mut prepared: Prepared,
    path: &Path,
    stop: impl Future<Output = &'static str>,
) -> anyhow::Result<()> {
    let listener = socket::listen(path)?;
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<EngineServer<EngineService>>().await;
    let engine = EngineServer::new(prepared.service).max_decoding_message_size(MESSAGE_SIZE_MAX);
    let (stop_sender, stop_receiver) = tokio::sync::oneshot::channel::<()>();
    let server = tonic::transport::Server::builder()
        .add_service(health_service)
        .add_service(engine)
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), async {
            let _ = stop_receiver.await;
        });
    let mut server = std::pin::pin!(server);
    announce(path)?;
    let reason = tokio::select! {
        ended = &mut server => {
            ended.context("the server failed")?;
            anyhow::bail!("the server ended by itself");
        }
        reason = stop => reason,
        _ = prepared.model_died.recv() => "the model died",
    };
    tracing::info!(reason, "stopping");
    health
        .set_service_status("", ServingStatus::NotServing)
        .await;
    health
        .set_not_serving::<EngineServer<EngineService>>()
        .await;
    let _ = stop_sender.send(());
    let finished = tokio::time::timeout(SHUTDOWN_TIME, server).await;
    let _ = fs::remove_file(path);
    if let Ok(ended) = finished {
        ended.context("the server failed")?;
    }
    anyhow::ensure!(
        reason != "the model died",
        "the model library stopped without an answer"
    );
    Ok(())
}

/// One line on standard output tells the supervisor that the socket is there: no polling, no race.
fn announce(path: &Path) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "ready {}", path.display())?;
    output.flush().context("cannot announce the socket")
}
