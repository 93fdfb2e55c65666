//! The pump: reads the network's events and hands each to the one that it concerns.

use std::collections::BTreeMap;

use symphony_coordination::Event;
use symphony_ledger::Ledger;
use symphony_network::{
    Acceptance, Events, Hello, IgnoreReason, NetworkEvent, PeerId, Refusal, RefusalCode,
    RejectReason, ReplyToken, Request, Response, Topic, peer_id_of_transport_key,
};
use symphony_protocol::{
    records::{Beacon, Body, Entry, Received},
    replay::Replay,
};
use symphony_transparency::{
    Digest, PublicKey, SignedCheckpoint, StatementError, StatementKind, UnverifiedStatement,
    VerifiedStatement,
};
use tokio::sync::mpsc;

use super::{auditor::AuditorCommand, core::CoreCommand, send::Directory};
use crate::home::now_ms;

pub(super) struct Pump {
    pub(super) events: Events,
    pub(super) network: symphony_network::Handle,
    pub(super) ledger: Ledger,
    pub(super) network_id: Digest,
    pub(super) own_key: PublicKey,
    pub(super) directory: Directory,
    pub(super) core: mpsc::Sender<CoreCommand>,
    pub(super) auditor: mpsc::Sender<AuditorCommand>,
    /// Who is connected: log key and log id by peer id. Bounded by the network's limit of connections.
    pub(super) connected: BTreeMap<PeerId, (PublicKey, Digest)>,
}

impl Pump {
    /// Runs until the network shuts down or the core is gone.
    pub(super) async fn run(mut self) {
        while let Some(event) = self.events.next().await {
            let goes_on = match event {
                NetworkEvent::ListeningOn { address } => {
                    tracing::info!(%address, "listening");
                    true
                }
                NetworkEvent::PeerHello { peer, hello } => self.hello(peer, &hello).await,
                NetworkEvent::PeerDisconnected { peer } => self.gone(peer).await,
                NetworkEvent::Gossip {
                    topic, data, token, ..
                } => {
                    let acceptance = self.judge(topic, &data).await;
                    let network = self.network.clone();
                    tokio::spawn(async move {
                        let _ = network.report(token, acceptance).await;
                    });
                    true
                }
                NetworkEvent::Request {
                    peer,
                    request,
                    reply,
                } => self.request(peer, request, reply),
                _ => true,
            };
            if !goes_on {
                break;
            }
        }
    }

    /// A peer said who it is: its log begins with a genesis that binds its log key to the transport key of this connection.
    async fn hello(&mut self, peer: PeerId, hello: &Hello) -> bool {
        let replay = match verify_hello(peer, hello, &self.network_id) {
            Ok(replay) => replay,
            Err(reason) => {
                tracing::warn!(%peer, reason, "blocked: hello refused");
                let _ = self.network.block(peer).await;
                return true;
            }
        };
        let (key, log) = (hello.log_public_key, hello.log_id);
        if key == self.own_key {
            return true;
        }
        self.connected.insert(peer, (key, log));
        self.directory.insert(key, peer);
        let known = self
            .auditor
            .send(AuditorCommand::Hello {
                peer,
                replay: Box::new(replay),
                genesis: hello.genesis_entry.clone(),
            })
            .await;
        let reachable = self
            .core
            .send(CoreCommand::Event(Event::Reachable {
                peer: key,
                reachable: true,
            }))
            .await;
        let introduced = self.core.send(CoreCommand::Introduce { to: key }).await;
        known.is_ok() && reachable.is_ok() && introduced.is_ok()
    }

    async fn gone(&mut self, peer: PeerId) -> bool {
        let Some((key, log)) = self.connected.remove(&peer) else {
            return true;
        };
        self.directory.remove(&key);
        let told = self.auditor.send(AuditorCommand::Gone { peer, log }).await;
        told.is_ok()
            && self
                .core
                .send(CoreCommand::Event(Event::Reachable {
                    peer: key,
                    reachable: false,
                }))
                .await
                .is_ok()
    }

    /// Judges a gossip message by the written rules. Spec: NET-41 to NET-52.
    async fn judge(&self, topic: Topic, data: &[u8]) -> Acceptance {
        if topic == Topic::Checkpoint {
            return self.judge_checkpoint(data).await;
        }
        let statement = match verified(data, &self.network_id) {
            Ok(statement) => statement,
            Err(acceptance) => return acceptance,
        };
        if *statement.author() == self.own_key {
            return Acceptance::Ignore(IgnoreReason::Own);
        }
        match (topic, statement.kind()) {
            (Topic::Capability, StatementKind::Capability | StatementKind::Revocation) => {}
            (Topic::Beacon, StatementKind::Beacon) => {
                match Received::<Beacon>::from_statement(statement.clone()) {
                    Err(_) => return Acceptance::Reject(RejectReason::Content),
                    Ok(beacon) if beacon.record.close_deadline_ms <= now_ms() => {
                        return Acceptance::Ignore(IgnoreReason::OutsideValidity);
                    }
                    Ok(_) => {}
                }
            }
            _ => return Acceptance::Reject(RejectReason::Kind),
        }
        let event = Event::Statement {
            statement,
            private: Vec::new(),
            token: None,
        };
        // A full queue is this node's trouble, not the forwarder's.
        match self.core.try_send(CoreCommand::Event(event)) {
            Ok(()) => Acceptance::Accept,
            Err(_) => Acceptance::Ignore(IgnoreReason::NotJudged),
        }
    }

    async fn judge_checkpoint(&self, data: &[u8]) -> Acceptance {
        let Ok(text) = std::str::from_utf8(data) else {
            return Acceptance::Reject(RejectReason::Encoding);
        };
        let Ok(unverified) = SignedCheckpoint::parse_unverified(text) else {
            return Acceptance::Reject(RejectReason::Encoding);
        };
        if unverified.network != self.network_id {
            return Acceptance::Ignore(IgnoreReason::OtherNetwork);
        }
        let log = unverified.log;
        let Some(key) = self
            .connected
            .values()
            .find(|(_, known)| *known == log)
            .map(|(key, _)| *key)
        else {
            return Acceptance::Ignore(IgnoreReason::Unknown);
        };
        match SignedCheckpoint::parse_and_verify(text, &key) {
            Err(_) => Acceptance::Reject(RejectReason::Signature),
            Ok(signed) => {
                let _ = self
                    .auditor
                    .send(AuditorCommand::Checkpoint {
                        signed: Box::new(signed),
                    })
                    .await;
                Acceptance::Accept
            }
        }
    }

    fn request(&self, peer: PeerId, request: Request, reply: ReplyToken) -> bool {
        let Some((key, _)) = self.connected.get(&peer) else {
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
                    Ok(statement) if statement.author() != key => {
                        self.refuse(
                            reply,
                            RefusalCode::NotAccepted,
                            "expected a statement of the peer that sends it",
                        );
                    }
                    Ok(statement) => {
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
                from: *key,
                assignment,
                reply,
            }),
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

fn verify_hello(peer: PeerId, hello: &Hello, network: &Digest) -> Result<Replay, String> {
    let replay =
        Replay::begin(&hello.genesis_entry, Some(network)).map_err(|error| error.to_string())?;
    let entry = Entry::parse(&hello.genesis_entry, None).map_err(|error| error.to_string())?;
    let Body::Genesis(genesis) = entry.body else {
        return Err("entry 0 is no genesis".to_owned());
    };
    if replay.state().log() != hello.log_id || replay.author() != hello.log_public_key {
        return Err("log id or key is not that of entry 0".to_owned());
    }
    if peer_id_of_transport_key(genesis.keys.transport.as_bytes()) != Some(peer) {
        return Err("entry 0 binds another transport key".to_owned());
    }
    Ok(replay)
}

fn verified(bytes: &[u8], network: &Digest) -> Result<VerifiedStatement, Acceptance> {
    let parsed = UnverifiedStatement::parse(bytes)
        .map_err(|_| Acceptance::Reject(RejectReason::Encoding))?;
    parsed.verify(network).map_err(|error| match error {
        StatementError::ForeignNetwork { .. } => Acceptance::Ignore(IgnoreReason::OtherNetwork),
        _ => Acceptance::Reject(RejectReason::Signature),
    })
}

fn answer(ledger: &Ledger, question: &Request) -> Response {
    answer_question(ledger, question).unwrap_or_else(Response::Refused)
}

fn answer_question(ledger: &Ledger, question: &Request) -> Result<Response, Refusal> {
    let failed = |error: symphony_ledger::LedgerError| {
        tracing::warn!(%error, "a log could not be read");
        Refusal::new(RefusalCode::Busy, "the log could not be read")
    };
    let reader = |log: &Digest| {
        ledger
            .log(log)
            .map_err(failed)?
            .ok_or_else(|| Refusal::new(RefusalCode::NotFound, "this node does not hold that log"))
    };
    let note = |log: &Digest| {
        Ok::<_, Refusal>(
            ledger
                .latest_checkpoint(log)
                .map_err(failed)?
                .map(|stored| stored.text),
        )
    };
    Ok(match question {
        Request::LogStatus { log_id } => {
            let size = reader(log_id)?.size().map_err(failed)?;
            Response::LogStatus {
                size,
                checkpoint: note(log_id)?.unwrap_or_default(),
            }
        }
        Request::LogRange(range) => {
            let page = reader(&range.log_id)?
                .range(
                    range.first_index,
                    range.count_max as usize,
                    range.size_max as usize,
                )
                .map_err(failed)?;
            Response::LogEntries {
                first_index: page.first_index,
                entries: page.entries,
            }
        }
        Request::Checkpoint { log_id } => match note(log_id)? {
            Some(note) => Response::Checkpoint { note },
            None => {
                return Err(Refusal::new(
                    RefusalCode::NotFound,
                    "no checkpoint of that log yet",
                ));
            }
        },
        Request::InclusionProof {
            log_id,
            index,
            size,
        } => Response::Proof {
            nodes: reader(log_id)?
                .inclusion_proof(*index, *size)
                .map_err(failed)?,
        },
        Request::ConsistencyProof {
            log_id,
            old_size,
            new_size,
        } => Response::Proof {
            nodes: reader(log_id)?
                .consistency_proof(*old_size, *new_size)
                .map_err(failed)?,
        },
        _ => return Err(Refusal::new(RefusalCode::NotOffered, "not offered")),
    })
}
