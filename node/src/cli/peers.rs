//! `symphony peers` and `symphony capabilities`.

use clap::Args;
use serde_json::{Value, json};
use symphony_admin::v1;

use super::{
    arguments::OutputArgs,
    audit::verdict_name,
    connect::NodeArgs,
    exit::ExitStatus,
    output::{print_json, print_lines, table},
};

/// Most peers and capabilities that are listed at once.
const LISTED_MAX: usize = 100_000;

/// Lists peers.
#[derive(Args, Debug)]
#[command(
    after_help = "LAG is how many entries of a peer's log the node has yet to replay; VERDICT is what it concluded so
far. Examples:
  symphony peers
  symphony peers --json"
)]
pub(super) struct PeersCommand {
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Lists capabilities.
#[derive(Args, Debug)]
pub(super) struct CapabilitiesCommand {
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl PeersCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
        let client = self.node.connect().await?;
        let peers = client.peers().await?.collect_at_most(LISTED_MAX).await?;
        if self.output.json {
            peers
                .iter()
                .try_for_each(|peer| print_json(&peer_json(peer)))?;
            return Ok(ExitStatus::Success);
        }
        let rows: Vec<Vec<String>> = peers.iter().map(peer_row).collect();
        let headings = ["VERDICT", "CONNECTED", "ENTRIES", "LAG", "RTT MS", "PEER"];
        print_lines(&table(&headings, &rows))?;
        for peer in &peers {
            if let Some(why) = why(peer) {
                print_lines(&format!("{}: {why}", name(peer.name.as_ref()).did_key))?;
            }
        }
        Ok(ExitStatus::Success)
    }
}

fn name(name: Option<&v1::PeerName>) -> v1::PeerName {
    name.cloned().unwrap_or_default()
}

fn peer_row(peer: &v1::Peer) -> Vec<String> {
    vec![
        verdict_name(peer.verdict()).to_owned(),
        if peer.connected { "yes" } else { "no" }.to_owned(),
        peer.log_size.to_string(),
        peer.lag_entries.to_string(),
        peer.round_trip_ms
            .map_or_else(|| "-".to_owned(), |time| time.to_string()),
        name(peer.name.as_ref()).did_key,
    ]
}

fn why(peer: &v1::Peer) -> Option<String> {
    match &peer.fault {
        Some(fault) => {
            let own = name(peer.name.as_ref()).log_id == fault.log_id || fault.log_id.is_empty();
            let place = if own {
                String::new()
            } else {
                format!(" of log {}", fault.log_id)
            };
            Some(format!(
                "broke {} at entry {}{place}: expected {}, found {}",
                fault.rule, fault.entry, fault.expected, fault.found
            ))
        }
        None => Some(peer.reason.clone()).filter(|reason| !reason.is_empty()),
    }
}

fn peer_json(peer: &v1::Peer) -> Value {
    let name = name(peer.name.as_ref());
    let fault = peer.fault.as_ref().map(|fault| {
        json!({
            "peer": name.did_key, "rule": fault.rule, "name": fault.name, "log": fault.log_id, "entry": fault.entry,
            "expected": fault.expected, "found": fault.found, "signed": fault.signed,
        })
    });
    json!({
        "peer": name.did_key,
        "log": Some(&name.log_id).filter(|log| !log.is_empty()),
        "transport_id": peer.transport_id,
        "addresses": peer.addresses,
        "connected": peer.connected,
        "round_trip_ms": peer.round_trip_ms,
        "log_size": peer.log_size,
        "replayed_size": peer.replayed_size,
        "lag_entries": peer.lag_entries,
        "verdict": verdict_name(peer.verdict()),
        "fault": fault,
        "reason": Some(&peer.reason).filter(|reason| !reason.is_empty()),
        "has_evidence": peer.has_evidence,
        "cosigned_size": peer.cosigned_size,
    })
}

impl CapabilitiesCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
        let client = self.node.connect().await?;
        let capabilities = client
            .capabilities()
            .await?
            .collect_at_most(LISTED_MAX)
            .await?;
        if self.output.json {
            capabilities
                .iter()
                .try_for_each(|capability| print_json(&capability_json(capability)))?;
            return Ok(ExitStatus::Success);
        }
        let rows: Vec<Vec<String>> = capabilities.iter().map(capability_row).collect();
        let headings = ["TAGS", "MODELS", "PARALLEL", "PRICE", "VALID UNTIL", "PEER"];
        print_lines(&table(&headings, &rows))?;
        Ok(ExitStatus::Success)
    }
}

fn capability_row(capability: &v1::Capability) -> Vec<String> {
    let models: Vec<&str> = capability
        .models
        .iter()
        .map(|model| model.name.as_str())
        .collect();
    let own = if capability.own { " (this node)" } else { "" };
    vec![
        capability.tags.join(" "),
        models.join(" "),
        capability.parallel_max.to_string(),
        capability.price_microunits.to_string(),
        if capability.revoked {
            "revoked".to_owned()
        } else {
            crate::render::time_text(capability.valid_until_ms)
        },
        format!("{}{own}", name(capability.peer.as_ref()).did_key),
    ]
}

fn capability_json(capability: &v1::Capability) -> Value {
    let name = name(capability.peer.as_ref());
    let models: Vec<Value> = capability
        .models
        .iter()
        .map(|model| {
            json!({
                "name": model.name, "digest": model.digest, "context_tokens": model.context_tokens,
            })
        })
        .collect();
    json!({
        "peer": name.did_key,
        "log": name.log_id,
        "own": capability.own,
        "sequence": capability.sequence,
        "tags": capability.tags,
        "models": models,
        "price_microunits": capability.price_microunits,
        "parallel_max": capability.parallel_max,
        "valid_from_ms": capability.valid_from_ms,
        "valid_until_ms": capability.valid_until_ms,
        "revoked": capability.revoked,
    })
}
