//! Requests of peers.

use symphony_network::{PeerId, Refusal, RefusalCode, ReplyToken, Request, Response};
use symphony_protocol::records::origin_of;
use symphony_transparency::{Cosigner, StatementKind};

use super::{Pump, judge::verified, serve::answer};
use crate::runtime::{auditor::AuditorCommand, core::CoreCommand};

impl Pump {
    pub(super) fn request(&mut self, peer: PeerId, request: Request, reply: ReplyToken) -> bool {
        let Some(met) = self.connected.get(&peer).copied() else {
            self.refuse(
                reply,
                RefusalCode::HelloRequired,
                "this node does not know the peer's log",
            );
            return true;
        };
        match request {
            Request::SubmitStatement(submitted) => {
                match verified(&submitted.statement, &self.network_id) {
                    Err(_) => self.refuse(
                        reply,
                        RefusalCode::Malformed,
                        "no statement of this network with a valid signature",
                    ),
                    Ok(statement) if *statement.author() != met.key => {
                        self.refuse(
                            reply,
                            RefusalCode::NotAccepted,
                            "expected a statement of the peer that sends it",
                        );
                    }
                    Ok(statement)
                        if origin_of(&statement).is_some_and(|origin| origin.log != met.log) =>
                    {
                        self.refuse(
                            reply,
                            RefusalCode::NotAccepted,
                            "expected a statement of the sender's own log",
                        );
                    }
                    Ok(statement) => {
                        if statement.kind() == StatementKind::Capability
                            && let Some(gathering) = &mut self.gathering
                        {
                            gathering.offered(peer);
                        }
                        let private = submitted.private_payload.expose_bytes().to_vec();
                        self.hand(CoreCommand::Statement {
                            statement,
                            private,
                            reply,
                        });
                    }
                }
            }
            Request::Reveal { assignment } => self.hand(CoreCommand::Reveal {
                from: met.key,
                assignment,
                reply,
            }),
            Request::EvidenceList => {
                let digests = self.evidence.digests();
                self.answer(reply, Response::EvidenceList { digests });
            }
            Request::Evidence { digest } => {
                let response = match self.evidence.file(&digest) {
                    Ok(Some(file)) => Response::Evidence { file },
                    Ok(None) => Response::Refused(Refusal::new(
                        RefusalCode::NotFound,
                        "this node does not keep that file",
                    )),
                    Err(error) => {
                        tracing::warn!(%error, "an evidence file could not be read");
                        Response::Refused(Refusal::new(
                            RefusalCode::Busy,
                            "the file could not be read",
                        ))
                    }
                };
                self.answer(reply, response);
            }
            Request::Challenge { statement } => self.challenged(peer, met, statement, reply),
            Request::SubmitCosignature { note } => {
                let command = AuditorCommand::Cosigned {
                    note,
                    cosigner: Cosigner::of_peer(&self.network_id, &met.log, met.witness),
                    reply,
                };
                if let Err(error) = self.auditor.try_send(command)
                    && let AuditorCommand::Cosigned { reply, .. } = error.into_inner()
                {
                    self.refuse(reply, RefusalCode::Busy, "too much to do; try again later");
                }
            }
            question => self.serve(question, reply),
        }
        true
    }

    fn hand(&self, command: CoreCommand) {
        if let Err(error) = self.core.try_send(command)
            && let CoreCommand::Statement { reply, .. } | CoreCommand::Reveal { reply, .. } =
                error.into_inner()
        {
            self.refuse(reply, RefusalCode::Busy, "too much to do; try again later");
        }
    }

    fn answer(&self, reply: ReplyToken, response: Response) {
        let network = self.network.clone();
        tokio::spawn(async move {
            let _ = network.reply(reply, response).await;
        });
    }

    fn refuse(&self, reply: ReplyToken, code: RefusalCode, message: &str) {
        let (network, refusal) = (self.network.clone(), Refusal::new(code, message));
        tokio::spawn(async move {
            let _ = network.reply(reply, Response::Refused(refusal)).await;
        });
    }

    /// Answers a question about a log from the ledger, away from the event loop.
    fn serve(&self, question: Request, reply: ReplyToken) {
        let (network, ledger) = (self.network.clone(), self.ledger.clone());
        tokio::spawn(async move {
            let answered = tokio::task::spawn_blocking(move || answer(&ledger, &question)).await;
            let response = answered.unwrap_or_else(|_| {
                Response::Refused(Refusal::new(
                    RefusalCode::Busy,
                    "the question could not be answered",
                ))
            });
            let _ = network.reply(reply, response).await;
        });
    }
}
