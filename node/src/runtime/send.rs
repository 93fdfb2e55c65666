//! Sending to peers: by log key, with a bounded number under way, and the answer handed back to the core.

use std::{sync::Arc, time::Duration};

use symphony_coordination::Event;
use symphony_network::{
    PeerId, PrivatePayload, RefusalCode, Request, RequestError, Response, SubmitStatement,
};
use symphony_transparency::{Digest, PublicKey, UnverifiedStatement};
use tokio::sync::{Semaphore, mpsc};

use super::{
    core::CoreCommand,
    directory::Directory,
    hooks::{Boundaries, Boundary},
};

/// Requests under way at once.
const UNDER_WAY_MAX: usize = 512;
/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Tries of a request that did not arrive or came too early: statements may arrive twice, nobody acts twice on them.
const TRIES: u32 = 5;
/// Pause before the second try, in milliseconds; it doubles with each further try.
const PAUSE_MS: u64 = 50;

/// Sends to peers.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) network: symphony_network::Handle,
    pub(super) directory: Directory,
    pub(super) core: mpsc::WeakSender<CoreCommand>,
    pub(super) network_id: Digest,
    boundaries: Arc<dyn Boundaries>,
    places: Arc<Semaphore>,
}

impl Sender {
    pub(super) fn new(
        network: symphony_network::Handle,
        directory: Directory,
        core: mpsc::WeakSender<CoreCommand>,
        network_id: Digest,
        boundaries: Arc<dyn Boundaries>,
    ) -> Self {
        Self {
            network,
            directory,
            core,
            network_id,
            boundaries,
            places: Arc::new(Semaphore::new(UNDER_WAY_MAX)),
        }
    }

    pub(super) fn statement(&self, to: PublicKey, statement: Vec<u8>, private: Vec<u8>) {
        self.send(
            to,
            Request::SubmitStatement(SubmitStatement {
                statement,
                private_payload: PrivatePayload::new(private),
            }),
        );
    }

    pub(super) fn ask_reveal(&self, to: PublicKey, assignment: Digest) {
        self.send(to, Request::Reveal { assignment });
    }

    fn send(&self, to: PublicKey, request: Request) {
        let Some(peer) = self.directory.get(&to) else {
            tracing::debug!(to = to.fmt_short(), "no address: not sent");
            return;
        };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::warn!(to = to.fmt_short(), "too many requests under way: not sent");
            return;
        };
        let sender = self.clone();
        tokio::spawn(async move {
            let _place = place;
            sender.deliver(to, peer, request).await;
        });
    }

    async fn deliver(&self, to: PublicKey, peer: PeerId, request: Request) {
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(PAUSE_MS << (attempt - 1))).await;
            }
            self.boundaries.pass(Boundary::Send);
            let answered = self.network.request(peer, request.clone(), TIMEOUT).await;
            self.boundaries.pass(Boundary::Sent);
            match answered {
                Ok(Response::Acknowledged { statement }) => {
                    return self.acknowledged(&to, &statement).await;
                }
                Ok(Response::Refused(refusal)) => {
                    tracing::debug!(to = to.fmt_short(), %refusal, request = request.name(), "refused");
                    // Two peers that have just met hear each other's hello at different moments.
                    let again = matches!(
                        refusal.code,
                        RefusalCode::HelloRequired | RefusalCode::Busy | RefusalCode::RateLimited
                    );
                    if !again {
                        return;
                    }
                }
                Ok(other) => {
                    tracing::debug!(
                        to = to.fmt_short(),
                        response = other.name(),
                        "expected an acknowledgement"
                    );
                    return;
                }
                Err(error) => {
                    tracing::debug!(to = to.fmt_short(), %error, "not delivered");
                    // A connection that was just lost is dialled again by the next try.
                    let again = matches!(
                        error,
                        RequestError::Timeout(_)
                            | RequestError::Interrupted { .. }
                            | RequestError::Unreachable { .. }
                    );
                    if !again {
                        return;
                    }
                }
            }
        }
    }

    /// Hands an acknowledgement to the core, if it is one of that peer.
    async fn acknowledged(&self, from: &PublicKey, statement: &[u8]) {
        if statement.is_empty() {
            return;
        }
        let verified = UnverifiedStatement::parse(statement)
            .and_then(|statement| statement.verify(&self.network_id));
        match verified {
            Ok(statement) if statement.author() == from => {
                if let Some(core) = self.core.upgrade() {
                    let event = Event::Statement {
                        statement,
                        private: Vec::new(),
                        token: None,
                    };
                    let _ = core.send(CoreCommand::Event(event)).await;
                }
            }
            Ok(_) => tracing::debug!(
                from = from.fmt_short(),
                "an acknowledgement of somebody else"
            ),
            Err(error) => tracing::debug!(from = from.fmt_short(), %error, "no acknowledgement"),
        }
    }
}
