//! What statements say, as JSON.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use symphony_protocol::records::{
    Acknowledgement, Assignment, Beacon, Bid, Call, Capability, Issued, Opening, Origin, Receipt,
    Received, Reveal, Revocation,
};

use super::names::{device_name, form_name, reach_name, result_name};

/// A record that has a JSON form.
pub(super) trait RecordJson {
    /// Its fields by the schema's names.
    fn record_json(&self) -> Value;
}

/// A statement of the author: its digest and what it says.
pub(super) fn issued_json<R: RecordJson>(issued: &Issued<R>) -> Value {
    json!({ "digest": issued.digest.to_string(), "payload": issued.record.record_json() })
}

/// A foreign statement: who signed it, its digest, what it says.
pub(super) fn received_json<R>(received: &Received<R>) -> Value
where
    R: RecordJson + symphony_protocol::records::StatementRecord,
{
    json!({
        "author": received.statement.author().to_string(),
        "digest": received.digest().to_string(),
        "payload": received.record.record_json(),
    })
}

fn origin_json(origin: &Origin) -> Value {
    json!({ "log_id": origin.log.to_string(), "index": origin.index })
}

impl RecordJson for Capability {
    fn record_json(&self) -> Value {
        let models: Vec<Value> = self
            .models
            .iter()
            .map(|model| {
                json!({
                    "name": model.name,
                    "digest": model.digest.to_string(),
                    "context_tokens": model.context_tokens,
                })
            })
            .collect();
        json!({
            "origin": origin_json(&self.origin),
            "sequence": self.sequence,
            "tags": self.tags,
            "embedding": HEXLOWER.encode(&self.embedding.to_bytes()),
            "models": models,
            "price_microunits": self.price_microunits,
            "parallel_max": self.parallel_max,
            "valid_from_ms": self.valid_from_ms,
            "valid_until_ms": self.valid_until_ms,
        })
    }
}

impl RecordJson for Revocation {
    fn record_json(&self) -> Value {
        json!({ "origin": origin_json(&self.origin), "sequence": self.sequence })
    }
}

impl RecordJson for Beacon {
    fn record_json(&self) -> Value {
        let asked: Vec<String> = self.asked.iter().map(ToString::to_string).collect();
        let own_bid = self.own_bid.map(|bid| {
            json!({
                "capability": bid.capability,
                "match_ppm": bid.match_ppm,
                "load_ppm": bid.load_ppm,
                "queue": bid.queue,
            })
        });
        json!({
            "origin": origin_json(&self.origin),
            "task": self.task,
            "plan": self.plan,
            "step": self.step,
            "tags": self.tags,
            "embedding": HEXLOWER.encode(&self.embedding.to_bytes()),
            "form": form_name(self.form),
            "close_bids": self.close_bids,
            "close_deadline_ms": self.close_deadline_ms,
            "execute_ms": self.execute_ms,
            "reveal_ms": self.reveal_ms,
            "reach": reach_name(self.reach),
            "hop_limit": self.hop_limit,
            "hop_anchor": self.hop_anchor.map(|anchor| anchor.to_string()),
            "asked": asked,
            "shortlist": self.shortlist,
            "executors": self.executors,
            "policy": self.policy.to_string(),
            "own_bid": own_bid,
            "secret_commitment": self.secret_commitment.map(|digest| digest.to_string()),
        })
    }
}

impl RecordJson for Bid {
    fn record_json(&self) -> Value {
        json!({
            "origin": origin_json(&self.origin),
            "beacon": self.beacon.to_string(),
            "capability": self.capability.to_string(),
            "match_ppm": self.match_ppm,
            "load_ppm": self.load_ppm,
            "queue": self.queue,
            "price_microunits": self.price_microunits,
            "coordinator": self.coordinator.to_string(),
            "nonce_commitment": self.nonce_commitment.map(|digest| digest.to_string()),
        })
    }
}

impl RecordJson for Call {
    fn record_json(&self) -> Value {
        json!({
            "origin": origin_json(&self.origin),
            "beacon": self.beacon.to_string(),
            "close": self.close.to_string(),
        })
    }
}

impl RecordJson for Opening {
    fn record_json(&self) -> Value {
        json!({
            "origin": origin_json(&self.origin),
            "beacon": self.beacon.to_string(),
            "coordinator": self.coordinator.to_string(),
            "nonce": HEXLOWER.encode(&self.nonce),
        })
    }
}

impl RecordJson for Assignment {
    fn record_json(&self) -> Value {
        json!({
            "origin": origin_json(&self.origin),
            "beacon": self.beacon.to_string(),
            "slot": self.slot,
            "executor": self.executor.to_string(),
            "prompt": self.prompt.to_string(),
            "key_commitment": self.key_commitment.to_string(),
            "execute_ms": self.execute_ms,
            "reveal_ms": self.reveal_ms,
        })
    }
}

impl RecordJson for Receipt {
    fn record_json(&self) -> Value {
        json!({
            "origin": origin_json(&self.origin),
            "assignment": self.assignment.to_string(),
            "model": self.model.to_string(),
            "device": device_name(self.device),
            "temperature_ppm": self.temperature_ppm,
            "output_tokens_max": self.output_tokens_max,
            "output": self.output.to_string(),
            "prompt_tokens": self.prompt_tokens,
            "output_tokens": self.output_tokens,
            "duration_ms": self.duration_ms,
            "class": result_name(self.class),
            "ballot": self.ballot.to_string(),
        })
    }
}

impl RecordJson for Reveal {
    fn record_json(&self) -> Value {
        json!({
            "origin": origin_json(&self.origin),
            "assignment": self.assignment.to_string(),
            "answer": self.answer.to_string(),
            "confidence_ppm": self.confidence_ppm,
            "salt": HEXLOWER.encode(&self.salt),
        })
    }
}

impl RecordJson for Acknowledgement {
    fn record_json(&self) -> Value {
        json!({ "origin": origin_json(&self.origin), "statement": self.statement.to_string() })
    }
}
