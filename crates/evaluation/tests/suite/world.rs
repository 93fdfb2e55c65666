//! A world whose truth is known: candidates with contexts and skills, a log's policy with chance, a target, and votes.
#![allow(dead_code, reason = "each user needs a part of it")]

use symphony_evaluation::{OffPolicy, Support, WeighedPick, WeighedVote};
use symphony_protocol::policy::{Context, DIMENSION, LinUcb, PolicyParameters};

/// Candidates at every vote.
const CANDIDATES: usize = 5;
/// How much a skill differs from what the context says, at most.
const NOISE: f64 = 0.1;

/// Numbers in [0, 1), the same for the same seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// splitmix64.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// An index with these probabilities.
    fn draw(&mut self, probabilities: &[f64]) -> usize {
        let mut rest = self.next();
        for (index, probability) in probabilities.iter().enumerate() {
            if rest < *probability {
                return index;
            }
            rest -= probability;
        }
        probabilities
            .iter()
            .rposition(|probability| *probability > 0.0)
            .expect("some probability is above 0")
    }
}

/// Who picks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Chooser {
    /// Everybody alike.
    Uniform,
    /// The best by a model, and with this probability anybody. The model learns from every vote of the log.
    EpsilonGreedy(f64),
    /// The best by fixed weights, and with this probability anybody.
    Fixed(f64),
    /// The best by a model that learns where its choices coincide with the log's.
    Learner,
}

/// One vote's candidates.
struct Round {
    contexts: Vec<Context>,
    skills: Vec<f64>,
}

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    pub(crate) name: &'static str,
    /// P.
    pub(crate) executors: usize,
    pub(crate) logged: Chooser,
    pub(crate) target: Chooser,
    pub(crate) votes: u64,
    /// Whether the log claims to have picked everybody alike.
    pub(crate) forged: bool,
}

/// What came of one run.
pub(crate) struct Run {
    pub(crate) estimate: OffPolicy,
    /// Mean over the votes of what the target would have earned.
    pub(crate) truth: f64,
    /// Whether the intervals (by weight, by model) ever left the running truth out.
    pub(crate) missed: (bool, bool),
    /// Mean reward of the log.
    pub(crate) logged: f64,
}

pub(crate) const WORLDS: [World; 5] = [
    World {
        name: "one pick; uniform log; fixed target",
        executors: 1,
        logged: Chooser::Uniform,
        target: Chooser::Fixed(0.0),
        votes: 1_000,
        forged: false,
    },
    World {
        name: "one pick; adaptive log; target that learns",
        executors: 1,
        logged: Chooser::EpsilonGreedy(0.3),
        target: Chooser::Learner,
        votes: 1_000,
        forged: false,
    },
    World {
        name: "one pick; adaptive log; uniform target",
        executors: 1,
        logged: Chooser::EpsilonGreedy(0.3),
        target: Chooser::Uniform,
        votes: 1_000,
        forged: false,
    },
    World {
        name: "three picks; uniform log; fixed target with chance",
        executors: 3,
        logged: Chooser::Uniform,
        target: Chooser::Fixed(0.3),
        votes: 1_000,
        forged: false,
    },
    World {
        name: "three picks; adaptive log; target that learns",
        executors: 3,
        logged: Chooser::EpsilonGreedy(0.5),
        target: Chooser::Learner,
        votes: 1_000,
        forged: false,
    },
];

impl World {
    /// Runs it. Truth is compared with the intervals at every vote.
    pub(crate) fn run(&self, seed: u64, alpha: f64) -> Run {
        let mut random = Random::new(seed);
        let mut log = LinUcb::new(&PolicyParameters::PAPER);
        let mut learner = LinUcb::new(&PolicyParameters {
            exploration_ppm: 100_000,
            ..PolicyParameters::PAPER
        });
        let mut rewards = LinUcb::new(&PolicyParameters::PAPER);
        let mut estimate = OffPolicy::new();
        let (mut truth, mut logged, mut missed) = (0.0, 0.0, (false, false));
        for vote in 1..=self.votes {
            let round = Round::draw(&mut random);
            let chooses = |chooser: Chooser, remaining: &[usize]| {
                let model = if chooser == Chooser::Learner {
                    &learner
                } else {
                    &log
                };
                chooser.probabilities(model, &round, remaining)
            };
            truth += self.expected(&round, &mut Vec::new(), &|remaining: &[usize]| {
                chooses(self.target, remaining)
            });
            let mut picks = Vec::new();
            let mut slate: Vec<usize> = Vec::new();
            let mut coincide = Vec::new();
            while slate.len() < self.executors {
                let remaining = remaining(&slate);
                let real = chooses(self.logged, &remaining);
                let target = chooses(self.target, &remaining);
                let chosen = random.draw(&real);
                coincide.push(target[chosen] > 0.0);
                slate.push(remaining[chosen]);
                picks.push(WeighedPick {
                    chosen,
                    logged: if self.forged {
                        vec![1.0 / remaining.len() as f64; remaining.len()]
                    } else {
                        real
                    },
                    target,
                    predicted: remaining
                        .iter()
                        .map(|candidate| {
                            rewards.assess(&[round.contexts[*candidate]])[0]
                                .estimate
                                .clamp(0.0, 1.0)
                        })
                        .collect(),
                });
            }
            let outcomes = round.vote(&slate, &mut random);
            let reward = outcomes.iter().sum::<f64>() / outcomes.len() as f64;
            logged += reward;
            let vote_record = WeighedVote {
                picks,
                executors: self.executors,
                support: Support::AfterAnyPicks,
                reward,
            };
            estimate.observe(&vote_record).expect("a log with chance");
            for ((candidate, outcome), coincides) in slate.iter().zip(&outcomes).zip(coincide) {
                let x = &round.contexts[*candidate];
                log.observe(x, *outcome);
                rewards.observe(x, reward);
                if coincides {
                    learner.observe(x, *outcome);
                }
            }
            let (by_weight, by_model) = estimate.refutes(truth / vote as f64, alpha);
            missed = (missed.0 || by_weight, missed.1 || by_model);
        }
        Run {
            estimate,
            truth: truth / self.votes as f64,
            missed,
            logged: logged / self.votes as f64,
        }
    }

    /// The mean reward of the vote when its picks go on like this.
    fn expected(
        &self,
        round: &Round,
        slate: &mut Vec<usize>,
        chooses: &dyn Fn(&[usize]) -> Vec<f64>,
    ) -> f64 {
        if slate.len() == self.executors {
            return round.expected(slate);
        }
        let remaining = remaining(slate);
        let mut sum = 0.0;
        for (candidate, probability) in remaining.iter().zip(chooses(&remaining)) {
            if probability > 0.0 {
                slate.push(*candidate);
                sum += probability * self.expected(round, slate, chooses);
                slate.pop();
            }
        }
        sum
    }
}

fn remaining(slate: &[usize]) -> Vec<usize> {
    (0..CANDIDATES)
        .filter(|candidate| !slate.contains(candidate))
        .collect()
}

impl Chooser {
    fn probabilities(
        self,
        model: &LinUcb<DIMENSION>,
        round: &Round,
        remaining: &[usize],
    ) -> Vec<f64> {
        const WEIGHTS: Context = [0.1, 0.9, -0.3, -0.1, 0.5, 0.2];
        let count = remaining.len() as f64;
        let best_by = |score: &dyn Fn(&Context) -> f64| {
            (0..remaining.len())
                .max_by(|left, right| {
                    let of = |place: &usize| score(&round.contexts[remaining[*place]]);
                    of(left).total_cmp(&of(right))
                })
                .expect("candidates remain")
        };
        let (best, share) = match self {
            Self::Uniform => (0, 1.0),
            Self::EpsilonGreedy(share) => (best_by(&|x| model.assess(&[*x])[0].estimate), share),
            Self::Fixed(share) => (
                best_by(&|x| symphony_protocol::number::dot(x, &WEIGHTS)),
                share,
            ),
            Self::Learner => (best_by(&|x| model.assess(&[*x])[0].score), 0.0),
        };
        let mut probabilities = vec![share / count; remaining.len()];
        probabilities[best] += 1.0 - share;
        probabilities
    }
}

impl Round {
    fn draw(random: &mut Random) -> Self {
        let mut contexts = Vec::new();
        let mut skills = Vec::new();
        for _ in 0..CANDIDATES {
            let mut x = [1.0; DIMENSION];
            for feature in x.iter_mut().skip(1) {
                *feature = random.next();
            }
            let skill = 0.1 + 0.5 * x[1] + 0.25 * x[4] + 0.1 * x[5] + NOISE * (random.next() - 0.5);
            contexts.push(x.map(|feature| feature / 6.0f64.sqrt()));
            skills.push(skill.clamp(0.0, 1.0));
        }
        Self { contexts, skills }
    }

    /// Rewards of a slate: alone, one is right or wrong; of three, the right ones win if two are.
    fn vote(&self, slate: &[usize], random: &mut Random) -> Vec<f64> {
        let right: Vec<bool> = slate
            .iter()
            .map(|candidate| random.next() < self.skills[*candidate])
            .collect();
        rewards(&right)
    }

    fn expected(&self, slate: &[usize]) -> f64 {
        let mut sum = 0.0;
        for outcome in 0..1u32 << slate.len() {
            let right: Vec<bool> = (0..slate.len())
                .map(|place| outcome >> place & 1 == 1)
                .collect();
            let mut probability = 1.0;
            for (candidate, is_right) in slate.iter().zip(&right) {
                let skill = self.skills[*candidate];
                probability *= if *is_right { skill } else { 1.0 - skill };
            }
            let rewards = rewards(&right);
            sum += probability * rewards.iter().sum::<f64>() / rewards.len() as f64;
        }
        sum
    }
}

/// Wrong answers differ from each other, so that only right ones can win.
fn rewards(right: &[bool]) -> Vec<f64> {
    let quorum = right.len().min(2);
    let won = right.iter().filter(|right| **right).count() >= quorum;
    right
        .iter()
        .map(|right| match (won, *right) {
            (true, true) => 1.0,
            (false, true) => 0.6,
            (_, false) => 0.0,
        })
        .collect()
}
