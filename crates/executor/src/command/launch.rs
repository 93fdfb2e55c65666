//! Starts an external command.

use std::io;
use std::process::Stdio;

use tokio::process::Command;

use crate::command::config::ExternalCommandConfig;
use crate::command::session::CommandSession;
use crate::description::{Description, DigestBasis, ExecutorKind, ModelDigest};
use crate::supervisor::{Launch, LaunchError, Launched, StderrLevel, StderrTail};

/// Starts the program of a configuration.
pub(super) struct CommandLaunch {
    config: ExternalCommandConfig,
}

impl CommandLaunch {
    pub(super) fn new(config: ExternalCommandConfig) -> Self {
        Self { config }
    }

    fn description(&self) -> Description {
        let config = &self.config;
        let program = config.program.to_string_lossy();
        Description {
            kind: ExecutorKind::Command,
            model_name: config.model.clone(),
            model_digest: ModelDigest::of_claim(ExecutorKind::Command, &program, &config.model),
            digest_basis: DigestBasis::Claim,
            device: config.device.clone(),
            threads: config.threads,
            context_length_tokens: None,
            max_tokens_max: None,
            dtype: None,
            version: None,
        }
    }
}

impl Launch for CommandLaunch {
    type Session = CommandSession;

    async fn launch(&mut self) -> Result<Launched<CommandSession>, LaunchError> {
        let mut command = Command::new(&self.config.program);
        command
            .args(&self.config.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // An interrupt from the terminal reaches the node, which ends its commands in order.
            .process_group(0)
            .kill_on_drop(true);
        if let Some(folder) = &self.config.working_dir {
            command.current_dir(folder);
        }
        let mut child = command
            .spawn()
            .map_err(|error| spawn_error(&self.config, &error))?;
        let taken = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = taken else {
            return Err(LaunchError::Failed {
                reason: "the program has no standard streams".to_owned(),
            });
        };
        // Detached: it ends with the pipe.
        drop(StderrTail::follow(
            "external command",
            StderrLevel::Debug,
            stderr,
        ));
        Ok(Launched {
            child,
            session: CommandSession::open(stdin, stdout),
            description: self.description(),
        })
    }
}

fn spawn_error(config: &ExternalCommandConfig, error: &io::Error) -> LaunchError {
    let reason = format!("{} cannot be started: {error}", config.program.display());
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            LaunchError::Unusable { reason }
        }
        _ => LaunchError::Failed { reason },
    }
}
