//! Comparing: two peers that meet show each other the newest checkpoints of the logs that both follow. Whoever was shown
//! another history finds out then. Spec: NET-67.

use symphony_network::{Handle, PeerId, Request, Response};
use symphony_transparency::{Digest, PublicKey, SignedCheckpoint};
use tokio::sync::mpsc;

use super::{Auditor, AuditorCommand, TIMEOUT};

/// Checkpoints asked for in one session.
const LOGS_MAX: usize = 64;

impl Auditor {
    /// Asks a peer that has just come for the checkpoints of others that it has.
    pub(super) fn compare_with(&self, peer: PeerId, own_log: &Digest) {
        let Some(commands) = self.own_commands.upgrade() else {
            return;
        };
        let logs: Vec<(Digest, PublicKey)> = self
            .logs
            .iter()
            .filter(|(log, _)| *log != own_log)
            .map(|(log, followed)| (*log, followed.replay.author()))
            .take(LOGS_MAX)
            .collect();
        tokio::spawn(compare(self.parts.network.clone(), peer, logs, commands));
    }
}

async fn compare(
    network: Handle,
    peer: PeerId,
    logs: Vec<(Digest, PublicKey)>,
    commands: mpsc::Sender<AuditorCommand>,
) {
    for (log_id, key) in logs {
        let answer = network
            .request(peer, Request::Checkpoint { log_id }, TIMEOUT)
            .await;
        let note = match answer {
            Ok(Response::Checkpoint { note }) => note,
            // It follows others.
            Ok(_) => continue,
            Err(error) => {
                tracing::debug!(%peer, %error, "checkpoints were not compared");
                return;
            }
        };
        let Ok(signed) = SignedCheckpoint::parse_and_verify(&note, &key) else {
            tracing::debug!(%peer, log = log_id.fmt_short(), "a checkpoint that its author did not sign");
            continue;
        };
        if signed.checkpoint().log != log_id {
            continue;
        }
        let signed = Box::new(signed);
        if commands
            .send(AuditorCommand::Checkpoint { signed })
            .await
            .is_err()
        {
            return;
        }
    }
}
