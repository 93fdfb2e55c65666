//! One selection, term by term, recomputed by replay up to its entry.

use symphony_admin::{BackendError, ErrorKind, LogName, SelectionQuery, v1};
use symphony_ledger::LogReader;
use symphony_protocol::{
    policy::Model,
    records::{Body, Entry, Params, RecordError, Selection},
    replay::{Replay, Stop},
    screening::{Candidate, Weights, composite, stability},
    state::{OpenStep, State},
};
use symphony_transparency::Digest;

use super::{
    NodeBackend,
    failure::{internal, ledger, not_found},
    names::peer_name,
    policy::feature_names,
};

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
    let (beacon, first_slot, made): (u64, Option<u32>, &[Selection]) = match &entry.body {
        Body::Close(close) => (close.beacon, Some(0), &close.selections),
        Body::Draw(draw) => (draw.beacon, Some(0), &draw.selections),
        Body::Replacement(replacement) => (
            replacement.beacon,
            None,
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
    let earlier = u32::try_from(step.selections.len()).unwrap_or(u32::MAX);
    let first = first_slot.unwrap_or(earlier);
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
    let scene = Scene {
        state,
        step,
        closing: first_slot.is_some(),
        made: &made[..=before],
        first,
    };
    Ok(scene.explanation(index, beacon, slot))
}

/// A step at the moment of a selection.
struct Scene<'a> {
    state: &'a State,
    step: &'a OpenStep,
    /// Whether the entry is the close, so that the ranking is not in the state yet.
    closing: bool,
    /// What the entry selects, up to the selection that is explained.
    made: &'a [Selection],
    /// Number of the first of them.
    first: u32,
}

impl Scene<'_> {
    fn explanation(&self, entry: u64, beacon: u64, slot: u32) -> v1::Explanation {
        let params = self.state.params();
        let weights = weights(params);
        let model = self.model();
        let mut candidates: Vec<v1::Candidate> = self
            .state
            .candidates(self.step)
            .iter()
            .map(|candidate| self.candidate(candidate, &weights, model.as_ref(), beacon))
            .collect();
        candidates.sort_by(|left, right| {
            let ranks = left
                .rank
                .unwrap_or(u32::MAX)
                .cmp(&right.rank.unwrap_or(u32::MAX));
            ranks.then_with(|| right.composite.total_cmp(&left.composite))
        });
        let observations = model.as_ref().map_or(0, Model::observations);
        v1::Explanation {
            log: Some(peer_name(&self.state.author(), Some(&self.state.log()))),
            beacon,
            entry,
            slot,
            shortlist: self.step.beacon.shortlist,
            newcomer_place: self.closing && self.keeps_newcomer_place(params),
            similarity_weight_ppm: weights.similarity_ppm,
            prior_weight_ppm: weights.prior_ppm,
            stability_weight_ppm: weights.stability_ppm,
            features: feature_names(),
            theta: model.as_ref().map(Model::theta).unwrap_or_default(),
            observations,
            beta: model.as_ref().map_or(0.0, Model::width_scale),
            candidates,
        }
    }

    /// The policy before the selection: it has noted the picks of this entry that came earlier.
    fn model(&self) -> Option<Model> {
        let bidders = self.step.bids.iter().map(|bid| bid.peer);
        let mut model = self.state.model_for(bidders)?;
        let earlier = self.made.len().saturating_sub(1);
        for selection in &self.made[..earlier] {
            if let Some(bid) = self.step.bids.iter().find(|bid| bid.entry == selection.bid) {
                model.choose(bid.peer, selection.features);
            }
        }
        Some(model)
    }

    /// Spec: SELECT-7.
    fn keeps_newcomer_place(&self, params: &Params) -> bool {
        let interval = u64::from(params.newcomer_interval());
        interval > 0 && (self.state.counters().closes + 1).is_multiple_of(interval)
    }

    fn candidate(
        &self,
        candidate: &Candidate,
        weights: &Weights,
        model: Option<&Model>,
        beacon: u64,
    ) -> v1::Candidate {
        let rank = self.rank_of(candidate.bid_index);
        let assessed = model
            .filter(|_| rank.is_some())
            .and_then(|model| model.assess(&[candidate]).into_iter().next());
        let (x, choice) =
            assessed.map_or((Vec::new(), None), |(x, choice)| (x.to_vec(), Some(choice)));
        let log = self
            .state
            .capabilities()
            .get(&candidate.peer)
            .map(|known| known.capability.origin.log);
        v1::Candidate {
            peer: Some(peer_name(&candidate.peer, log.as_ref())),
            bid: candidate.bid_index,
            own: candidate.bid_index == beacon,
            newcomer: candidate.newcomer,
            similarity: candidate.similarity,
            prior: candidate.prior,
            load: candidate.load,
            latency: candidate.latency,
            availability: candidate.availability,
            reputation: candidate.reputation,
            stability: stability(candidate.load, candidate.latency, candidate.availability),
            composite: composite(candidate, weights),
            rank,
            x,
            estimate: choice.map_or(0.0, |choice| choice.estimate),
            width: choice.map_or(0.0, |choice| choice.width),
            score: choice.map_or(0.0, |choice| choice.score),
            picked_slot: self.slot_of(candidate.bid_index),
        }
    }

    fn rank_of(&self, bid: u64) -> Option<u32> {
        let place = if self.closing {
            let candidates = self.state.candidates(self.step);
            let params = self.state.params();
            symphony_protocol::screening::rank(
                &candidates,
                &weights(params),
                self.step.beacon.shortlist as usize,
                self.keeps_newcomer_place(params).into(),
            )
            .iter()
            .position(|ranked| ranked.bid_index == bid)
        } else {
            self.step
                .ranking
                .iter()
                .position(|ranked| ranked.bid == bid)
        };
        place.and_then(|place| u32::try_from(place).ok())
    }

    fn slot_of(&self, bid: u64) -> Option<u32> {
        let earlier = self.step.selections.iter().map(|selection| selection.bid);
        let here = self.made.iter().map(|selection| selection.bid);
        if let Some(place) = here.clone().position(|made| made == bid) {
            return u32::try_from(place).ok().map(|place| self.first + place);
        }
        earlier
            .clone()
            .position(|made| made == bid)
            .and_then(|place| u32::try_from(place).ok())
    }
}

fn weights(params: &Params) -> Weights {
    Weights {
        similarity_ppm: params.screening_similarity_ppm(),
        prior_ppm: params.screening_prior_ppm(),
        stability_ppm: params.screening_stability_ppm(),
    }
}
