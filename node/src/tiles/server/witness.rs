//! Requests for cosignatures.

use std::{sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Response, StatusCode,
    body::{Bytes, Incoming},
};
use symphony_ledger::LedgerError;
use symphony_transparency::{
    NodeHash, PublicKey, SignedCheckpoint,
    witness::{ADD_CHECKPOINT_SIZE_MAX, AddCheckpoint, Refusal, TEXT_CONTENT_TYPE},
};
use tokio::time::timeout;

use super::{
    Served,
    answer::{answered, foreign, genesis, read_blocking, text},
    body::{Body, whole},
};
use crate::runtime::{Witness, WitnessError};

/// Longest wait for the body of a request.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// What the node knows of the log that a request names.
#[derive(Default)]
struct Known {
    log_key: Option<PublicKey>,
    entries_root: Option<NodeHash>,
}

/// Answers a request for a cosignature.
///
/// Spec: WITNESS-4 to WITNESS-7.
pub(super) async fn add_checkpoint(
    served: &Arc<Served>,
    witness: &Witness,
    body: Incoming,
) -> Response<Body> {
    let body = match receive(body).await {
        Ok(body) => body,
        Err(response) => return *response,
    };
    let request = match AddCheckpoint::parse(&body) {
        Ok(request) => request,
        Err(refusal) => return refused(&refusal),
    };
    let looked_up = {
        let (served, request) = (Arc::clone(served), request.clone());
        read_blocking(move || known(&served, &request)).await
    };
    let known = match looked_up {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    bring(served, &request, &known);
    let cosigned = witness
        .add_checkpoint(&request, known.log_key.as_ref(), known.entries_root)
        .await;
    match cosigned {
        Ok(line) => answered(
            StatusCode::OK,
            TEXT_CONTENT_TYPE,
            whole(format!("{line}\n")),
        ),
        Err(WitnessError::Refused(refusal)) => {
            if refusal.shows_a_fork() {
                let log = request.checkpoint().log;
                tracing::warn!(log = %log.fmt_short(), %refusal, "a log shows two histories");
            }
            refused(&refusal)
        }
        Err(error) => failed(&error),
    }
}

async fn receive(body: Incoming) -> Result<Bytes, Box<Response<Body>>> {
    let collected = timeout(
        BODY_TIME_MAX,
        Limited::new(body, ADD_CHECKPOINT_SIZE_MAX).collect(),
    );
    match collected.await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => {
            let message = format!("a request has at most {ADD_CHECKPOINT_SIZE_MAX} bytes");
            Err(Box::new(text(StatusCode::BAD_REQUEST, &message)))
        }
        Err(_) => Err(Box::new(text(
            StatusCode::REQUEST_TIMEOUT,
            "the request did not arrive in time",
        ))),
    }
}

/// A log of another network, the node's own and one that it does not store are all unknown to it.
fn known(served: &Served, request: &AddCheckpoint) -> Result<Known, LedgerError> {
    let checkpoint = request.checkpoint();
    if checkpoint.network != served.network {
        return Ok(Known::default());
    }
    let Some(reader) = foreign(served, &checkpoint.log)? else {
        return Ok(Known::default());
    };
    let entries_root = if checkpoint.size <= reader.size()? {
        Some(reader.root_at(checkpoint.size)?)
    } else {
        None
    };
    Ok(Known {
        log_key: genesis(&reader)?.map(|genesis| genesis.keys.log),
        entries_root,
    })
}

/// Hands a checkpoint that its log signed to the audit of the log.
fn bring(served: &Served, request: &AddCheckpoint, known: &Known) {
    let text = request.note().to_string();
    if let Some(key) = &known.log_key
        && let Ok(signed) = SignedCheckpoint::parse_and_verify(&text, key)
    {
        (served.brought)(signed);
    }
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    answered(status, refusal.content_type(), whole(refusal.body()))
}

fn failed(error: &dyn std::fmt::Display) -> Response<Body> {
    tracing::warn!(%error, "a cosignature could not be made");
    text(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the cosignature could not be made",
    )
}
