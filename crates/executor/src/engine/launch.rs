//! Starts an engine process and waits until it answers.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStdout, Command};
use tonic::transport::{Channel, Endpoint, Uri};

use crate::config::BuildError;
use crate::engine::config::{EngineModel, EngineProcessConfig};
use crate::engine::session::EngineSession;
use crate::lines::{Line, next_line};
use crate::supervisor::{Launch, LaunchError, Launched, StderrLevel, StderrTail};

/// The engine's exit status for a model or arguments that no restart makes usable.
const EXIT_UNUSABLE: i32 = 2;
/// Longest line on standard output that can announce the socket.
const ANNOUNCEMENT_SIZE_MAX: usize = 4 << 10;
/// Time for the last words of an engine that has ended.
const LAST_WORDS_TIME: Duration = Duration::from_secs(1);

/// Starts engine processes, one after another, each on a socket of its own.
pub(super) struct EngineLaunch {
    config: EngineProcessConfig,
    model: EngineModel,
    program: PathBuf,
    /// Mode 0700 and short: a socket path may have about a hundred bytes.
    folder: TempDir,
    generation: u64,
}

impl EngineLaunch {
    pub(super) fn new(config: EngineProcessConfig) -> Result<Self, BuildError> {
        let folder = tempfile::Builder::new()
            .prefix("symphony-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(BuildError::RunFolder)?;
        let model = config.engine_model()?;
        let program = config.locate_program();
        Ok(Self {
            config,
            model,
            program,
            folder,
            generation: 0,
        })
    }

    fn command(&self, socket: &Path) -> Command {
        let mut command = Command::new(&self.program);
        match &self.model {
            EngineModel::Folder(folder) => command.arg("--model").arg(folder),
            EngineModel::Gguf(file) => command.arg("--gguf").arg(file),
            EngineModel::Hub(id) => command.arg("--hub-id").arg(id),
        };
        command
            .arg("--socket")
            .arg(socket)
            .args(["--device", self.config.device.name()])
            .args(["--threads", &self.config.threads.to_string()])
            .args(["--max-tokens", &self.config.max_tokens.to_string()])
            .args([
                "--max-running",
                &self.config.supervision.parallel_count.to_string(),
            ])
            // A request given up at its deadline may still hold its place when the next one arrives.
            .args([
                "--max-queue",
                &self.config.supervision.parallel_count.to_string(),
            ])
            .arg("--supervised");
        if let Some(folder) = &self.config.data_dir {
            command.arg("--data-dir").arg(folder);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // An interrupt from the terminal reaches the node, which ends its engines in order.
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    fn spawn_error(&self, error: &io::Error) -> LaunchError {
        let program = self.program.display();
        match error.kind() {
            io::ErrorKind::NotFound => LaunchError::Unusable {
                reason: format!(
                    "the engine program {program} is not there: build it with `./x engine cpu`"
                ),
            },
            io::ErrorKind::PermissionDenied => LaunchError::Unusable {
                reason: format!("the engine program {program} may not be run"),
            },
            _ => LaunchError::Failed {
                reason: format!("the engine program {program} cannot be started: {error}"),
            },
        }
    }
}

impl Launch for EngineLaunch {
    type Session = EngineSession;

    async fn launch(&mut self) -> Result<Launched<EngineSession>, LaunchError> {
        self.generation += 1;
        let socket = self.folder.path().join(format!("{}.sock", self.generation));
        let mut child = self
            .command(&socket)
            .spawn()
            .map_err(|error| self.spawn_error(&error))?;
        let taken = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = taken else {
            return Err(LaunchError::Failed {
                reason: "the engine has no standard streams".to_owned(),
            });
        };
        let last_words = StderrTail::follow("symphony-engine", StderrLevel::Info, stderr);
        if !announced(stdout).await {
            return Err(ended_early(child, last_words).await);
        }
        let failed = |reason: String| LaunchError::Failed { reason };
        let channel = connect(&socket)
            .await
            .map_err(|error| failed(format!("no connection to the engine: {error}")))?;
        let (session, description) = EngineSession::open(channel, Arc::new(stdin))
            .await
            .map_err(failed)?;
        Ok(Launched {
            child,
            session,
            description,
        })
    }
}

/// Waits for the line that announces the socket; false if the engine ends before it. The rest of standard output is read and dropped: a
/// full or closed pipe would disturb the engine.
async fn announced(stdout: ChildStdout) -> bool {
    let mut reader = BufReader::new(stdout);
    let announced = loop {
        match next_line(&mut reader, ANNOUNCEMENT_SIZE_MAX).await {
            Ok(Line::Whole(line)) if line.starts_with(b"ready ") => break true,
            Ok(Line::Whole(_) | Line::TooLong) => {}
            Ok(Line::End) | Err(_) => break false,
        }
    };
    if announced {
        tokio::spawn(async move {
            while matches!(
                next_line(&mut reader, 0).await,
                Ok(Line::Whole(_) | Line::TooLong)
            ) {}
        });
    }
    announced
}

async fn ended_early(mut child: Child, last_words: StderrTail) -> LaunchError {
    let status = tokio::time::timeout(LAST_WORDS_TIME, child.wait()).await;
    let words = last_words.last_lines(LAST_WORDS_TIME).await;
    match status {
        Ok(Ok(status)) if status.code() == Some(EXIT_UNUSABLE) => {
            LaunchError::Unusable { reason: words }
        }
        Ok(Ok(status)) => LaunchError::Failed {
            reason: format!("the engine ended while starting ({status}): {words}"),
        },
        _ => LaunchError::Failed {
            reason: format!("the engine closed its output while starting: {words}"),
        },
    }
}

async fn connect(socket: &Path) -> Result<Channel, tonic::transport::Error> {
    let socket = socket.to_path_buf();
    let connector = tower::service_fn(move |_: Uri| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    // The address is never looked up: the connector knows the socket.
    Endpoint::from_static("http://engine.invalid")
        .connect_with_connector(connector)
        .await
}
