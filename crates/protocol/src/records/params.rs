//! What a network agrees on, and how a coordinator learns.

use std::collections::BTreeMap;

use symphony_proto::params::v1 as wire;
use symphony_transparency::{Digest, Domain, PublicKey, digest, encode};

use super::error::{Reader, RecordError};
use crate::policy::PolicyKind;

/// The revision of the rules that this crate implements.
pub const RULES_REVISION: u32 = 1;
/// Largest encoding of the parameters, in bytes: all numbers at their longest fit many times.
const PARAMS_SIZE_MAX: usize = 1024;

/// The agreed parameters of a network; their digest is the network id. Spec: CAP-1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params(wire::Params);

macro_rules! params {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        impl Params {
            $($(#[$doc])* pub fn $name(&self) -> u32 { self.0.$name })*

            /// The same with another value of one number, by its name: those of another network.
            ///
            /// # Errors
            /// A name that no number has, or a number outside its range.
            pub fn with(&self, name: &str, value: u32) -> Result<Self, RecordError> {
                let mut changed = self.to_wire();
                match name {
                    $(stringify!($name) => changed.$name = value,)*
                    _ => return Reader("Params").refuse("name", "the name of a number", name),
                }
                Self::from_wire(changed)
            }
        }
    };
}

params! {
    /// Revision of the rules.
    rules_revision,
    /// Leading zero bits of a log id.
    admission_difficulty_bits,
    /// Lowest match of a bid, in parts per million.
    match_threshold_ppm,
    /// Weight of similarity, in parts per million.
    screening_similarity_ppm,
    /// Weight of the prior, in parts per million.
    screening_prior_ppm,
    /// Weight of stability, in parts per million.
    screening_stability_ppm,
    /// Latency at which latency terms saturate, in milliseconds.
    latency_scale_ms,
    /// Latency assumed without a measure, in milliseconds.
    latency_start_ms,
    /// Weight of the newest latency, in parts per million.
    latency_weight_ppm,
    /// Weight of the newest failure, in parts per million.
    failure_weight_ppm,
    /// Weight of the newest reward in reputation, in parts per million.
    reputation_weight_ppm,
    /// Assumed successes, in thousandths.
    prior_success_milli,
    /// Assumed failures, in thousandths.
    prior_failure_milli,
    /// Settled selections below which a peer is a newcomer.
    newcomer_settlements,
    /// Every n-th close keeps one place for a newcomer; 0 is never.
    newcomer_interval,
    /// Most bids of a close.
    bids_max,
    /// Longest bid window, in milliseconds.
    bid_window_ms_max,
    /// Longest execution, in milliseconds.
    execute_ms_max,
    /// Longest time for reveals, in milliseconds.
    reveal_ms_max,
}

impl Params {
    /// The parameters that a new network starts from: the papers' numbers where they give one, but for the weights of screening and
    /// of the newest reward (decision 0042). Spec: CAP-2.
    ///
    /// # Errors
    /// A name outside 1 to 64 bytes of a-z, 0-9 and '-', or a difficulty above 40 bits.
    pub fn standard(name: &str, admission_difficulty_bits: u32) -> Result<Self, RecordError> {
        Self::from_wire(wire::Params {
            name: name.to_owned(),
            rules_revision: RULES_REVISION,
            admission_difficulty_bits,
            match_threshold_ppm: 300_000,
            screening_similarity_ppm: 200_000,
            screening_prior_ppm: 800_000,
            screening_stability_ppm: 0,
            latency_scale_ms: 2_000,
            latency_start_ms: 500,
            latency_weight_ppm: 200_000,
            failure_weight_ppm: 200_000,
            reputation_weight_ppm: 20_000,
            prior_success_milli: 1_000,
            prior_failure_milli: 2_000,
            newcomer_settlements: 3,
            newcomer_interval: 8,
            bids_max: 64,
            bid_window_ms_max: 60_000,
            execute_ms_max: 600_000,
            reveal_ms_max: 60_000,
        })
    }

    /// The latest deadline for bids that an honest coordinator sets, as a peer sees it at `now_ms`: two of the longest windows
    /// ahead, the second for clocks that differ. Spec: BEACON-9, NET-46.
    pub fn bid_deadline_max(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add(2 * u64::from(self.bid_window_ms_max()))
    }

    /// Name of the network.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The network id: the digest of these parameters' canonical bytes.
    pub fn network_id(&self) -> Digest {
        digest(Domain::NetworkId, &self.to_bytes())
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(&self.0)
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a number outside its range.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        Self::from_wire(Reader("Params").decode(bytes, PARAMS_SIZE_MAX)?)
    }

    pub(crate) fn from_wire(value: wire::Params) -> Result<Self, RecordError> {
        let reader = Reader("Params");
        let named = (1..=64).contains(&value.name.len())
            && value
                .name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !named {
            return reader.refuse(
                "name",
                "1 to 64 bytes of a-z, 0-9 and '-'",
                format!("{:?}", value.name),
            );
        }
        reader.within(
            "rules_revision",
            value.rules_revision,
            1..=u32::MAX,
            "a revision of 1 or more",
        )?;
        reader.within(
            "admission_difficulty_bits",
            value.admission_difficulty_bits,
            0..=40,
            "0 to 40 bits",
        )?;
        for (field, number) in [
            ("match_threshold_ppm", value.match_threshold_ppm),
            ("screening_similarity_ppm", value.screening_similarity_ppm),
            ("screening_prior_ppm", value.screening_prior_ppm),
            ("screening_stability_ppm", value.screening_stability_ppm),
            ("latency_weight_ppm", value.latency_weight_ppm),
            ("failure_weight_ppm", value.failure_weight_ppm),
            ("reputation_weight_ppm", value.reputation_weight_ppm),
        ] {
            reader.ppm(field, number)?;
        }
        reader.within(
            "latency_scale_ms",
            value.latency_scale_ms,
            1..=3_600_000,
            "1 to 3600000 ms",
        )?;
        reader.within(
            "latency_start_ms",
            value.latency_start_ms,
            0..=3_600_000,
            "0 to 3600000 ms",
        )?;
        reader.within(
            "prior_success_milli",
            value.prior_success_milli,
            1..=1_000_000,
            "1 to 1000000 thousandths",
        )?;
        if value.prior_failure_milli <= value.prior_success_milli
            || value.prior_failure_milli > 1_000_000
        {
            return reader.refuse(
                "prior_failure_milli",
                "more than prior_success_milli, at most 1000000",
                value.prior_failure_milli,
            );
        }
        reader.within(
            "newcomer_settlements",
            value.newcomer_settlements,
            0..=1_000,
            "0 to 1000 settlements",
        )?;
        reader.within(
            "newcomer_interval",
            value.newcomer_interval,
            0..=1_000_000,
            "0 to 1000000 closes",
        )?;
        reader.within("bids_max", value.bids_max, 1..=256, "1 to 256 bids")?;
        reader.within(
            "bid_window_ms_max",
            value.bid_window_ms_max,
            1..=3_600_000,
            "1 to 3600000 ms",
        )?;
        reader.within(
            "execute_ms_max",
            value.execute_ms_max,
            1..=86_400_000,
            "1 to 86400000 ms",
        )?;
        reader.within(
            "reveal_ms_max",
            value.reveal_ms_max,
            1..=3_600_000,
            "1 to 3600000 ms",
        )?;
        Ok(Self(value))
    }

    pub(crate) fn to_wire(&self) -> wire::Params {
        self.0.clone()
    }
}

/// The learning rule and its parameters. Spec: CAP-4, SELECT-14.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The learning rule and its numbers.
    pub parameters: crate::policy::PolicyParameters,
    /// Bonus for a winning ballot, in parts per million.
    pub winner_bonus_ppm: u32,
    /// Largest latency penalty, in parts per million.
    pub latency_penalty_ppm: u32,
    /// Worth of a passed check, in parts per million; 0 switches the checker off.
    pub checker_ppm: u32,
    /// Largest price penalty, in parts per million; 0: prices do not matter. Spec: SETTLE-1.
    pub price_ppm: u32,
    /// Price at which that penalty is whole, in microunits; 1 to 10^15.
    pub price_scale_microunits: u64,
    /// How ballots are weighed.
    pub vote_rule: crate::vote::VoteRule,
    /// Whom the operator named for a kind of step (by the digest of its bucket). Only under [`PolicyKind::Static`]; at most
    /// [`NAMED_MAX`].
    pub named: BTreeMap<Digest, PublicKey>,
    /// How far rewards of a peer at one kind of step must stray in sum from their mean until it is measured anew there, in parts
    /// per million; 0: never. Spec: SETTLE-22.
    pub change_threshold_ppm: u32,
    /// How far a single reward may stray for nothing, in parts per million.
    pub change_drift_ppm: u32,
    /// Closes of the log up to which executors are picked in turn, whoever is better; 0 where chance picks. Spec: SELECT-28.
    pub warm_up_closes: u64,
}

/// What becomes of what the policy before this one learned. Spec: SELECT-27.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Learning {
    /// It is forgotten: the new policy starts from nothing.
    #[default]
    Anew,
    /// The new policy goes on with it ([`Policy::may_follow`]).
    Kept,
}

/// Most closes of a warm-up.
const WARM_UP_MAX: u64 = 1_000_000;
/// Largest price scale, in microunits: times a million it fits 128 bits many times.
pub(crate) const PRICE_SCALE_MAX: u64 = 1_000_000_000_000_000;
/// Most peers that a policy names: the policy is a value of the state, and evidence often holds it.
pub const NAMED_MAX: usize = 16;

impl Policy {
    /// One LinUCB for all peers, with the numbers of decision 0042: the default of a node, of the demo and of the experiments.
    pub fn shared() -> Self {
        Self {
            parameters: crate::policy::PolicyParameters {
                kind: PolicyKind::Shared,
                lambda_ppm: 500_000,
                delta_ppm: 50_000,
                alpha_ppm: 1_000_000,
                noise_ppm: 500_000,
                norm_bound_ppm: 1_000_000,
                exploration_ppm: 50_000,
                ..crate::policy::PolicyParameters::SHARED
            },
            winner_bonus_ppm: 500_000,
            latency_penalty_ppm: 200_000,
            checker_ppm: 0,
            price_ppm: 160_000,
            price_scale_microunits: 1_000_000,
            vote_rule: crate::vote::VoteRule::Reliability,
            named: BTreeMap::new(),
            change_threshold_ppm: 4_000_000,
            change_drift_ppm: 100_000,
            warm_up_closes: 0,
        }
    }

    /// The policy of a kind, with the parameters of [`Policy::paper`] for that one and of [`Policy::shared`] for all others; ε is a
    /// tenth.
    pub fn of_kind(kind: PolicyKind) -> Self {
        if kind == PolicyKind::Paper {
            return Self::paper();
        }
        let mut policy = Self::shared();
        policy.parameters.kind = kind;
        if kind == PolicyKind::EpsilonGreedy {
            // A tenth: enough to see everybody, and little to lose by it.
            policy.parameters.epsilon_ppm = 100_000;
        }
        policy
    }

    /// Whether this policy can go on with what the earlier one learned: it learns in the same way from the same rewards.
    ///
    /// Spec: SELECT-27.
    pub fn may_follow(&self, earlier: &Self) -> bool {
        let rewards = |policy: &Self| {
            (
                policy.winner_bonus_ppm,
                policy.latency_penalty_ppm,
                policy.checker_ppm,
                policy.price_ppm,
                policy.price_scale_microunits,
            )
        };
        self.parameters.may_follow(&earlier.parameters) && rewards(self) == rewards(earlier)
    }

    /// The published variant (arXiv 2602.00966): full exploration, unit-ball features, weights of the vote from screening.
    pub fn paper() -> Self {
        Self {
            parameters: crate::policy::PolicyParameters {
                kind: PolicyKind::Paper,
                lambda_ppm: 1_000_000,
                delta_ppm: 50_000,
                alpha_ppm: 1_000_000,
                noise_ppm: 1_000_000,
                norm_bound_ppm: 1_000_000,
                exploration_ppm: 1_000_000,
                ..crate::policy::PolicyParameters::PAPER
            },
            vote_rule: crate::vote::VoteRule::Screening,
            price_ppm: 0,
            change_threshold_ppm: 0,
            change_drift_ppm: 0,
            warm_up_closes: 0,
            ..Self::shared()
        }
    }

    /// Executors drawn evenly from the ranking.
    pub fn random_top() -> Self {
        Self::of_kind(PolicyKind::RandomTop)
    }

    /// A price over the price scale, in parts per million, rounded down; at most a million. Spec: SETTLE-24.
    pub fn price_share_ppm(&self, price_microunits: u64) -> u32 {
        let scale = u128::from(self.price_scale_microunits.max(1));
        let share = u128::from(price_microunits) * 1_000_000 / scale;
        u32::try_from(share.min(1_000_000)).unwrap_or(1_000_000)
    }

    /// The digest that beacons name.
    pub fn digest(&self) -> Digest {
        digest(Domain::Policy, &self.encode())
    }

    /// Its canonical bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        encode(&self.to_wire())
    }

    pub(crate) fn from_wire(value: &wire::Policy) -> Result<Self, RecordError> {
        let reader = Reader("Policy");
        let kind = match wire::PolicyKind::try_from(value.kind) {
            Ok(wire::PolicyKind::Shared) => PolicyKind::Shared,
            Ok(wire::PolicyKind::Paper) => PolicyKind::Paper,
            Ok(wire::PolicyKind::Disjoint) => PolicyKind::Disjoint,
            Ok(wire::PolicyKind::Hybrid) => PolicyKind::Hybrid,
            Ok(wire::PolicyKind::Strongest) => PolicyKind::Strongest,
            Ok(wire::PolicyKind::Screening) => PolicyKind::Screening,
            Ok(wire::PolicyKind::Static) => PolicyKind::Static,
            Ok(wire::PolicyKind::Random) => PolicyKind::Random,
            Ok(wire::PolicyKind::RandomTop) => PolicyKind::RandomTop,
            Ok(wire::PolicyKind::EpsilonGreedy) => PolicyKind::EpsilonGreedy,
            Ok(wire::PolicyKind::Thompson) => PolicyKind::Thompson,
            Ok(wire::PolicyKind::Unspecified) | Err(_) => {
                return reader.refuse("kind", "a known learning rule", value.kind);
            }
        };
        let named = read_named(kind, &value.named)?;
        let vote_rule = match wire::VoteRule::try_from(value.vote_rule) {
            Ok(wire::VoteRule::Reliability) => crate::vote::VoteRule::Reliability,
            Ok(wire::VoteRule::Screening) => crate::vote::VoteRule::Screening,
            Ok(wire::VoteRule::Majority) => crate::vote::VoteRule::Majority,
            Ok(wire::VoteRule::Unspecified) | Err(_) => {
                return reader.refuse("vote_rule", "a known vote rule", value.vote_rule);
            }
        };
        let policy = Self {
            parameters: crate::policy::PolicyParameters {
                kind,
                lambda_ppm: reader.within(
                    "lambda_ppm",
                    value.lambda_ppm,
                    1_000..=1_000_000_000,
                    "1000 to 1000000000",
                )?,
                delta_ppm: reader.within(
                    "delta_ppm",
                    value.delta_ppm,
                    1..=999_999,
                    "1 to 999999",
                )?,
                alpha_ppm: reader.within(
                    "alpha_ppm",
                    value.alpha_ppm,
                    0..=100_000_000,
                    "0 to 100000000",
                )?,
                noise_ppm: reader.within(
                    "noise_ppm",
                    value.noise_ppm,
                    0..=100_000_000,
                    "0 to 100000000",
                )?,
                norm_bound_ppm: reader.within(
                    "norm_bound_ppm",
                    value.norm_bound_ppm,
                    0..=100_000_000,
                    "0 to 100000000",
                )?,
                exploration_ppm: reader.within(
                    "exploration_ppm",
                    value.exploration_ppm,
                    0..=100_000_000,
                    "0 to 100000000",
                )?,
                discount_ppm: reader.within(
                    "discount_ppm",
                    value.discount_ppm,
                    crate::policy::PolicyParameters::discounts(kind),
                    "500000 to 1000000, and 1000000 for a kind that cannot forget",
                )?,
                frozen_after: value.frozen_after,
                epsilon_ppm: if kind == PolicyKind::EpsilonGreedy {
                    reader.within(
                        "epsilon_ppm",
                        value.epsilon_ppm,
                        1..=1_000_000,
                        "1 to 1000000",
                    )?
                } else {
                    reader.within("epsilon_ppm", value.epsilon_ppm, 0..=0, "0 under this kind")?
                },
            },
            winner_bonus_ppm: reader.within(
                "winner_bonus_ppm",
                value.winner_bonus_ppm,
                0..=10_000_000,
                "0 to 10000000",
            )?,
            latency_penalty_ppm: reader.ppm("latency_penalty_ppm", value.latency_penalty_ppm)?,
            checker_ppm: reader.within(
                "checker_ppm",
                value.checker_ppm,
                0..=10_000_000,
                "0 to 10000000",
            )?,
            price_ppm: reader.ppm("price_ppm", value.price_ppm)?,
            price_scale_microunits: reader.within(
                "price_scale_microunits",
                value.price_scale_microunits,
                1..=PRICE_SCALE_MAX,
                "1 to 10^15 microunits",
            )?,
            vote_rule,
            named,
            change_threshold_ppm: reader.within(
                "change_threshold_ppm",
                value.change_threshold_ppm,
                0..=100_000_000,
                "0 to 100000000",
            )?,
            change_drift_ppm: reader.ppm("change_drift_ppm", value.change_drift_ppm)?,
            warm_up_closes: reader.within(
                "warm_up_closes",
                value.warm_up_closes,
                0..=if kind.uses_chance() { 0 } else { WARM_UP_MAX },
                "0 to 1000000, and 0 for a kind that picks by chance",
            )?,
        };
        Ok(policy)
    }

    pub(crate) fn to_wire(&self) -> wire::Policy {
        let kind = match self.parameters.kind {
            PolicyKind::Shared => wire::PolicyKind::Shared,
            PolicyKind::Paper => wire::PolicyKind::Paper,
            PolicyKind::Disjoint => wire::PolicyKind::Disjoint,
            PolicyKind::Hybrid => wire::PolicyKind::Hybrid,
            PolicyKind::Strongest => wire::PolicyKind::Strongest,
            PolicyKind::Screening => wire::PolicyKind::Screening,
            PolicyKind::Static => wire::PolicyKind::Static,
            PolicyKind::Random => wire::PolicyKind::Random,
            PolicyKind::RandomTop => wire::PolicyKind::RandomTop,
            PolicyKind::EpsilonGreedy => wire::PolicyKind::EpsilonGreedy,
            PolicyKind::Thompson => wire::PolicyKind::Thompson,
        };
        let vote_rule = match self.vote_rule {
            crate::vote::VoteRule::Reliability => wire::VoteRule::Reliability,
            crate::vote::VoteRule::Screening => wire::VoteRule::Screening,
            crate::vote::VoteRule::Majority => wire::VoteRule::Majority,
        };
        wire::Policy {
            kind: kind.into(),
            lambda_ppm: self.parameters.lambda_ppm,
            delta_ppm: self.parameters.delta_ppm,
            alpha_ppm: self.parameters.alpha_ppm,
            noise_ppm: self.parameters.noise_ppm,
            norm_bound_ppm: self.parameters.norm_bound_ppm,
            exploration_ppm: self.parameters.exploration_ppm,
            winner_bonus_ppm: self.winner_bonus_ppm,
            latency_penalty_ppm: self.latency_penalty_ppm,
            checker_ppm: self.checker_ppm,
            vote_rule: vote_rule.into(),
            discount_ppm: self.parameters.discount_ppm,
            frozen_after: self.parameters.frozen_after,
            named: self
                .named
                .iter()
                .map(|(bucket, peer)| wire::NamedPeer {
                    bucket: bucket.as_bytes().to_vec(),
                    peer: peer.as_bytes().to_vec(),
                })
                .collect(),
            change_threshold_ppm: self.change_threshold_ppm,
            change_drift_ppm: self.change_drift_ppm,
            price_ppm: self.price_ppm,
            price_scale_microunits: self.price_scale_microunits,
            epsilon_ppm: self.parameters.epsilon_ppm,
            warm_up_closes: self.warm_up_closes,
        }
    }
}

/// Whom the operator named, strictly sorted by bucket.
fn read_named(
    kind: PolicyKind,
    named: &[wire::NamedPeer],
) -> Result<BTreeMap<Digest, PublicKey>, RecordError> {
    let reader = Reader("Policy");
    if kind != PolicyKind::Static && !named.is_empty() {
        return reader.refuse("named", "nobody, unless the kind is static", named.len());
    }
    let rows = named
        .iter()
        .map(|one| {
            let reader = Reader("NamedPeer");
            Ok((
                reader.digest("bucket", &one.bucket)?,
                reader.key("peer", &one.peer)?,
            ))
        })
        .collect::<Result<Vec<_>, RecordError>>()?;
    let buckets: Vec<Digest> = rows.iter().map(|(bucket, _)| *bucket).collect();
    reader.strictly_sorted("named", &buckets, NAMED_MAX)?;
    Ok(rows.into_iter().collect())
}
