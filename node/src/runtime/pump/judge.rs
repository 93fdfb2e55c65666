//! The judgement on gossip. Spec: NET-41 to NET-52.

use symphony_coordination::{Event, Hearing};
use symphony_ledger::Ledger;
use symphony_network::{Acceptance, GossipToken, IgnoreReason, PeerId, RejectReason, Topic};
use symphony_protocol::records::{Beacon, Body, Entry, Received, RelayedBeacon, Retirement};
use symphony_transparency::{
    Digest, PublicKey, SignedCheckpoint, StatementError, StatementKind, UnverifiedStatement,
    VerifiedStatement,
};

use tokio::sync::{mpsc, oneshot};

use super::Pump;
use crate::{
    evidence::{self, EVIDENCE_SIZE_MAX, digest_of},
    home::now_ms,
    runtime::{auditor::AuditorCommand, core::CoreCommand},
};

impl Pump {
    /// Judges a gossip message by the written rules. Spec: NET-41 to NET-52.
    pub(super) async fn judge(&mut self, topic: Topic, data: &[u8]) -> Acceptance {
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
            (Topic::Capability, StatementKind::Capability | StatementKind::Revocation) => {
                let (connected, peers) = (&self.connected, &self.peers);
                let is_known = |key: &PublicKey| {
                    connected.values().any(|met| met.key == *key)
                        || peers
                            .borrow()
                            .iter()
                            .any(|peer| peer.log.is_some() && peer.key == *key)
                };
                if let Err(acceptance) = self.newest.hear(&statement, now_ms(), is_known) {
                    return acceptance;
                }
            }
            (Topic::Capability, StatementKind::Retirement) => {
                return self.judge_retirement(statement).await;
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

    /// Judges a beacon on its way, and passes it on itself with the token of the next hop: gossipsub would pass on the message
    /// as it is. Spec: NET-53, NET-68.
    pub(super) fn judge_beacon(&mut self, source: PeerId, data: &[u8]) -> Acceptance {
        let Ok(message) = RelayedBeacon::parse(data) else {
            return Acceptance::Reject(RejectReason::Encoding);
        };
        match self.connected.get(&source) {
            None => return Acceptance::Ignore(IgnoreReason::Unknown),
            // Nobody passes on another peer's copy, so whoever sends one made it.
            Some(met) if met.key != message.relay => {
                return Acceptance::Reject(RejectReason::Content);
            }
            Some(_) => {}
        }
        let statement = match verified(&message.statement, &self.network_id) {
            Ok(statement) => statement,
            Err(acceptance) => return acceptance,
        };
        if *statement.author() == self.own_key {
            return Acceptance::Ignore(IgnoreReason::Own);
        }
        if statement.kind() != StatementKind::Beacon {
            return Acceptance::Reject(RejectReason::Kind);
        }
        let Ok(beacon) = Received::<Beacon>::from_statement(statement.clone()) else {
            return Acceptance::Reject(RejectReason::Content);
        };
        let now_ms = now_ms();
        if beacon.record.close_deadline_ms <= now_ms
            || beacon.record.close_deadline_ms > self.params.bid_deadline_max(now_ms)
        {
            return Acceptance::Ignore(IgnoreReason::OutsideValidity);
        }
        let (first, next) = match self.relays.hear(&beacon, &message.token, now_ms) {
            Hearing::Forged => return Acceptance::Reject(RejectReason::Content),
            Hearing::Known => return Acceptance::Ignore(IgnoreReason::Known),
            Hearing::Heard { first, next, .. } => (first, next),
        };
        if let Some(token) = next {
            let relayed = RelayedBeacon {
                token,
                relay: self.own_key,
                ..message
            };
            let network = self.network.clone();
            tokio::spawn(async move {
                if let Err(error) = network.publish(Topic::Beacon, relayed.encode()).await {
                    tracing::debug!(%error, "a beacon is not passed on");
                }
            });
        }
        let event = Event::Statement {
            statement,
            private: Vec::new(),
            token: None,
        };
        // A full queue is this node's trouble, not the forwarder's.
        if first && self.core.try_send(CoreCommand::Event(event)).is_err() {
            return Acceptance::Ignore(IgnoreReason::NotJudged);
        }
        Acceptance::Ignore(IgnoreReason::Relayed)
    }

    /// A retirement counts if the key of the very log signed it; of logs that nobody here ever followed it says nothing.
    async fn judge_retirement(&self, statement: VerifiedStatement) -> Acceptance {
        let Ok(retirement) = Received::<Retirement>::from_statement(statement) else {
            return Acceptance::Reject(RejectReason::Content);
        };
        match author_of(&self.ledger, &retirement.record.log) {
            None => Acceptance::Ignore(IgnoreReason::Unknown),
            Some(author) if author != *retirement.statement.author() => {
                Acceptance::Reject(RejectReason::Content)
            }
            Some(_) => {
                let command = AuditorCommand::Retired(Box::new(retirement));
                match self.auditor.try_send(command) {
                    Ok(()) => Acceptance::Accept,
                    Err(_) => Acceptance::Ignore(IgnoreReason::NotJudged),
                }
            }
        }
    }

    /// Judges an evidence file away from the event loop, after what costs little. Spec: NET-37.
    pub(super) fn judge_evidence(&mut self, source: PeerId, file: Vec<u8>, token: GossipToken) {
        let at_once = if file.len() > EVIDENCE_SIZE_MAX {
            Some(Acceptance::Reject(RejectReason::Size))
        } else if self.evidence.holds(&digest_of(&file)) {
            Some(Acceptance::Ignore(IgnoreReason::Known))
        } else if !self.budget.take(source, self.began.elapsed()) {
            Some(Acceptance::Ignore(IgnoreReason::OverQuota))
        } else {
            None
        };
        let (network, auditor, network_id) =
            (self.network.clone(), self.auditor.clone(), self.network_id);
        tokio::spawn(async move {
            let acceptance = match at_once {
                Some(acceptance) => acceptance,
                None => verify_evidence(file, network_id, auditor).await,
            };
            let _ = network.report(token, acceptance).await;
        });
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
        let connected = self.connected.values().find(|met| met.log == log);
        let Some(key) = connected
            .map(|met| met.key)
            .or_else(|| author_of(&self.ledger, &log))
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
}

/// Log key of a stored log's author.
pub(super) fn author_of(ledger: &Ledger, log: &Digest) -> Option<PublicKey> {
    let entry_0 = ledger.log(log).ok()??.entry(0).ok()??;
    match Entry::parse(&entry_0, None).ok()?.body {
        Body::Genesis(genesis) => Some(genesis.keys.log),
        _ => None,
    }
}

/// Verifies a file, and lets the auditor act on what it proves.
async fn verify_evidence(
    file: Vec<u8>,
    network_id: Digest,
    auditor: mpsc::Sender<AuditorCommand>,
) -> Acceptance {
    let judged = tokio::task::spawn_blocking({
        let file = file.clone();
        move || evidence::judge(&file, Some(&network_id))
    });
    let conviction = match judged.await {
        Ok(Ok(conviction)) => Box::new(conviction),
        Ok(Err(invalid)) => return invalid.acceptance(),
        Err(_) => return Acceptance::Ignore(IgnoreReason::NotJudged),
    };
    let (answer, answered) = oneshot::channel();
    let command = AuditorCommand::Evidence {
        file,
        conviction,
        answer: Some(answer),
    };
    if auditor.send(command).await.is_err() {
        return Acceptance::Ignore(IgnoreReason::NotJudged);
    }
    answered
        .await
        .unwrap_or(Acceptance::Ignore(IgnoreReason::NotJudged))
}

/// The statement that these bytes are, its signature verified, or the judgement on them.
pub(super) fn verified(bytes: &[u8], network: &Digest) -> Result<VerifiedStatement, Acceptance> {
    let parsed = UnverifiedStatement::parse(bytes)
        .map_err(|_| Acceptance::Reject(RejectReason::Encoding))?;
    parsed.verify(network).map_err(|error| match error {
        StatementError::ForeignNetwork { .. } => Acceptance::Ignore(IgnoreReason::OtherNetwork),
        _ => Acceptance::Reject(RejectReason::Signature),
    })
}
