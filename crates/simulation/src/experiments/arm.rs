//! What is compared: policies of the network, and baselines that exist in the simulation alone.

use std::borrow::Cow;

use symphony_protocol::{records::Policy, reward::RewardParameters};

use super::world::{Kind, World};
use crate::random::Random;

/// What a latency is measured in, in milliseconds: the network's latency scale.
const LATENCY_SCALE_MS: f64 = 2000.0;

/// One of the things compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Arm {
    /// A policy that a log can name, run by a real coordinator.
    Network {
        /// Name in tables.
        name: String,
        /// The policy.
        policy: Box<Policy>,
    },
    /// A rule that only the simulation can follow, or that nobody would put into a log.
    Simulated(Simulated),
}

/// Rules of the simulation alone. They pick without a coordinator: from the published match, or from what only the simulation
/// knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simulated {
    /// Everything to A.
    AlwaysStrongest,
    /// The authors' two lines: simple tasks to B, hard ones to A.
    StaticRule,
    /// Anybody.
    Random,
    /// Anybody of the L best matches.
    RandomTop,
    /// Of all agents the one with the highest chance of success now: it knows the world.
    Oracle,
    /// The same among the L best matches: what a screening by match alone leaves.
    OracleTop,
    /// Of all agents the one with the highest chance of success less so many tenths of its mean latency over two seconds: what
    /// can be had of both at once by whoever knows the world.
    QuickOracle(u8),
    /// Of the agents whose mean latency now is at most so many hundred milliseconds the one with the highest chance of success;
    /// the quickest, if there is none.
    CappedOracle(u8),
    /// Of all agents the one with the highest chance of success, less so many hundredths of its price and so many of its mean
    /// latency over two seconds: what a weighing of success, price and latency allows to whoever knows the world.
    WeighingOracle {
        /// Weight of the price, in hundredths.
        price: u8,
        /// Weight of the latency, in hundredths.
        latency: u8,
    },
    /// Of all agents the one of whom the default policy's reward is the highest in expectation.
    RewardOracle,
}

impl Arm {
    /// A policy of the network.
    pub fn network(name: &str, policy: Policy) -> Self {
        Self::Network {
            name: name.to_owned(),
            policy: Box::new(policy),
        }
    }

    /// Name in tables.
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Network { name, .. } => Cow::Borrowed(name),
            Self::Simulated(rule) => rule.name(),
        }
    }

    /// Whether it exists in the simulation alone.
    pub fn simulation_only(&self) -> bool {
        matches!(self, Self::Simulated(_))
    }
}

impl Simulated {
    /// Name in tables.
    pub fn name(self) -> Cow<'static, str> {
        let name = match self {
            Self::WeighingOracle { price, latency } => {
                let of = |hundredths| f64::from(hundredths) / 100.0;
                let name = format!("price × {:.2}, latency × {:.2}", of(price), of(latency));
                return Cow::Owned(name);
            }
            Self::RewardOracle => "oracle of the default's reward",
            Self::AlwaysStrongest => "always A",
            Self::StaticRule => "static rule",
            Self::Random => "random",
            Self::RandomTop => "random in top L",
            Self::Oracle => "oracle",
            Self::OracleTop => "oracle in top L",
            Self::QuickOracle(0..=2) => "oracle, latency × 0.2",
            Self::QuickOracle(3..=4) => "oracle, latency × 0.4",
            Self::QuickOracle(_) => "oracle, latency × 0.6",
            Self::CappedOracle(0..=10) => "oracle, at most 1 s",
            Self::CappedOracle(11) => "oracle, at most 1.1 s",
            Self::CappedOracle(12..=17) => "oracle, at most 1.7 s",
            Self::CappedOracle(18..=20) => "oracle, at most 2 s",
            Self::CappedOracle(_) => "oracle, at most 2.2 s",
        };
        Cow::Borrowed(name)
    }

    /// Whom it calls, in order: the next one when a call failed and failures are sent on.
    pub(crate) fn order(
        self,
        world: &World,
        kind: Kind,
        (present, shortlist): (usize, usize),
        random: &mut Random,
    ) -> Vec<usize> {
        let mut order: Vec<usize> = match self {
            Self::AlwaysStrongest => return vec![0],
            Self::StaticRule if kind == Kind::Hard => return vec![0],
            Self::StaticRule => return vec![1, 0],
            Self::Random
            | Self::Oracle
            | Self::QuickOracle(_)
            | Self::CappedOracle(_)
            | Self::WeighingOracle { .. }
            | Self::RewardOracle => (0..present).collect(),
            Self::RandomTop | Self::OracleTop => world
                .by_match(kind)
                .into_iter()
                .filter(|agent| *agent < present)
                .take(shortlist)
                .collect(),
        };
        let (price, latency) = match self {
            Self::QuickOracle(tenths) => (0.0, f64::from(tenths) / 10.0),
            Self::WeighingOracle { price, latency } => {
                (f64::from(price) / 100.0, f64::from(latency) / 100.0)
            }
            _ => (0.0, 0.0),
        };
        let rewards = rewards(&Policy::shared());
        let worth = |agent: usize| {
            let latency_ms = world.latency_ms(agent);
            match self {
                // Below every chance of success, and the slower the lower.
                Self::CappedOracle(hundreds) if latency_ms > 100.0 * f64::from(hundreds) => {
                    -latency_ms
                }
                Self::RewardOracle => world.reward(agent, kind, &rewards),
                _ => {
                    world.success(agent, kind)
                        - price * world.agents[agent].cost
                        - latency * latency_ms / LATENCY_SCALE_MS
                }
            }
        };
        match self {
            Self::Random | Self::RandomTop => shuffle(&mut order, random),
            _ => order.sort_by(|left, right| {
                worth(*right).total_cmp(&worth(*left)).then(left.cmp(right))
            }),
        }
        order.truncate(shortlist);
        order
    }
}

/// What a policy rewards an answer by that nobody else gave: a single executor wins no vote.
pub(super) fn rewards(policy: &Policy) -> RewardParameters {
    RewardParameters {
        winner_bonus_ppm: 0,
        latency_penalty_ppm: policy.latency_penalty_ppm,
        checker_ppm: policy.checker_ppm,
        price_ppm: policy.price_ppm,
        ..RewardParameters::PAPER
    }
}

/// Fisher and Yates.
fn shuffle(order: &mut [usize], random: &mut Random) {
    for last in (1..order.len()).rev() {
        let other = usize::try_from(random.within(0, last as u64)).unwrap_or(0);
        order.swap(last, other);
    }
}
