//! The published world: five agents of different price, speed and skill, two kinds of tasks.
//!
//! Every number is that of the authors' simulation (`exp1` to `exp3` of Symphony-Coord). A call takes
//! `max(10, N(m, 0.08·m))` milliseconds with `m = latency·(1 + 1.2·load)·factor`, succeeds with probability
//! `p·(1 − 0.05·load)`, and adds 0.3 to the agent's load, which every round multiplies by 0.88.

use symphony_protocol::reward::{Answered, Checked, Outcome, RewardParameters, Vote};

use crate::random::Random;

/// A load decays to this share each round.
const LOAD_KEPT: f64 = 0.88;
/// A call adds so much load.
const LOAD_OF_A_CALL: f64 = 0.30;
/// At this load an agent takes no more calls, for the policies that look.
const LOAD_FULL: f64 = 0.95;
/// A full load makes a call longer by this share.
const LATENCY_OF_LOAD: f64 = 1.2;
/// A full load takes this share of the success away.
const FAILURE_OF_LOAD: f64 = 0.05;
/// Standard deviation of a latency, as a share of its mean.
const LATENCY_DEVIATION: f64 = 0.08;
/// Five places of a standard normal and their weights (Gauss and Hermite): exact for polynomials up to the ninth degree.
const NORMAL: [(f64, f64); 5] = [
    (-2.856_970_013_872_806, 0.011_257_411_327_720_69),
    (-1.355_626_179_974_266, 0.222_075_922_005_612_7),
    (0.0, 0.533_333_333_333_333_3),
    (1.355_626_179_974_266, 0.222_075_922_005_612_7),
    (2.856_970_013_872_806, 0.011_257_411_327_720_69),
];
/// No call is shorter, in milliseconds.
const LATENCY_MS_MIN: f64 = 10.0;

/// What kind of work a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Everybody can do it.
    Simple,
    /// Few can.
    Hard,
}

impl Kind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Simple, Self::Hard];

    /// The required skill, as a tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Hard => "hard",
        }
    }

    const fn place(self) -> usize {
        match self {
            Self::Simple => 0,
            Self::Hard => 1,
        }
    }
}

/// One agent of the world. Shares are in [0, 1]; pairs hold simple, then hard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agent {
    /// Price of a call; the dearest agent's is 1.
    pub cost: f64,
    /// Mean latency without load, in milliseconds.
    pub latency_ms: f64,
    /// Multiplies the latency; 1 unless a scenario says otherwise.
    pub latency_factor: f64,
    /// Chance of success without load.
    pub success: [f64; 2],
    /// Published match score.
    pub matched: [f64; 2],
    /// Whether every call fails, and takes twice as long.
    pub broken: bool,
    /// The price that it states, if not its cost.
    pub stated_cost: Option<f64>,
}

impl Agent {
    const fn new(cost: f64, latency_ms: f64, success: [f64; 2], matched: [f64; 2]) -> Self {
        Self {
            cost,
            latency_ms,
            latency_factor: 1.0,
            success,
            matched,
            broken: false,
            stated_cost: None,
        }
    }

    /// Chance of success without load at this kind of work.
    pub fn skill(&self, kind: Kind) -> f64 {
        if self.broken {
            0.0
        } else {
            self.success[kind.place()]
        }
    }

    /// Published match at this kind of work.
    pub fn match_at(&self, kind: Kind) -> f64 {
        self.matched[kind.place()]
    }
}

/// Names of the five published agents.
pub const NAMES: [&str; 5] = ["A strong", "B cheap", "C medium", "D fast", "E reasoning"];

/// The five published agents as Exp1 and Exp2 have them.
pub const PUBLISHED: [Agent; 5] = [
    Agent::new(1.00, 900.0, [0.99, 0.99], [0.80, 0.95]),
    Agent::new(0.10, 350.0, [0.88, 0.18], [0.95, 0.20]),
    Agent::new(0.35, 550.0, [0.92, 0.65], [0.75, 0.75]),
    Agent::new(0.22, 420.0, [0.90, 0.45], [0.85, 0.55]),
    Agent::new(0.60, 780.0, [0.95, 0.85], [0.60, 0.90]),
];

/// The five published agents as Exp3 has them: other match scores.
pub const PUBLISHED_EXP3: [Agent; 5] = [
    Agent::new(1.00, 900.0, [0.99, 0.99], [0.80, 0.95]),
    Agent::new(0.10, 350.0, [0.88, 0.18], [0.95, 0.60]),
    Agent::new(0.35, 550.0, [0.92, 0.65], [0.85, 0.85]),
    Agent::new(0.22, 420.0, [0.90, 0.45], [0.90, 0.70]),
    Agent::new(0.60, 780.0, [0.95, 0.85], [0.70, 0.90]),
];

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    /// Number of the agent.
    pub agent: usize,
    /// Whether it succeeded.
    pub success: bool,
    /// How long it took, in milliseconds.
    pub latency_ms: f64,
}

/// Chance of one round: what each agent's call would come to. Policies that meet the same round meet the same chance, so
/// that they are compared in pairs.
#[derive(Clone, Debug, Default)]
pub struct Chance {
    /// Standard normal, per agent.
    pub normal: Vec<f64>,
    /// Uniform in [0, 1), per agent.
    pub uniform: Vec<f64>,
}

impl Chance {
    /// Draws a round for so many agents.
    pub fn draw(&mut self, agents: usize, random: &mut Random) {
        self.normal.clear();
        self.uniform.clear();
        for _ in 0..agents {
            self.normal.push(random.normal());
            self.uniform.push(random.uniform());
        }
    }
}

/// The agents, and how busy they are.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// The agents.
    pub agents: Vec<Agent>,
    /// Load of each, in [0, 1].
    pub loads: Vec<f64>,
    /// Load added from outside in this round, per agent.
    pub burst: Vec<f64>,
}

impl World {
    /// Idle agents.
    pub fn new(agents: &[Agent]) -> Self {
        Self {
            agents: agents.to_vec(),
            loads: vec![0.0; agents.len()],
            burst: vec![0.0; agents.len()],
        }
    }

    /// A round begins: loads decay.
    pub fn begin_round(&mut self) {
        for load in &mut self.loads {
            *load *= LOAD_KEPT;
        }
    }

    /// Load of an agent, bursts included, in [0, 1].
    pub fn load(&self, agent: usize) -> f64 {
        (self.loads[agent] + self.burst[agent]).min(1.0)
    }

    /// Whether an agent would take a call.
    pub fn available(&self, agent: usize) -> bool {
        self.load(agent) < LOAD_FULL
    }

    /// Chance of success of a call now.
    pub fn success(&self, agent: usize, kind: Kind) -> f64 {
        self.agents[agent].skill(kind) * (1.0 - FAILURE_OF_LOAD * self.load(agent))
    }

    /// Mean latency of a call now, in milliseconds.
    pub fn latency_ms(&self, agent: usize) -> f64 {
        let Agent {
            latency_ms,
            latency_factor,
            ..
        } = self.agents[agent];
        latency_ms * (1.0 + LATENCY_OF_LOAD * self.load(agent)) * latency_factor
    }

    /// The reward that is to be expected of a call now: a failed one earns nothing, one that succeeds what the answer of a single
    /// executor earns after that time, at that price.
    pub fn reward(&self, agent: usize, kind: Kind, rewards: &RewardParameters) -> f64 {
        let mean_ms = self.latency_ms(agent);
        let Agent {
            cost, stated_cost, ..
        } = self.agents[agent];
        let price_share_ppm = millionths(stated_cost.unwrap_or(cost));
        let mut mean = 0.0;
        for (normal, weight) in NORMAL {
            let latency_ms = mean_ms + LATENCY_DEVIATION * mean_ms * normal;
            let answered = Answered {
                vote: Vote::NotWon,
                latency_ms: whole_ms(latency_ms.max(LATENCY_MS_MIN)),
                checked: Checked::Unchecked,
                price_share_ppm,
            };
            mean += weight * rewards.reward(&Outcome::Valid(answered));
        }
        self.success(agent, kind) * mean
    }

    /// A call, with its standard normal and its uniform number.
    pub fn call(&mut self, agent: usize, kind: Kind, (normal, uniform): (f64, f64)) -> Call {
        let mean_ms = self.latency_ms(agent);
        let drawn_ms = (mean_ms + LATENCY_DEVIATION * mean_ms * normal).max(LATENCY_MS_MIN);
        let slowness = if self.agents[agent].broken { 2.0 } else { 1.0 };
        let call = Call {
            agent,
            success: uniform < self.success(agent, kind),
            latency_ms: slowness * drawn_ms,
        };
        self.add_call(agent);
        call
    }

    /// A call adds load.
    pub(crate) fn add_call(&mut self, agent: usize) {
        self.loads[agent] = (self.loads[agent] + LOAD_OF_A_CALL).min(1.0);
    }

    /// The agents by published match, best first; equal ones by number.
    pub fn by_match(&self, kind: Kind) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.agents.len()).collect();
        order.sort_by(|left, right| {
            self.agents[*right]
                .match_at(kind)
                .total_cmp(&self.agents[*left].match_at(kind))
                .then(left.cmp(right))
        });
        order
    }
}

/// A share in parts per million, clipped to 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share, clipped to 0 to 1"
)]
pub(super) fn millionths(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 1e6).round() as u32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a latency, not below 0"
)]
pub(super) fn whole_ms(latency_ms: f64) -> u64 {
    latency_ms.max(0.0).round() as u64
}

#[cfg(test)]
mod tests {
    use symphony_protocol::reward::{Answered, Checked, Outcome, RewardParameters, Vote};

    use super::{Chance, Kind, PUBLISHED, World, millionths, whole_ms};
    use crate::random::Random;

    #[test]
    fn the_expected_reward_is_the_mean_of_many_calls() {
        let rewards = RewardParameters {
            winner_bonus_ppm: 0,
            price_ppm: 160_000,
            ..RewardParameters::PAPER
        };
        let (mut world, mut chance, mut random) =
            (World::new(&PUBLISHED), Chance::default(), Random::new(3));
        world.loads[0] = 0.9;
        let calls = 200_000;
        for (agent, kind) in [(0, Kind::Hard), (1, Kind::Simple), (4, Kind::Hard)] {
            let mut sum = 0.0;
            for _ in 0..calls {
                chance.draw(1, &mut random);
                let drawn = (chance.normal[0], chance.uniform[0]);
                let call = world.clone().call(agent, kind, drawn);
                if call.success {
                    sum += rewards.reward(&Outcome::Valid(Answered {
                        vote: Vote::NotWon,
                        latency_ms: whole_ms(call.latency_ms),
                        checked: Checked::Unchecked,
                        price_share_ppm: millionths(PUBLISHED[agent].cost),
                    }));
                }
            }
            let (mean, expected) = (sum / f64::from(calls), world.reward(agent, kind, &rewards));
            // Five standard errors of a reward that is 0 or below 1.
            assert!(
                (mean - expected).abs() < 0.0056,
                "{agent}: {mean} and {expected}"
            );
        }
    }
}
