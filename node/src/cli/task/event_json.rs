//! An event of a task as JSON.

use serde_json::{Value, json};
use symphony_admin::v1::{self, TaskEvent, task_event::Kind};

use super::words::{device_word, key, outcome_word, result_word, stopped_word};

/// An event as a JSON object: `entry`, `time_ms`, `plan`, `step`, `event`, and what the event says.
pub(super) fn event_json(event: &TaskEvent) -> Value {
    let (name, mut said) = kind_json(event.kind.as_ref());
    if let Value::Object(fields) = &mut said {
        fields.insert("event".to_owned(), name.into());
        fields.insert("entry".to_owned(), event.entry.into());
        fields.insert("time_ms".to_owned(), event.time_ms.into());
        fields.insert("plan".to_owned(), event.plan.into());
        fields.insert("step".to_owned(), event.step.into());
    }
    said
}

fn kind_json(kind: Option<&Kind>) -> (&'static str, Value) {
    let Some(kind) = kind else {
        return ("unknown", json!({}));
    };
    match kind {
        Kind::Opened(said) => (
            "opened",
            json!({ "task": said.task, "plan_steps": said.plan_steps }),
        ),
        Kind::Beacon(said) => (
            "beacon",
            json!({
                "tags": said.tags, "asked": said.asked, "close_bids": said.close_bids,
                "close_deadline_ms": said.close_deadline_ms,
            }),
        ),
        Kind::Bid(said) => (
            "bid",
            json!({
                "peer": key(said.peer.as_ref()), "match_ppm": said.match_ppm, "load_ppm": said.load_ppm,
                "queue": said.queue, "price_microunits": said.price_microunits,
            }),
        ),
        Kind::Closed(said) => {
            let ranking: Vec<Value> = said
                .ranking
                .iter()
                .map(|ranked| json!({ "peer": key(ranked.peer.as_ref()), "score": ranked.score }))
                .collect();
            let selections: Vec<Value> = said.selections.iter().map(pick_json).collect();
            (
                "closed",
                json!({ "ranking": ranking, "selections": selections }),
            )
        }
        Kind::Assigned(said) => (
            "assigned",
            json!({ "slot": said.slot, "peer": key(said.peer.as_ref()), "due_ms": said.due_ms }),
        ),
        Kind::Receipt(said) => (
            "receipt",
            json!({
                "slot": said.slot, "peer": key(said.peer.as_ref()), "class": result_word(said.class()),
                "latency_ms": said.latency_ms, "duration_ms": said.duration_ms, "model": said.model,
                "device": device_word(said.device()), "output_tokens": said.output_tokens,
            }),
        ),
        Kind::Reveal(said) => (
            "reveal",
            json!({
                "slot": said.slot, "peer": key(said.peer.as_ref()),
                "confidence_ppm": said.confidence_ppm, "answer": said.answer,
            }),
        ),
        Kind::Timeout(said) => (
            "timeout",
            json!({ "slot": said.slot, "peer": key(said.peer.as_ref()) }),
        ),
        Kind::Replacement(said) => (
            "replacement",
            json!({ "slot": said.slot, "selection": said.selection.as_ref().map(pick_json) }),
        ),
        Kind::Settled(said) => {
            let outcomes: Vec<Value> = said
                .outcomes
                .iter()
                .map(|outcome| {
                    json!({
                        "slot": outcome.slot, "peer": key(outcome.peer.as_ref()),
                        "class": outcome_word(outcome.class()), "latency_ms": outcome.latency_ms,
                        "reward": outcome.reward,
                    })
                })
                .collect();
            (
                "settled",
                json!({
                    "answer": said.answer, "weight": said.weight, "supporters": said.supporters,
                    "outcomes": outcomes,
                }),
            )
        }
        Kind::Decided(said) => (
            "decided",
            json!({ "answer": said.answer, "weight": said.weight }),
        ),
        Kind::Failed(said) => ("failed", json!({ "reason": said.reason })),
        Kind::Planning(said) => ("planning", json!({ "task": said.task })),
        Kind::Planned(said) => {
            let plans: Vec<Vec<Value>> = said
                .plans
                .iter()
                .map(|plan| {
                    plan.steps
                        .iter()
                        .map(|step| json!({ "question": step.text, "tags": step.tags }))
                        .collect()
                })
                .collect();
            (
                "planned",
                json!({ "plans": plans, "by_planners": said.by_planners }),
            )
        }
        Kind::Stopped(said) => ("stopped", json!({ "by": stopped_word(said.by()) })),
    }
}

fn pick_json(pick: &v1::Pick) -> Value {
    json!({
        "slot": pick.slot, "peer": key(pick.peer.as_ref()), "estimate": pick.estimate,
        "width": pick.width, "score": pick.score,
    })
}
