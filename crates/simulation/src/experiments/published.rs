//! The published shock experiment as its authors ran it, flaw included.
//!
//! Their agents share one profile each, a shock multiplies the profiles in place, and nothing restores them between the
//! policies of one run: the first policy meets a fresh world, the second one that was shocked once, the fourth one that was
//! shocked three times. So the published figures compare policies in five different worlds. [`Profiles::Leaking`] has that
//! flaw and gives the committed digits; [`Profiles::Restored`] differs in nothing else.

use symphony_protocol::{
    policy::{Context, LinUcb, PolicyKind, PolicyParameters, features},
    screening::Candidate,
};
use symphony_transparency::{PublicKey, SecretKey};

use super::{
    mersenne::MersenneTwister,
    shock::Shock,
    world::{Agent, Kind, PUBLISHED, World},
};

/// Rounds, and the round of the shock.
const ROUNDS: usize = 1000;
/// Before this round the world changes.
const SHOCK_AT: usize = 500;
/// Share of hard tasks.
const HARD: f64 = 0.7;
/// L.
const SHORTLIST: usize = 3;
/// Latency at which the feature saturates, in milliseconds.
const LATENCY_SCALE_MS: f64 = 2000.0;

/// Whether the profiles are restored between policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profiles {
    /// As published: what a shock did stays for the next policy.
    Leaking,
    /// As it ought to be.
    Restored,
}

/// The policies in the order in which the authors run them: their place fixes their seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishedPolicy {
    /// Simple tasks to B, hard ones to A.
    StaticRule,
    /// Anybody.
    Random,
    /// Anybody of the L best matches.
    RandomTop,
    /// LinUCB among the L best matches.
    LinUcb,
    /// The same, which learns nothing after the shock.
    Frozen,
}

impl PublishedPolicy {
    /// In the authors' order.
    pub const ALL: [Self; 5] = [
        Self::StaticRule,
        Self::Random,
        Self::RandomTop,
        Self::LinUcb,
        Self::Frozen,
    ];

    /// The authors' name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StaticRule => "static_rule",
            Self::Random => "random",
            Self::RandomTop => "random_topL",
            Self::LinUcb => "linucb",
            Self::Frozen => "linucb_frozen",
        }
    }
}

/// What one policy came to.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedRun {
    /// The policy.
    pub policy: PublishedPolicy,
    /// Success of each round.
    pub success: Vec<bool>,
    /// How often each agent was picked.
    pub picks: [u32; 5],
}

impl PublishedRun {
    /// Share of successes before the shock.
    pub fn before(&self) -> f64 {
        share(&self.success[..SHOCK_AT])
    }

    /// Share of successes from the shock on.
    pub fn after(&self) -> f64 {
        share(&self.success[SHOCK_AT..])
    }
}

/// Runs all policies on one seed.
pub fn run_published(shock: Shock, profiles: Profiles, seed: u32) -> Vec<PublishedRun> {
    let mut random = MersenneTwister::new(seed);
    let kinds: Vec<Kind> = (0..ROUNDS)
        .map(|_| {
            if random.random() < HARD {
                Kind::Hard
            } else {
                Kind::Simple
            }
        })
        .collect();
    let mut agents = PUBLISHED;
    let mut runs = Vec::new();
    for (place, policy) in (1u32..).zip(PublishedPolicy::ALL) {
        let mut own = match profiles {
            Profiles::Leaking => agents,
            Profiles::Restored => PUBLISHED,
        };
        // Whether an agent fails every call is kept outside the profiles, and does not leak.
        for agent in &mut own {
            agent.broken = false;
        }
        let mut run = Run::new(policy, own, seed + 1000 * place);
        for (round, kind) in kinds.iter().enumerate() {
            if round == SHOCK_AT {
                shock.strike(&mut run.world.agents);
            }
            run.round(round, *kind);
        }
        agents.copy_from_slice(&run.world.agents);
        runs.push(run.result);
    }
    runs
}

struct Run {
    world: World,
    latency_ms: [f64; 5],
    reputation: [f64; 5],
    model: LinUcb<6>,
    calls: MersenneTwister,
    choices: MersenneTwister,
    result: PublishedRun,
}

impl Run {
    fn new(policy: PublishedPolicy, agents: [Agent; 5], seed: u32) -> Self {
        Self {
            latency_ms: agents.map(|agent| agent.latency_ms),
            world: World::new(&agents),
            reputation: [0.5; 5],
            model: LinUcb::new(&PolicyParameters::PAPER),
            calls: MersenneTwister::new(seed),
            choices: MersenneTwister::new(seed),
            result: PublishedRun {
                policy,
                success: Vec::new(),
                picks: [0; 5],
            },
        }
    }

    fn round(&mut self, round: usize, kind: Kind) {
        self.world.begin_round();
        let mut shortlist = self.world.by_match(kind);
        shortlist.truncate(SHORTLIST);
        let contexts: Vec<Context> = shortlist
            .iter()
            .map(|agent| self.context(*agent, kind))
            .collect();
        let policy = self.result.policy;
        let place = match policy {
            PublishedPolicy::StaticRule | PublishedPolicy::Random => None,
            PublishedPolicy::RandomTop => Some(self.choices.choice(SHORTLIST)),
            PublishedPolicy::LinUcb | PublishedPolicy::Frozen => Some(first_best(
                self.model
                    .assess(&contexts)
                    .iter()
                    .map(|choice| choice.score),
            )),
        };
        let agent = match (policy, place) {
            (PublishedPolicy::StaticRule, _) => usize::from(kind == Kind::Simple),
            (_, None) => self.choices.choice(5),
            (_, Some(place)) => shortlist[place],
        };
        let success = self.call(agent, kind);
        let learns = match policy {
            PublishedPolicy::LinUcb => true,
            PublishedPolicy::Frozen => round < SHOCK_AT,
            _ => false,
        };
        if let (true, Some(place)) = (learns, place) {
            let reward = if success { 1.0 } else { 0.0 };
            self.model.observe(&contexts[place], reward);
        }
        self.result.success.push(success);
        self.result.picks[agent] += 1;
    }

    fn context(&self, agent: usize, kind: Kind) -> Context {
        let candidate = Candidate {
            peer: nobody(),
            bid_index: 0,
            similarity: self.world.agents[agent].match_at(kind),
            prior: 0.0,
            load: self.world.load(agent),
            latency: self.latency_ms[agent] / LATENCY_SCALE_MS,
            availability: if self.world.available(agent) {
                1.0
            } else {
                0.0
            },
            reputation: self.reputation[agent],
            newcomer: false,
            settled_at_close: 0,
            named: false,
        };
        features(PolicyKind::Paper, &candidate)
    }

    /// A call, with chance drawn in the authors' order: a broken agent's success is not drawn at all.
    fn call(&mut self, agent: usize, kind: Kind) -> bool {
        let mean_ms = self.world.latency_ms(agent);
        let drawn = (mean_ms + self.calls.gauss(0.0, 0.08 * mean_ms)).max(10.0);
        let broken = self.world.agents[agent].broken;
        let success = !broken && self.calls.random() < self.world.success(agent, kind);
        let latency_ms = if broken { 2.0 * drawn } else { drawn };
        self.latency_ms[agent] = 0.8 * self.latency_ms[agent] + 0.2 * latency_ms;
        let sample = if success { 1.0 } else { 0.0 };
        self.reputation[agent] = 0.95 * self.reputation[agent] + 0.05 * sample;
        self.world.add_call(agent);
        success
    }
}

/// The features do not depend on who is asked about.
fn nobody() -> PublicKey {
    use std::sync::OnceLock;
    static KEY: OnceLock<PublicKey> = OnceLock::new();
    *KEY.get_or_init(|| SecretKey::from_bytes([1; 32]).public())
}

fn first_best(scores: impl Iterator<Item = f64>) -> usize {
    let mut best: Option<(usize, f64)> = None;
    for (place, score) in scores.enumerate() {
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((place, score));
        }
    }
    best.map_or(0, |(place, _)| place)
}

#[expect(clippy::cast_precision_loss, reason = "at most a thousand rounds")]
fn share(success: &[bool]) -> f64 {
    success.iter().filter(|success| **success).count() as f64 / success.len() as f64
}

#[cfg(test)]
mod tests {
    use super::{Profiles, PublishedRun, run_published};
    use crate::experiments::shock::{Shock, recovery};

    fn digits(runs: &[PublishedRun]) -> Vec<(f64, f64)> {
        let round = |share: f64| (share * 1000.0).round() / 1000.0;
        runs.iter()
            .map(|run| (round(run.before()), round(run.after())))
            .collect()
    }

    #[test]
    fn exp2_as_published_gives_the_committed_digits() {
        let degraded = run_published(Shock::Degraded, Profiles::Leaking, 42);
        assert_eq!(
            digits(&degraded),
            [
                (0.922, 0.388),
                (0.462, 0.406),
                (0.400, 0.342),
                (0.472, 0.498),
                (0.426, 0.492)
            ]
        );
        assert_eq!(degraded[3].picks, [5, 303, 105, 457, 130]);
        assert_eq!(recovery(&degraded[3].success, 500), Some(80));
        let unavailable = run_published(Shock::Unavailable, Profiles::Leaking, 42);
        assert_eq!(
            digits(&unavailable),
            [
                (0.922, 0.274),
                (0.558, 0.310),
                (0.548, 0.214),
                (0.812, 0.282),
                (0.822, 0.206)
            ]
        );
    }

    #[test]
    fn exp2_with_profiles_restored_the_recovery_is_gone() {
        let degraded = run_published(Shock::Degraded, Profiles::Restored, 42);
        assert_eq!(digits(&degraded)[3..], [(0.858, 0.458), (0.850, 0.298)]);
        assert_eq!(recovery(&degraded[3].success, 500), None);
        let unavailable = run_published(Shock::Unavailable, Profiles::Restored, 42);
        assert_eq!(digits(&unavailable)[3..], [(0.858, 0.382), (0.850, 0.034)]);
    }
}
