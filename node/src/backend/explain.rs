//! One selection, term by term, recomputed by replay up to its entry.

mod scene;

use symphony_admin::{BackendError, ErrorKind, LogName, SelectionQuery, v1};
use symphony_ledger::LogReader;
use symphony_protocol::{
    records::{Body, Entry, RecordError, Selection},
    replay::{Replay, Stop},
};
use symphony_transparency::Digest;

use super::{
    NodeBackend,
    failure::{internal, ledger, not_found},
};
use scene::{Moment, Scene};

/// Why a selection cannot be explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The log cannot be replayed to the entry.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// The entry cannot be read.
    #[error("entry {index}: {source}")]
    Entry {
        /// Its index.
        index: u64,
        /// What is wrong with it.
        source: RecordError,
    },
    /// The entry selects nobody.
    #[error("entry {index} is a {kind}; expected a close or a replacement")]
    NoSelection {
        /// Its index.
        index: u64,
        /// What it is.
        kind: &'static str,
    },
    /// The entry does not make this selection.
    #[error("entry {index} makes the selections {first} to {last}, not {slot}")]
    Slot {
        /// Index of the entry.
        index: u64,
        /// Number of the first selection that it makes.
        first: u32,
        /// Number of the last one.
        last: u32,
        /// Number that was asked for.
        slot: u32,
    },
    /// The entry closes without a selection, since nobody bid.
    #[error("entry {index} closes its beacon without a selection: nobody bid")]
    Nobody {
        /// Index of the entry.
        index: u64,
    },
    /// The entry names a beacon that is not open.
    #[error("entry {index} names beacon {beacon}, which is not open")]
    NotOpen {
        /// Index of the entry.
        index: u64,
        /// Index of the beacon.
        beacon: u64,
    },
}

impl NodeBackend {
    pub(super) async fn explanation_of(
        &self,
        log: LogName,
        query: SelectionQuery,
    ) -> Result<v1::Explanation, BackendError> {
        let source = self.source(log)?;
        let size = source.size()?;
        if query.entry >= size {
            return Err(not_found(format!("the log has {size} entries here")));
        }
        let network = self.node.about().network;
        let permit = std::sync::Arc::clone(&self.replays)
            .acquire_owned()
            .await
            .map_err(internal)?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            explain_stored(&source.reader, &network, query)
        })
        .await
        .map_err(internal)?
    }
}

fn explain_stored(
    reader: &LogReader,
    network: &Digest,
    query: SelectionQuery,
) -> Result<v1::Explanation, BackendError> {
    let mut entries = reader.entries(0..query.entry.saturating_add(1));
    let mut next = || -> Result<Option<Vec<u8>>, BackendError> {
        let entry = entries.next().transpose().map_err(ledger)?;
        Ok(entry.map(|(_, bytes)| bytes))
    };
    let entry_0 = next()?.ok_or_else(|| not_found("the log is empty"))?;
    let unexplained = |error: ExplainError| {
        let kind = match error {
            ExplainError::Slot { .. } => ErrorKind::NotFound,
            _ => ErrorKind::FailedPrecondition,
        };
        BackendError::new(kind, error.to_string())
    };
    let mut replay = Replay::begin(&entry_0, Some(network))
        .map_err(|error| unexplained(Stop::from(error).into()))?;
    let mut last = entry_0;
    while let Some(bytes) = next()? {
        if replay.size() == query.entry {
            last = bytes;
            break;
        }
        replay
            .push(&bytes)
            .map_err(|fault| unexplained(Stop::Exposed(fault).into()))?;
    }
    explain_selection(&replay, query.entry, &last, query.slot).map_err(unexplained)
}

/// Explains a selection that the next entry of a replayed log makes.
///
/// `replay` holds all entries before `index`, whose exact bytes are `bytes`; `slot` is the number of the selection, the
/// entry's first if absent.
///
/// # Errors
/// [`ExplainError`].
pub fn explain_selection(
    replay: &Replay,
    index: u64,
    bytes: &[u8],
    slot: Option<u32>,
) -> Result<v1::Explanation, ExplainError> {
    let state = replay.state();
    let entry = Entry::parse(bytes, Some(&state.network()))
        .map_err(|source| ExplainError::Entry { index, source })?;
    let (beacon, moment, made): (u64, Moment, &[Selection]) = match &entry.body {
        Body::Close(close) => (close.beacon, Moment::Close, &close.selections),
        Body::Draw(draw) => (draw.beacon, Moment::Draw, &draw.selections),
        Body::Replacement(replacement) => (
            replacement.beacon,
            Moment::Replacement,
            std::slice::from_ref(&replacement.selection),
        ),
        body => {
            return Err(ExplainError::NoSelection {
                index,
                kind: body.name(),
            });
        }
    };
    let step = state
        .step(beacon)
        .ok_or(ExplainError::NotOpen { index, beacon })?;
    let first = u32::try_from(step.selections.len()).unwrap_or(u32::MAX);
    let count = u32::try_from(made.len()).unwrap_or(u32::MAX);
    let last = first
        .saturating_add(count)
        .checked_sub(1)
        .filter(|_| count > 0)
        .ok_or(ExplainError::Nobody { index })?;
    let slot = slot.unwrap_or(first);
    if !(first..=last).contains(&slot) {
        return Err(ExplainError::Slot {
            index,
            first,
            last,
            slot,
        });
    }
    let before = (slot - first) as usize;
    let scene = Scene::new(state, step, moment, (first, &made[..=before]));
    Ok(scene.explanation(index, beacon, slot))
}
