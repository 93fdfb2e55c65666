//! An entry as JSON.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use symphony_protocol::records::{
    Body, Close, Draw, Entry, Genesis, MeasuresImported, Outcome, Params, Phase, Policy,
    Replacement, Selection, Settlement, TaskDecided, Winner,
};
use symphony_transparency::entry_digest;

use super::{
    names::{
        check_name, checker_name, kind_name, learning_name, outcome_name, phase_name,
        vote_rule_name,
    },
    number::number_json,
    statement_json::{issued_json, received_json},
};

/// An entry as a JSON object: place, digest, and the body under the name that the schema gives it.
pub fn entry_json(entry: &Entry) -> Value {
    let mut object = Map::new();
    object.insert("index".to_owned(), entry.index.into());
    object.insert("previous".to_owned(), entry.previous.to_string().into());
    object.insert("time_ms".to_owned(), entry.time_ms.into());
    object.insert(
        "digest".to_owned(),
        entry_digest(&entry.encode()).to_string().into(),
    );
    object.insert("kind".to_owned(), entry.body.name().into());
    object.insert(entry.body.name().to_owned(), body_json(&entry.body));
    Value::Object(object)
}

/// What is left of an entry that cannot be read: its index, its bytes, and why.
pub fn unreadable_json(index: u64, bytes: &[u8], reason: &str) -> Value {
    json!({ "index": index, "kind": "unreadable", "reason": reason, "bytes": HEXLOWER.encode(bytes) })
}

fn body_json(body: &Body) -> Value {
    match body {
        Body::Genesis(genesis) => genesis_json(genesis),
        Body::PolicySet(policy, learning) => {
            let mut value = policy_json(policy);
            value["learning"] = learning_name(*learning).into();
            value
        }
        Body::CapabilityIssued(issued) => issued_json(issued),
        Body::RevocationIssued(issued) => issued_json(issued),
        Body::TaskOpened(task) => json!({
            "key_commitment": task.key_commitment.to_string(),
            "plan_steps": task.plan_steps,
        }),
        Body::BeaconIssued(issued) => issued_json(issued),
        Body::BidIssued(issued, beacon) => {
            json!({ "bid": issued_json(issued), "beacon": received_json(beacon) })
        }
        Body::AssignmentIssued(issued) => issued_json(issued),
        Body::ReceiptIssued(issued) => issued_json(issued),
        Body::RevealIssued(issued) => issued_json(issued),
        Body::CapabilityReceived(received) => received_json(received),
        Body::RevocationReceived(received) => received_json(received),
        Body::BidReceived(received) => received_json(received),
        Body::AssignmentReceived(received) => received_json(received),
        Body::ReceiptReceived(received) => received_json(received),
        Body::RevealReceived(received, check, checker) => json!({
            "statement": received_json(received),
            "check": check_name(*check),
            "checker": checker_name(*checker),
        }),
        Body::AcknowledgementReceived(received) => received_json(received),
        Body::Timeout(timeout) => json!({
            "beacon": timeout.beacon,
            "phase": phase_name(timeout.phase),
            "slot": match timeout.phase {
                Phase::Receipt(slot) => Some(slot),
                Phase::Bids | Phase::Reveals | Phase::Openings => None,
            },
        }),
        Body::Resumed => json!({}),
        Body::Close(close) => close_json(close),
        Body::Replacement(replacement) => replacement_json(replacement),
        Body::Settlement(settlement) => settlement_json(settlement),
        Body::TaskDecided(decided) => decided_json(decided),
        Body::CallIssued(issued) => issued_json(issued),
        Body::OpeningIssued(issued, call) => {
            json!({ "opening": issued_json(issued), "call": received_json(call) })
        }
        Body::OpeningReceived(received) => received_json(received),
        Body::Draw(draw) => draw_json(draw),
        Body::RootRecorded(recorded) => json!({ "state_root": recorded.state_root.to_string() }),
        Body::MeasuresImported(import) => import_json(import),
    }
}

fn import_json(import: &MeasuresImported) -> Value {
    let taken = import.taken.as_ref();
    json!({
        "source": import.source.to_string(),
        "weight_ppm": taken.map_or(0, |taken| taken.weight_ppm),
        "log": taken.map(|taken| taken.checkpoint.log.to_string()),
        "size": taken.map(|taken| taken.checkpoint.size),
        "state_root": taken.map(|taken| taken.checkpoint.state_root.to_string()),
        "claims": import.open_keys().len(),
    })
}

fn genesis_json(genesis: &Genesis) -> Value {
    json!({
        "network_id": genesis.params.network_id().to_string(),
        "params": params_json(&genesis.params),
        "log_key": genesis.keys.log.to_string(),
        "transport_key": genesis.keys.transport.to_string(),
        "witness_key": genesis.keys.witness.to_string(),
        "transport_signature": HEXLOWER.encode(genesis.binding.transport.as_bytes()),
        "witness_signature": HEXLOWER.encode(genesis.binding.witness.as_bytes()),
        "log_signature": HEXLOWER.encode(genesis.binding.log.as_bytes()),
        "stamp": genesis.stamp,
    })
}

fn params_json(params: &Params) -> Value {
    json!({
        "name": params.name(),
        "rules_revision": params.rules_revision(),
        "admission_difficulty_bits": params.admission_difficulty_bits(),
        "match_threshold_ppm": params.match_threshold_ppm(),
        "screening_similarity_ppm": params.screening_similarity_ppm(),
        "screening_prior_ppm": params.screening_prior_ppm(),
        "screening_stability_ppm": params.screening_stability_ppm(),
        "latency_scale_ms": params.latency_scale_ms(),
        "latency_start_ms": params.latency_start_ms(),
        "latency_weight_ppm": params.latency_weight_ppm(),
        "failure_weight_ppm": params.failure_weight_ppm(),
        "reputation_weight_ppm": params.reputation_weight_ppm(),
        "prior_success_milli": params.prior_success_milli(),
        "prior_failure_milli": params.prior_failure_milli(),
        "newcomer_settlements": params.newcomer_settlements(),
        "newcomer_interval": params.newcomer_interval(),
        "bids_max": params.bids_max(),
        "bid_window_ms_max": params.bid_window_ms_max(),
        "execute_ms_max": params.execute_ms_max(),
        "reveal_ms_max": params.reveal_ms_max(),
    })
}

fn policy_json(policy: &Policy) -> Value {
    let parameters = &policy.parameters;
    json!({
        "digest": policy.digest().to_string(),
        "kind": kind_name(parameters.kind),
        "lambda_ppm": parameters.lambda_ppm,
        "delta_ppm": parameters.delta_ppm,
        "alpha_ppm": parameters.alpha_ppm,
        "noise_ppm": parameters.noise_ppm,
        "norm_bound_ppm": parameters.norm_bound_ppm,
        "exploration_ppm": parameters.exploration_ppm,
        "epsilon_ppm": parameters.epsilon_ppm,
        "winner_bonus_ppm": policy.winner_bonus_ppm,
        "latency_penalty_ppm": policy.latency_penalty_ppm,
        "checker_ppm": policy.checker_ppm,
        "vote_rule": vote_rule_name(policy.vote_rule),
        "discount_ppm": parameters.discount_ppm,
        "frozen_after": parameters.frozen_after,
        "change_threshold_ppm": policy.change_threshold_ppm,
        "change_drift_ppm": policy.change_drift_ppm,
        "warm_up_closes": policy.warm_up_closes,
        "price_ppm": policy.price_ppm,
        "price_scale_microunits": policy.price_scale_microunits,
        "named": policy
            .named
            .iter()
            .map(|(bucket, peer)| json!({ "bucket": bucket.to_string(), "peer": peer.to_string() }))
            .collect::<Vec<_>>(),
    })
}

fn close_json(close: &Close) -> Value {
    let ranking: Vec<Value> = close
        .ranking
        .iter()
        .map(|ranked| json!({ "bid": ranked.bid, "score": number_json(ranked.score) }))
        .collect();
    let selections: Vec<Value> = close.selections.iter().map(selection_json).collect();
    json!({
        "beacon": close.beacon,
        "ranking": ranking,
        "selections": selections,
        "state_root": close.state_root.to_string(),
    })
}

fn selection_json(selection: &Selection) -> Value {
    let features: Vec<Value> = selection.features.iter().map(|x| number_json(*x)).collect();
    json!({
        "bid": selection.bid,
        "features": features,
        "estimate": number_json(selection.estimate),
        "width": number_json(selection.width),
        "propensity": selection.propensity.map(number_json),
    })
}

fn draw_json(draw: &Draw) -> Value {
    let selections: Vec<Value> = draw.selections.iter().map(selection_json).collect();
    json!({
        "beacon": draw.beacon,
        "secret": HEXLOWER.encode(&draw.secret),
        "seed": draw.seed.to_string(),
        "selections": selections,
        "state_root": draw.state_root.to_string(),
    })
}

fn replacement_json(replacement: &Replacement) -> Value {
    json!({
        "beacon": replacement.beacon,
        "slot": replacement.slot,
        "selection": selection_json(&replacement.selection),
    })
}

fn settlement_json(settlement: &Settlement) -> Value {
    let outcomes: Vec<Value> = settlement.outcomes.iter().map(outcome_json).collect();
    json!({
        "beacon": settlement.beacon,
        "answer": answer_json(settlement.winner),
        "weight": weight_json(settlement.winner),
        "supporters": settlement.supporters,
        "outcomes": outcomes,
        "state_root": settlement.state_root.to_string(),
    })
}

fn outcome_json(outcome: &Outcome) -> Value {
    json!({
        "class": outcome_name(outcome.class),
        "latency_ms": outcome.latency_ms,
        "reward": number_json(outcome.reward),
    })
}

fn decided_json(decided: &TaskDecided) -> Value {
    json!({
        "task": decided.task,
        "answer": answer_json(decided.winner),
        "weight": weight_json(decided.winner),
    })
}

fn answer_json(winner: Option<Winner>) -> Value {
    winner.map_or(Value::Null, |winner| winner.answer.to_string().into())
}

fn weight_json(winner: Option<Winner>) -> Value {
    winner.map_or(Value::Null, |winner| number_json(winner.weight))
}
