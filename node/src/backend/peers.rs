//! Peers and capabilities as the node knows them.

use std::collections::{BTreeMap, BTreeSet};

use symphony_admin::{BackendError, v1};
use symphony_network::PeerStatus;
use symphony_protocol::{
    Fault,
    records::{Capability, Received},
};
use symphony_transparency::{Digest, PublicKey};

use super::{
    NodeBackend,
    failure::{ledger, stopped},
    names::{Names, peer_name},
};
use crate::runtime::{PeerView, Verdict};

/// Addresses shown of one peer.
const ADDRESSES_MAX: usize = 16;

impl NodeBackend {
    pub(super) async fn list_peers(&self) -> Result<Vec<v1::Peer>, BackendError> {
        let statuses = self.node.network().peers().await.map_err(|_| stopped())?;
        let mut statuses: BTreeMap<String, _> = statuses
            .into_iter()
            .map(|status| (status.peer.to_string(), status))
            .collect();
        let convicted: BTreeSet<PublicKey> = self
            .node
            .evidence()
            .all()
            .into_iter()
            .map(|(_, conviction)| conviction.fault.peer)
            .collect();
        let mut peers = Vec::new();
        for view in self.node.peers() {
            let transport_id = if view.peer_id.is_empty() {
                connection_of(&view.key, &statuses)
            } else {
                Some(view.peer_id.clone())
            };
            let status = transport_id.and_then(|id| statuses.remove(&id));
            let mut peer = followed_message(&view);
            peer.has_evidence = convicted.contains(&view.key);
            if let Some(status) = status {
                peer.transport_id = status.peer.to_string();
                add_connection(&mut peer, &status);
            }
            peers.push(peer);
        }
        for (transport_id, status) in statuses {
            let mut peer = v1::Peer {
                name: Some(match &status.hello {
                    Some(hello) => peer_name(&hello.log_public_key, Some(&hello.log_id)),
                    None => v1::PeerName::default(),
                }),
                transport_id,
                verdict: v1::Verdict::Pending.into(),
                ..v1::Peer::default()
            };
            add_connection(&mut peer, &status);
            peers.push(peer);
        }
        Ok(peers)
    }

    pub(super) async fn list_capabilities(&self) -> Result<Vec<v1::Capability>, BackendError> {
        let own = self.node.about().key;
        let heard = self.node.capabilities().await.map_err(|_| stopped())?;
        let replay = self.node.snapshot().await.map_err(|_| stopped())?;
        let mut newest: BTreeMap<PublicKey, (Capability, bool)> = replay
            .state()
            .capabilities()
            .iter()
            .map(|(peer, known)| (*peer, (known.capability.clone(), known.revoked)))
            .collect();
        for received in heard {
            keep_newer(&mut newest, received);
        }
        Ok(newest
            .into_iter()
            .map(|(peer, (capability, revoked))| {
                capability_message(&peer, &capability, revoked, peer == own)
            })
            .collect())
    }

    pub(super) fn list_evidence(&self) -> Result<Vec<v1::Evidence>, BackendError> {
        let names = Names::of(&self.node);
        let store = self.node.evidence();
        let mut files = Vec::new();
        for (digest, conviction) in store.all() {
            // It may have gone in between.
            let Some(file) = store.file(&digest).map_err(ledger)? else {
                continue;
            };
            files.push(v1::Evidence {
                peer: Some(names.name(&conviction.fault.peer)),
                rule: conviction.fault.rule.id().to_owned(),
                digest: digest.to_string(),
                explanation: conviction.explanation,
                file,
            });
        }
        Ok(files)
    }

    /// Tags by the digest of their bucket, as far as capabilities name them: each tag by itself, and each peer's tags
    /// together. A log holds only the digest.
    pub(super) async fn bucket_tags(&self) -> BTreeMap<Digest, Vec<String>> {
        let capabilities = self.list_capabilities().await.unwrap_or_default();
        let mut sets: BTreeSet<Vec<String>> = BTreeSet::from([Vec::new()]);
        for capability in capabilities {
            sets.extend(capability.tags.iter().map(|tag| vec![tag.clone()]));
            sets.insert(capability.tags);
        }
        sets.into_iter()
            .map(|tags| {
                let parts: Vec<&[u8]> = tags.iter().map(String::as_bytes).collect();
                let bucket = symphony_transparency::digest_parts(
                    symphony_transparency::Domain::Bucket,
                    &parts,
                );
                (bucket, tags)
            })
            .collect()
    }
}

fn keep_newer(
    newest: &mut BTreeMap<PublicKey, (Capability, bool)>,
    received: Received<Capability>,
) {
    let peer = *received.statement.author();
    let older = newest
        .get(&peer)
        .is_none_or(|(held, _)| held.sequence < received.record.sequence);
    if older {
        newest.insert(peer, (received.record, false));
    }
}

fn capability_message(
    peer: &PublicKey,
    capability: &Capability,
    revoked: bool,
    own: bool,
) -> v1::Capability {
    v1::Capability {
        peer: Some(peer_name(peer, Some(&capability.origin.log))),
        own,
        sequence: capability.sequence,
        tags: capability.tags.clone(),
        models: capability
            .models
            .iter()
            .map(|model| v1::Model {
                name: model.name.clone(),
                digest: model.digest.to_string(),
                context_tokens: model.context_tokens,
            })
            .collect(),
        price_microunits: capability.price_microunits,
        parallel_max: capability.parallel_max,
        valid_from_ms: capability.valid_from_ms,
        valid_until_ms: capability.valid_until_ms,
        revoked,
    }
}

/// The connection of a peer whose log nobody here follows.
fn connection_of(key: &PublicKey, statuses: &BTreeMap<String, PeerStatus>) -> Option<String> {
    statuses
        .iter()
        .find(|(_, status)| {
            status
                .hello
                .as_ref()
                .is_some_and(|hello| hello.log_public_key == *key)
        })
        .map(|(id, _)| id.clone())
}

fn followed_message(view: &PeerView) -> v1::Peer {
    v1::Peer {
        name: Some(peer_name(&view.key, view.log.as_ref())),
        transport_id: view.peer_id.clone(),
        connected: view.connected,
        log_size: view.size,
        replayed_size: view.replayed,
        lag_entries: view.size.saturating_sub(view.replayed),
        verdict: match view.verdict {
            Verdict::Pending => v1::Verdict::Pending,
            Verdict::Clean => v1::Verdict::Clean,
            Verdict::Suspected => v1::Verdict::Suspected,
            Verdict::Exposed => v1::Verdict::Exposed,
            Verdict::Unusable => v1::Verdict::Unusable,
        }
        .into(),
        fault: view
            .fault
            .as_ref()
            .map(|fault| fault_message(fault, view.found_in.as_ref())),
        reason: view.reason.clone(),
        cosigned_size: view.cosigned_size,
        ..v1::Peer::default()
    }
}

fn fault_message(fault: &Fault, found_in: Option<&Digest>) -> v1::Fault {
    v1::Fault {
        log_id: found_in.map(ToString::to_string).unwrap_or_default(),
        rule: fault.rule.id().to_owned(),
        entry: fault.entry,
        expected: fault.expected.clone(),
        found: fault.found.clone(),
        name: fault.rule.name().to_owned(),
        // Nothing else exposes a peer to a follower. Spec: REPLAY-7.
        signed: true,
    }
}

fn add_connection(peer: &mut v1::Peer, status: &PeerStatus) {
    peer.connected = true;
    peer.addresses = status
        .addresses
        .iter()
        .take(ADDRESSES_MAX)
        .map(ToString::to_string)
        .collect();
    peer.round_trip_ms = status
        .round_trip
        .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
}
