//! What a log's author learned.

use symphony_admin::{BackendError, LogName, v1};
use symphony_protocol::{
    policy::PolicyKind,
    records::{Params, Policy},
    state::{Counters, State},
    vote::VoteRule,
};
use symphony_transparency::decode_canonical;

use super::{
    NodeBackend,
    failure::internal,
    names::{Names, peer_name},
};

/// Names of the numbers of a context, in their order. Spec: SELECT-13.
pub(super) const FEATURES: [&str; 6] = [
    "intercept",
    "similarity",
    "load",
    "latency",
    "reputation",
    "availability",
];

/// Largest encoding of parameters, in bytes.
const PARAMS_SIZE_MAX: usize = 1024;

impl NodeBackend {
    pub(super) async fn policy_of(&self, log: LogName) -> Result<v1::PolicyState, BackendError> {
        let source = self.source(log)?;
        let replay = self.replay(&source).await?;
        Ok(state_message(replay.state(), &Names::of(&self.node)))
    }

    pub(super) async fn measures_of(&self, log: LogName) -> Result<Vec<v1::Measure>, BackendError> {
        let source = self.source(log)?;
        let replay = self.replay(&source).await?;
        let names = Names::of(&self.node);
        let tags = self.bucket_tags().await;
        let peers = replay.state().peers().iter().map(|(peer, measures)| {
            v1::measure::Row::Peer(v1::PeerMeasure {
                peer: Some(names.name(peer)),
                latency_ms: measures.latency_ms,
                failure: measures.failure,
                selections: measures.selections,
                settlements: measures.settlements,
                timeouts: measures.timeouts,
            })
        });
        let buckets = replay
            .state()
            .buckets()
            .iter()
            .map(|((bucket, peer), measures)| {
                v1::measure::Row::Bucket(v1::BucketMeasure {
                    bucket: bucket.to_string(),
                    tags: tags.get(bucket).cloned().unwrap_or_default(),
                    peer: Some(names.name(peer)),
                    settlements: measures.settlements,
                    wins: measures.wins,
                    reputation: measures.reputation,
                    reliability: measures.reliability,
                })
            });
        Ok(peers
            .chain(buckets)
            .map(|row| v1::Measure { row: Some(row) })
            .collect())
    }
}

fn state_message(state: &State, names: &Names) -> v1::PolicyState {
    let model = state.whole_model();
    let model = model.as_ref();
    v1::PolicyState {
        log: Some(peer_name(&state.author(), Some(&state.log()))),
        entries: state.entries(),
        policy: state
            .learner()
            .map(|learner| policy_message(&learner.policy)),
        observations: model.map_or(0, |model| model.observations()),
        features: feature_names(),
        theta: model.map(|model| model.theta()).unwrap_or_default(),
        b: model.map(|model| model.b()).unwrap_or_default(),
        inverse: model.map(|model| model.triangle()).unwrap_or_default(),
        counts: Some(counts_message(state.counters())),
        since: state.learner().map_or(0, |learner| learner.since),
        choices: model.map_or(0, |model| model.choices()),
        settled: model.map_or(0, |model| model.settled()),
        frozen: model.is_some_and(|model| model.is_frozen()),
        peers: model
            .map(|model| model.peer_weights())
            .unwrap_or_default()
            .into_iter()
            .map(|(peer, observations, theta)| v1::PeerWeights {
                peer: Some(names.name(&peer)),
                observations,
                theta,
            })
            .collect(),
        sources: state
            .sources()
            .iter()
            .map(|(peer, source)| v1::MeasureSource {
                peer: Some(names.name(peer)),
                size: source.size,
                odds: source.odds,
            })
            .collect(),
    }
}

pub(super) fn feature_names() -> Vec<String> {
    FEATURES.iter().map(|name| (*name).to_owned()).collect()
}

fn counts_message(counters: &Counters) -> v1::Counts {
    v1::Counts {
        tasks: counters.tasks,
        tasks_decided: counters.tasks_decided,
        closes: counters.closes,
        selections: counters.selections,
        self_selections: counters.self_selections,
        settlements: counters.settlements,
        void_settlements: counters.void_settlements,
        timeouts: counters.timeouts,
    }
}

/// The parameters as a message: their canonical bytes are its encoding.
pub(super) fn params_message(params: &Params) -> Result<v1::Params, BackendError> {
    decode_canonical(&params.to_bytes(), PARAMS_SIZE_MAX).map_err(internal)
}

fn policy_message(policy: &Policy) -> v1::Policy {
    let parameters = &policy.parameters;
    v1::Policy {
        kind: match parameters.kind {
            PolicyKind::Shared => v1::PolicyKind::Shared,
            PolicyKind::Paper => v1::PolicyKind::Paper,
            PolicyKind::Disjoint => v1::PolicyKind::Disjoint,
            PolicyKind::Hybrid => v1::PolicyKind::Hybrid,
            PolicyKind::Strongest => v1::PolicyKind::Strongest,
            PolicyKind::Screening => v1::PolicyKind::Screening,
            PolicyKind::Static => v1::PolicyKind::Static,
            PolicyKind::Random => v1::PolicyKind::Random,
            PolicyKind::RandomTop => v1::PolicyKind::RandomTop,
            PolicyKind::EpsilonGreedy => v1::PolicyKind::EpsilonGreedy,
            PolicyKind::Thompson => v1::PolicyKind::Thompson,
        }
        .into(),
        lambda_ppm: parameters.lambda_ppm,
        delta_ppm: parameters.delta_ppm,
        alpha_ppm: parameters.alpha_ppm,
        noise_ppm: parameters.noise_ppm,
        norm_bound_ppm: parameters.norm_bound_ppm,
        exploration_ppm: parameters.exploration_ppm,
        winner_bonus_ppm: policy.winner_bonus_ppm,
        latency_penalty_ppm: policy.latency_penalty_ppm,
        checker_ppm: policy.checker_ppm,
        vote_rule: match policy.vote_rule {
            VoteRule::Reliability => v1::VoteRule::Reliability,
            VoteRule::Screening => v1::VoteRule::Screening,
            VoteRule::Majority => v1::VoteRule::Majority,
        }
        .into(),
        epsilon_ppm: parameters.epsilon_ppm,
        discount_ppm: parameters.discount_ppm,
        frozen_after: parameters.frozen_after,
        named: policy
            .named
            .iter()
            .map(|(bucket, peer)| v1::NamedPeer {
                bucket: bucket.as_bytes().to_vec(),
                peer: peer.as_bytes().to_vec(),
            })
            .collect(),
        change_threshold_ppm: policy.change_threshold_ppm,
        change_drift_ppm: policy.change_drift_ppm,
        warm_up_closes: policy.warm_up_closes,
        price_ppm: policy.price_ppm,
        price_scale_microunits: policy.price_scale_microunits,
    }
}
