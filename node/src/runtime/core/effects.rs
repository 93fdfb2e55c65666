//! What the core does once the entries are durable: gossip, send, reply, execute, tell, sign.

use symphony_coordination::Effect;
use symphony_executor::Stage;
use symphony_network::{PublishError, Refusal, RefusalCode, Response, Topic};
use symphony_protocol::records::{AnswerForm, RelayedBeacon};
use symphony_transparency::{Checkpoint, Digest, PublicKey};

use super::{Core, CoreError};
use crate::{
    home::now_ms,
    runtime::{auditor::AuditorCommand, hooks::Boundary, view::Report},
};

impl Core {
    pub(super) async fn carry_out(&mut self, effect: Effect) -> Result<(), CoreError> {
        match effect {
            Effect::Publish { statement } => {
                let statement = self.parts.outgoing.statement(statement, &self.parts.secret);
                // Its failure was told; newcomers get it when they say hello.
                let _ = self.publish(Topic::Capability, statement).await;
            }
            Effect::Announce { statement, token } => self.announce(statement, token).await,
            Effect::Send {
                to,
                statement,
                private,
            } => {
                let statement = self.parts.outgoing.statement(statement, &self.parts.secret);
                self.parts.sender.statement(to, statement, private);
            }
            Effect::AskReveal { to, assignment } => self.parts.sender.ask_reveal(to, assignment),
            Effect::Acknowledge { token, statement } => {
                self.reply(token, Response::Acknowledged { statement });
            }
            Effect::Refuse { token, refusal } => {
                self.reply(
                    token,
                    Response::Refused(Refusal::new(RefusalCode::NotAccepted, refusal.0)),
                );
            }
            Effect::Execute {
                assignment,
                prompt,
                form,
                execute_ms,
            } => {
                let stage = match form {
                    AnswerForm::Plan => Stage::Plan,
                    _ => Stage::Execute,
                };
                if let Some(commands) = self.own_commands.upgrade() {
                    self.parts.answerer.execute(
                        commands,
                        assignment,
                        (stage, prompt),
                        execute_ms,
                    )?;
                }
            }
            Effect::Report {
                request,
                entry,
                time_ms,
                event,
            } => self.tasks.report(
                request,
                Report {
                    entry,
                    time_ms,
                    event,
                },
            ),
            Effect::Found(fault) => {
                let found_in = self.parts.peer.state().log();
                let command = AuditorCommand::Found { fault, found_in };
                if self.parts.auditor.try_send(command).is_err() {
                    tracing::warn!(
                        "the auditor is busy: a finding is lost until its peer is found at fault again"
                    );
                }
            }
        }
        Ok(())
    }

    /// Gossips an own beacon with the token of its first hop. Spec: NET-68.
    async fn announce(&mut self, statement: Vec<u8>, token: Digest) {
        let statement = self.parts.outgoing.statement(statement, &self.parts.secret);
        let message = RelayedBeacon {
            statement,
            token,
            relay: self.parts.peer.author(),
        };
        let published = self.publish(Topic::Beacon, message.encode()).await;
        // Whoever comes before its close is told then.
        let was_gossiped = !matches!(published, Err(PublishError::NoPeers));
        let network = self.parts.sender.network_id;
        self.beacons.add(message, &network, was_gossiped);
    }

    async fn publish(&mut self, topic: Topic, bytes: Vec<u8>) -> Result<(), PublishError> {
        self.parts.boundaries.pass(Boundary::Send);
        let published = self.parts.network.publish(topic, bytes).await;
        self.parts.boundaries.pass(Boundary::Sent);
        // Nobody listening yet is no failure: newcomers are told when they say hello.
        if let Err(error) = &published {
            tracing::debug!(%error, topic = topic.name(), "not gossiped");
        }
        published
    }

    /// Tells a peer that has just come what it missed: the own capability, and own gossiped beacons that are open.
    pub(super) fn introduce(&mut self, to: PublicKey) {
        if let Some(statement) = self.parts.peer.own_capability() {
            let statement = self.parts.outgoing.statement(statement, &self.parts.secret);
            self.parts.sender.statement(to, statement, Vec::new());
        }
        for statement in self.beacons.open(now_ms()) {
            self.parts.sender.statement(to, statement, Vec::new());
        }
        // Their author is another key, so they go by gossip, which drops what was told lately.
        for retirement in self.parts.predecessors.clone() {
            let network = self.parts.network.clone();
            tokio::spawn(async move {
                if let Err(error) = network.publish(Topic::Capability, retirement).await {
                    tracing::debug!(%error, "a retirement is not gossiped");
                }
            });
        }
    }

    /// Gossips the open beacons that nobody could hear when they were announced.
    pub(super) async fn announce_unheard(&mut self) {
        for message in self.beacons.take_unheard(now_ms()) {
            // Its failure was told; the direct way to newcomers is left.
            let _ = self.publish(Topic::Beacon, message).await;
        }
    }

    pub(super) fn reply(&mut self, token: u64, response: Response) {
        if let Some(reply) = self.replies.remove(&token) {
            let network = self.parts.network.clone();
            let boundaries = self.parts.boundaries.clone();
            tokio::spawn(async move {
                boundaries.pass(Boundary::Send);
                if let Err(error) = network.reply(reply, response).await {
                    tracing::debug!(%error, "not replied");
                }
                boundaries.pass(Boundary::Sent);
            });
        }
    }

    /// Signs what is durable, if the log grew, and tells the others.
    pub(super) async fn sign_checkpoint(&mut self) -> Result<(), CoreError> {
        let Some(own) = self.parts.ledger.own() else {
            return Ok(());
        };
        let head = own.head()?;
        let replayed = self.parts.peer.checkpoint();
        if head.size == self.signed_size || head.size != replayed.size {
            return Ok(());
        }
        // The tree is the ledger's, the state the peer's: both speak of exactly this size.
        let checkpoint = Checkpoint {
            root: head.root,
            ..replayed
        };
        self.parts.boundaries.pass(Boundary::Sign);
        self.parts.ledger.record_signing(head).await?;
        self.parts.boundaries.pass(Boundary::Recorded);
        let signed = self.parts.peer.sign_checkpoint(&checkpoint);
        let note = signed.text();
        self.parts.ledger.put_checkpoint(signed).await?;
        self.signed_size = head.size;
        // Its failure was told; followers ask for it.
        let _ = self
            .publish(Topic::Checkpoint, note.clone().into_bytes())
            .await;
        self.parts.checkpoint.send_replace(Some(note));
        Ok(())
    }
}
