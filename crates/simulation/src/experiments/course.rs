//! What happens in a run: the tasks, the agents, and what changes on the way.

use super::{
    coordinator::Failure,
    shock::Shock,
    world::{Agent, Kind, PUBLISHED, PUBLISHED_EXP3, World},
};
use crate::random::Random;

/// A change of the world on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turn {
    /// A shock before this round.
    Shock(Shock, usize),
    /// So much load from outside on an agent, from this round until before that one.
    Burst {
        /// Number of the agent.
        agent: usize,
        /// Added load.
        load: f64,
        /// First round.
        from: usize,
        /// The round after the last.
        until: usize,
    },
    /// Agents from this number on join before this round.
    Join(usize, usize),
    /// These agents fail every call from this round on.
    Fail(usize, usize),
}

/// How an agent states its load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Honesty {
    /// As it is.
    Honest,
    /// Always idle.
    AlwaysIdle,
}

/// A coordinator whose measures are taken in before the first round.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Tasks that it has settled before.
    pub rounds: usize,
    /// How skilled its agents were, simple and hard: a source that lies has a log of other agents under the same keys.
    pub success: Vec<[f64; 2]>,
}

/// One course of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Name in tables.
    pub name: String,
    /// Rounds, each one task.
    pub rounds: usize,
    /// Share of hard tasks.
    pub hard: f64,
    /// The agents.
    pub agents: Vec<Agent>,
    /// How each states its load; honest where the list ends.
    pub honesty: Vec<Honesty>,
    /// What changes on the way.
    pub turns: Vec<Turn>,
    /// What becomes of a failed call.
    pub failure: Failure,
    /// P: executors of a task.
    pub executors: u32,
    /// L: candidates kept by screening.
    pub shortlist: u32,
    /// Selections between a choice and its reward, drawn for each round.
    pub delay: Delay,
    /// Sources, each of weight 1.
    pub sources: Vec<Heard>,
}

/// How late rewards come, in selections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// Before the next choice.
    None,
    /// Always after so many further choices.
    Fixed(usize),
    /// Geometric with this mean.
    Geometric(usize),
    /// Heavy-tailed (Pareto with exponent 1.5) with this median.
    HeavyTailed(usize),
    /// As fixed, but this share (in parts per million) never comes.
    Censored(usize, u32),
}

impl Delay {
    /// Draws one.
    pub fn draw(self, random: &mut Random) -> Option<usize> {
        match self {
            Self::None => Some(0),
            Self::Fixed(rounds) => Some(rounds),
            Self::Geometric(mean) => {
                #[expect(clippy::cast_precision_loss, reason = "a short delay")]
                let mean = mean as f64;
                let rate = symphony_protocol::number::ln(1.0 + 1.0 / mean);
                Some(whole(
                    -symphony_protocol::number::ln(1.0 - random.uniform()) / rate,
                ))
            }
            Self::HeavyTailed(median) => {
                #[expect(clippy::cast_precision_loss, reason = "a short delay")]
                let median = median as f64;
                // u^(-2/3) by a cube root through Newton's steps would do too; a table is not needed: u^(-1/1.5).
                let inverse = 1.0 / (1.0 - random.uniform());
                let power = cube_root(inverse * inverse);
                Some(whole(median * power / cube_root(4.0)))
            }
            Self::Censored(rounds, ppm) => (!random.chance(ppm)).then_some(rounds),
        }
    }
}

/// By Newton's steps from above: only + − × ÷, so that every machine draws the same.
fn cube_root(value: f64) -> f64 {
    let mut root = if value > 1.0 { value } else { 1.0 };
    for _ in 0..200 {
        root = (2.0 * root + value / (root * root)) / 3.0;
    }
    root
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a delay, not below 0, far below 2^53"
)]
fn whole(delay: f64) -> usize {
    delay.min(1e6) as usize
}

impl Course {
    /// Exp1: efficiency and cost. A failed call goes to the next candidate.
    pub fn exp1() -> Self {
        Self {
            name: "exp1".to_owned(),
            rounds: 2000,
            hard: 0.21,
            agents: PUBLISHED.to_vec(),
            honesty: Vec::new(),
            turns: Vec::new(),
            failure: Failure::Redispatched,
            executors: 1,
            shortlist: 3,
            delay: Delay::None,
            sources: Vec::new(),
        }
    }

    /// Exp2: a shock in the middle.
    pub fn exp2(shock: Shock) -> Self {
        Self {
            name: shock.name().to_owned(),
            rounds: 1000,
            hard: 0.7,
            turns: vec![Turn::Shock(shock, 500)],
            failure: Failure::Final,
            ..Self::exp1()
        }
    }

    /// Exp3: its four scenarios.
    pub fn exp3() -> Vec<Self> {
        let base = Self {
            rounds: 1000,
            hard: 0.2,
            agents: PUBLISHED_EXP3.to_vec(),
            failure: Failure::Final,
            ..Self::exp1()
        };
        let factors = |factors: [f64; 5]| {
            PUBLISHED_EXP3
                .iter()
                .zip(factors)
                .map(|(agent, latency_factor)| Agent {
                    latency_factor,
                    ..*agent
                })
                .collect::<Vec<_>>()
        };
        let burst = |agent, load, from, until| Turn::Burst {
            agent,
            load,
            from,
            until,
        };
        vec![
            Self {
                name: "baseline".to_owned(),
                ..base.clone()
            },
            Self {
                name: "latency_heterogeneous".to_owned(),
                agents: factors([2.5, 0.5, 1.0, 0.7, 1.8]),
                ..base.clone()
            },
            Self {
                name: "load_burst".to_owned(),
                turns: vec![burst(0, 0.7, 200, 400), burst(1, 0.7, 500, 700)],
                ..base.clone()
            },
            Self {
                name: "combined".to_owned(),
                agents: factors([2.0, 0.6, 1.0, 0.8, 1.5]),
                turns: vec![burst(1, 0.8, 300, 500)],
                ..base
            },
        ]
    }

    /// The kind of each round's task.
    pub fn kinds(&self, random: &mut Random) -> Vec<Kind> {
        (0..self.rounds)
            .map(|_| {
                if random.uniform() < self.hard {
                    Kind::Hard
                } else {
                    Kind::Simple
                }
            })
            .collect()
    }

    /// What changes before a round.
    pub fn turn(&self, round: usize, world: &mut World) {
        for turn in &self.turns {
            match *turn {
                Turn::Shock(shock, at) if at == round => shock.strike(&mut world.agents),
                Turn::Burst {
                    agent,
                    load,
                    from,
                    until,
                } => {
                    if round == from {
                        world.burst[agent] = load;
                    }
                    if round == until {
                        world.burst[agent] = 0.0;
                    }
                }
                Turn::Fail(from, at) if at == round => {
                    for agent in world.agents.iter_mut().skip(from) {
                        agent.broken = true;
                    }
                }
                Turn::Shock(..) | Turn::Join(..) | Turn::Fail(..) => {}
            }
        }
    }

    /// How many agents are there in a round.
    pub fn present(&self, round: usize) -> usize {
        self.turns
            .iter()
            .filter_map(|turn| match *turn {
                Turn::Join(from, at) if round < at => Some(from),
                _ => None,
            })
            .min()
            .unwrap_or(self.agents.len())
    }
}
