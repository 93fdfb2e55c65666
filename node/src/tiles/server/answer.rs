//! From a request to its answer.

use std::sync::Arc;

use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use symphony_ledger::{LedgerError, LogReader, StoredCheckpoint};
use symphony_protocol::records::{Body as EntryBody, Entry, Genesis};
use symphony_transparency::{
    Digest,
    note::verifier_key,
    tiles::{TileKind, TilePath, tile_bytes},
    witness::TEXT_CONTENT_TYPE,
};

use super::{
    Served,
    body::{Body, bundle, whole},
    route::{Prefix, Route},
    witness::add_checkpoint,
};

const TILE_CONTENT_TYPE: &str = "application/octet-stream";
/// A tile never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// A log grows; a few seconds keep a crowd of readers from the node.
const BRIEF: &str = "public, max-age=2";
/// What is not there now may be later.
const UNCACHED: &str = "no-store";

/// Why there is no resource.
#[derive(Debug)]
enum Missing {
    /// There is none.
    NotFound(String),
    /// It cannot be read.
    Failed,
}

impl From<LedgerError> for Missing {
    fn from(error: LedgerError) -> Self {
        tracing::warn!(%error, "a log could not be read for tiles");
        Self::Failed
    }
}

/// Answers a request. Spec: TILE-6.
pub(super) async fn answer(served: &Arc<Served>, request: Request<Incoming>) -> Response<Body> {
    let route = match Route::parse(request.uri().path()) {
        Ok(route) => route,
        Err(problem) => return text(StatusCode::NOT_FOUND, &problem),
    };
    if route == Route::AddCheckpoint {
        return match (&served.witness, request.method()) {
            (None, _) => text(StatusCode::NOT_FOUND, "this node does not cosign here"),
            (Some(witness), &Method::POST) => {
                add_checkpoint(served, witness, request.into_body()).await
            }
            (Some(_), _) => only("POST"),
        };
    }
    // The server leaves the body out of an answer to HEAD.
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return only("GET, HEAD");
    }
    let served = Arc::clone(served);
    let found = read_blocking(move || match route {
        Route::Index => Ok(resource(TEXT_CONTENT_TYPE, BRIEF, whole(index(&served)?))),
        Route::Checkpoint(prefix) => {
            let (_, newest) = published(&served, prefix)?;
            Ok(resource(TEXT_CONTENT_TYPE, BRIEF, whole(newest.text)))
        }
        Route::Tile(prefix, path) => {
            let body = tile(&served, prefix, &path)?;
            Ok(resource(TILE_CONTENT_TYPE, IMMUTABLE, body))
        }
        Route::AddCheckpoint => Err(Missing::Failed),
    });
    match found.await {
        Ok(response) => response,
        Err(Missing::NotFound(problem)) => text(StatusCode::NOT_FOUND, &problem),
        Err(Missing::Failed) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the log could not be read",
        ),
    }
}

/// Runs a read of the ledger where it may block.
pub(super) async fn read_blocking<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> T {
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read,
        // A panic goes on where it is seen; a cancelled read means that the runtime ends.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

/// A log's reader and the newest checkpoint whose entries are stored. Nothing beyond that checkpoint is shown.
fn published(served: &Served, prefix: Prefix) -> Result<(LogReader, StoredCheckpoint), Missing> {
    let log = match prefix {
        Prefix::Own => served.own,
        Prefix::Log(log) => log,
    };
    let none = |what| Missing::NotFound(format!("this node {what} of log {log}"));
    let reader = served.ledger.log(&log)?.ok_or(none("stores no copy"))?;
    let newest = served.ledger.checkpoint_up_to(&log, reader.size()?)?;
    Ok((reader, newest.ok_or(none("has no signed checkpoint yet"))?))
}

fn tile(served: &Served, prefix: Prefix, path: &TilePath) -> Result<Body, Missing> {
    let (reader, newest) = published(served, prefix)?;
    let size = newest.checkpoint.size;
    if !path.exists_at(size) {
        return Err(Missing::NotFound(format!(
            "{path} is not part of a tree of {size} entries, which the newest checkpoint is of"
        )));
    }
    match path.kind() {
        TileKind::Entries => Ok(bundle(reader, path)),
        TileKind::Hashes { .. } => match tile_bytes(&reader, path) {
            Ok(bytes) => Ok(whole(bytes)),
            Err(error) => {
                tracing::warn!(%error, log = %reader.log().fmt_short(), "a tile could not be read");
                Err(Missing::Failed)
            }
        },
    }
}

/// A line for each log that can be read here: prefix, size, and the verifier key for readers of notes.
fn index(served: &Served) -> Result<String, Missing> {
    let mut lines = "# prefix, entries, verifier key\n".to_owned();
    for log in served.ledger.logs()? {
        let prefix = if log == served.own {
            Prefix::Own
        } else {
            Prefix::Log(log)
        };
        let (reader, newest) = match published(served, prefix) {
            Ok(published) => published,
            Err(Missing::NotFound(_)) => continue,
            Err(Missing::Failed) => return Err(Missing::Failed),
        };
        let Some(genesis) = genesis(&reader)? else {
            continue;
        };
        let shown = match prefix {
            Prefix::Own => "/".to_owned(),
            Prefix::Log(log) => format!("/log/{log}/"),
        };
        let checkpoint = newest.checkpoint;
        let key = verifier_key(&checkpoint.origin(), &genesis.keys.log);
        lines.push_str(&format!("{shown} {} {key}\n", checkpoint.size));
    }
    Ok(lines)
}

/// Entry 0 of a log; nothing if it cannot be read, which the audit of the log tells.
pub(super) fn genesis(reader: &LogReader) -> Result<Option<Genesis>, LedgerError> {
    let Some(bytes) = reader.entry(0)? else {
        return Ok(None);
    };
    Ok(match Entry::parse(&bytes, None).map(|entry| entry.body) {
        Ok(EntryBody::Genesis(genesis)) => Some(*genesis),
        Ok(_) | Err(_) => None,
    })
}

/// A log that other peers' requests name: its reader, if it is stored and not this peer's own.
pub(super) fn foreign(served: &Served, log: &Digest) -> Result<Option<LogReader>, LedgerError> {
    if *log == served.own {
        return Ok(None);
    }
    served.ledger.log(log)
}

fn resource(content_type: &'static str, caching: &'static str, body: Body) -> Response<Body> {
    let mut response = answered(StatusCode::OK, content_type, body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    // Logs are public, and pages that verify them run in the visitor's browser.
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    response
}

/// An answer in words.
pub(super) fn text(status: StatusCode, message: &str) -> Response<Body> {
    answered(status, TEXT_CONTENT_TYPE, whole(format!("{message}\n")))
}

/// An answer that nobody keeps.
pub(super) fn answered(
    status: StatusCode,
    content_type: &'static str,
    body: Body,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, UNCACHED),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn only(methods: &'static str) -> Response<Body> {
    let mut response = text(
        StatusCode::METHOD_NOT_ALLOWED,
        &format!("only {methods} here"),
    );
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}
