//! One run: a course of events, a policy, a seed.

use std::collections::BTreeMap;

use symphony_coordination::TaskSettings;
use symphony_protocol::{
    records::{Params, Policy},
    reward::RewardParameters,
};

use super::{
    ExperimentError,
    arm::{Arm, Simulated, rewards},
    coordinator::{Coordinator, Failure, Setup, Signing, Step},
    course::{Course, Delay, Honesty},
    statistics::{gini, quantile},
    world::{Agent, Call, Chance, Kind, World},
};
use crate::random::Random;

/// Time for bids, executions and reveals, in milliseconds: never the reason why something fails here.
const EXECUTE_MS: u32 = 600_000;
const REVEAL_MS: u32 = 60_000;
/// Time for reveals where they come many selections late.
const LATE_REVEAL_MS: u32 = 3_600_000;
/// Time for reveals where some never come: what is 50 selections late still comes in time.
const CENSORED_REVEAL_MS: u32 = 120_000;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Whether each round's task was answered.
    pub success: Vec<bool>,
    /// Cost of each round.
    pub cost: Vec<f64>,
    /// Latency of each round, in milliseconds.
    pub latency_ms: Vec<f64>,
    /// Calls to each agent.
    pub picks: Vec<u64>,
    /// Chance of success that each round's first choice lost against the best of the shortlist.
    pub selector_regret: Vec<f64>,
    /// Chance of success that it lost against the best of all.
    pub total_regret: Vec<f64>,
    /// Reward that it lost in expectation against the best of the shortlist: the reward that the policy learns from, or the
    /// default's for what is no policy of the network.
    pub reward_regret: Vec<f64>,
    /// Entries of the coordinator's log.
    pub entries: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// State root after the run, for a coordinator.
    pub state_root: Option<[u8; 32]>,
}

impl Trial {
    /// Share of answered tasks in a range of rounds.
    pub fn share(&self, rounds: std::ops::Range<usize>) -> f64 {
        let part = self.success.get(rounds).unwrap_or(&[]);
        mean(part.iter().map(|success| f64::from(u8::from(*success))))
    }

    /// The figures that tables show, by name.
    pub fn metrics(&self) -> BTreeMap<&'static str, f64> {
        let rounds = self.success.len();
        let success = self.share(0..rounds);
        let cost = mean(self.cost.iter().copied());
        let latency_ms = mean(self.latency_ms.iter().copied());
        let calls: u64 = self.picks.iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "few calls")]
        let calls = calls as f64 / rounds.max(1) as f64;
        BTreeMap::from([
            ("success", success),
            ("cost", cost),
            ("cost per correct", cost / success.max(1e-9)),
            ("latency ms", latency_ms),
            (
                "p95 latency ms",
                quantile(&mut self.latency_ms.clone(), 0.95),
            ),
            ("calls", calls),
            ("gini", gini(&self.picks)),
            ("success per second", 1000.0 * success / latency_ms.max(1.0)),
        ])
    }
}

/// How runs are run.
#[derive(Clone, Debug)]
pub struct TrialOptions {
    /// Parameters of the network.
    pub params: Params,
    /// Whether executors sign.
    pub signing: Signing,
}

impl TrialOptions {
    /// The standard parameters, unsigned.
    ///
    /// # Errors
    /// [`ExperimentError`], if the standard parameters are none.
    pub fn standard() -> Result<Self, ExperimentError> {
        Ok(Self {
            params: Params::standard("experiments", 0)?,
            signing: Signing::Unsigned,
        })
    }
}

/// Runs a course under an arm. The tasks and the world's chance depend on the seed alone: every arm meets the same.
///
/// # Errors
/// [`ExperimentError`], a defect of the coordinator.
pub fn run_trial(
    course: &Course,
    arm: &Arm,
    options: &TrialOptions,
    seed: u64,
) -> Result<Trial, ExperimentError> {
    let mut seeds = Random::new(seed);
    let (tasks, chance, own) = (seeds.bits(), seeds.bits(), seeds.bits());
    let rewards = match arm {
        Arm::Network { policy, .. } => rewards(policy),
        Arm::Simulated(_) => rewards(&Policy::shared()),
    };
    let mut run = Run {
        course,
        rewards,
        world: World::new(&course.agents),
        chance: Chance::default(),
        random: Random::new(chance),
        own: Random::new(own),
        trial: Trial {
            picks: vec![0; course.agents.len()],
            ..Trial::default()
        },
    };
    let kinds = course.kinds(&mut Random::new(tasks));
    match arm {
        Arm::Simulated(rule) => run.simulate(*rule, &kinds),
        Arm::Network { policy, .. } => run.coordinate(policy, options, &kinds)?,
    }
    Ok(run.trial)
}

struct Run<'a> {
    course: &'a Course,
    rewards: RewardParameters,
    world: World,
    chance: Chance,
    /// Chance of the world.
    random: Random,
    /// Chance of the arm.
    own: Random,
    trial: Trial,
}

impl Run<'_> {
    fn begin_round(&mut self, round: usize) {
        self.course.turn(round, &mut self.world);
        self.world.begin_round();
        self.chance.draw(self.world.agents.len(), &mut self.random);
    }

    fn simulate(&mut self, rule: Simulated, kinds: &[Kind]) {
        for (round, kind) in kinds.iter().enumerate() {
            self.begin_round(round);
            let present = self.course.present(round);
            let order = rule.order(
                &self.world,
                *kind,
                (present, self.course.shortlist as usize),
                &mut self.own,
            );
            self.regret(*kind, &order, order[0], present);
            let mut calls = Vec::new();
            let mut latency_ms = 0.0;
            for agent in order {
                let call = self.call(agent, *kind);
                calls.push(call);
                latency_ms += call.latency_ms;
                if call.success || self.course.failure == Failure::Final {
                    break;
                }
            }
            self.record(&calls, latency_ms);
        }
    }

    fn coordinate(
        &mut self,
        policy: &Policy,
        options: &TrialOptions,
        kinds: &[Kind],
    ) -> Result<(), ExperimentError> {
        let reveal_ms = match self.course.delay {
            Delay::None => REVEAL_MS,
            Delay::Censored(..) => CENSORED_REVEAL_MS,
            Delay::Fixed(_) | Delay::Geometric(_) | Delay::HeavyTailed(_) => LATE_REVEAL_MS,
        };
        let params = match self.course.delay {
            Delay::None => options.params.clone(),
            _ => options.params.with("reveal_ms_max", reveal_ms)?,
        };
        let setup = Setup {
            policy: policy.clone(),
            params,
            settings: TaskSettings {
                executors: self.course.executors,
                shortlist: self.course.shortlist,
                asked: 64,
                execute_ms: EXECUTE_MS,
                reveal_ms,
                ..TaskSettings::default()
            },
            failure: self.course.failure,
            signing: options.signing,
        };
        let mut present = self.course.present(0);
        let mut coordinator = Coordinator::new(
            &self.course.agents[..present],
            setup.clone(),
            self.own.bits(),
        )?;
        self.hear(&mut coordinator, &setup)?;
        let mut late: BTreeMap<usize, Vec<Step>> = BTreeMap::new();
        for (round, kind) in kinds.iter().enumerate() {
            self.begin_round(round);
            let now = self.course.present(round);
            for number in present..now {
                coordinator.introduce(number, &self.course.agents[number])?;
            }
            present = now;
            coordinator.renew(&self.world.agents[..present])?;
            let claims = self.claims();
            let before = self.world.clone();
            let step = {
                let (world, chance) = (&mut self.world, &self.chance);
                coordinator.step(*kind, &claims, |agent| {
                    world.call(agent, *kind, (chance.normal[agent], chance.uniform[agent]))
                })?
            };
            if let Some(first) = step.first {
                let after = std::mem::replace(&mut self.world, before);
                self.regret(*kind, &step.shortlist, first, present);
                self.world = after;
            }
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53 milliseconds")]
            let latency_ms = step.latency_ms as f64;
            self.record(&step.calls, latency_ms);
            if let Some(delay) = self.course.delay.draw(&mut self.own) {
                late.entry(round + delay).or_default().push(step);
            }
            while let Some((due, steps)) = late.pop_first() {
                if due > round {
                    late.insert(due, steps);
                    break;
                }
                for step in steps {
                    coordinator.settle(&step)?;
                }
            }
        }
        self.trial.entries = coordinator.entries;
        self.trial.bytes = coordinator.bytes;
        self.trial.state_root = Some(coordinator.state_root());
        Ok(())
    }

    /// Each source of the course runs its own tasks; then the coordinator takes in what it measured.
    fn hear(
        &mut self,
        coordinator: &mut Coordinator,
        setup: &Setup,
    ) -> Result<(), ExperimentError> {
        for (number, heard) in (1..).zip(&self.course.sources) {
            let agents: Vec<Agent> = self
                .course
                .agents
                .iter()
                .zip(&heard.success)
                .map(|(agent, success)| Agent {
                    success: *success,
                    ..*agent
                })
                .collect();
            let mut source = Coordinator::of(number, &agents, setup.clone(), self.own.bits())?;
            let (mut world, mut chance) = (World::new(&agents), Chance::default());
            for _ in 0..heard.rounds {
                world.begin_round();
                chance.draw(agents.len(), &mut self.own);
                let kind = if self.own.uniform() < self.course.hard {
                    Kind::Hard
                } else {
                    Kind::Simple
                };
                let claims: Vec<f64> = (0..agents.len()).map(|agent| world.load(agent)).collect();
                let step = source.step(kind, &claims, |agent| {
                    world.call(agent, kind, (chance.normal[agent], chance.uniform[agent]))
                })?;
                source.settle(&step)?;
            }
            coordinator.import(source.measures_for(&coordinator.peer().author())?)?;
        }
        Ok(())
    }

    fn claims(&self) -> Vec<f64> {
        (0..self.world.agents.len())
            .map(|agent| match self.course.honesty.get(agent) {
                Some(Honesty::AlwaysIdle) => 0.0,
                Some(Honesty::Honest) | None => self.world.load(agent),
            })
            .collect()
    }

    fn call(&mut self, agent: usize, kind: Kind) -> Call {
        let chance = (self.chance.normal[agent], self.chance.uniform[agent]);
        self.world.call(agent, kind, chance)
    }

    /// What the first choice of a round is worth less than the best of the shortlist and than the best of all, as the world stands
    /// before it.
    fn regret(&mut self, kind: Kind, shortlist: &[usize], chosen: usize, present: usize) {
        let worth = |agent: usize| self.world.success(agent, kind);
        let best = |agents: &mut dyn Iterator<Item = usize>| agents.map(worth).fold(0.0, f64::max);
        let own = worth(chosen);
        let candidate = best(&mut shortlist.iter().copied());
        let global = best(&mut (0..present));
        self.trial.selector_regret.push(candidate - own);
        self.trial.total_regret.push(global - own);
        let reward = |agent: usize| self.world.reward(agent, kind, &self.rewards);
        let best = shortlist.iter().copied().map(reward).fold(0.0, f64::max);
        let own = reward(chosen);
        self.trial.reward_regret.push((best - own).max(0.0));
    }

    fn record(&mut self, calls: &[Call], latency_ms: f64) {
        let mut cost = 0.0;
        for call in calls {
            cost += self.world.agents[call.agent].cost;
            self.trial.picks[call.agent] += 1;
        }
        self.trial
            .success
            .push(calls.iter().any(|call| call.success));
        self.trial.cost.push(cost);
        self.trial.latency_ms.push(latency_ms);
    }
}

#[expect(clippy::cast_precision_loss, reason = "few values")]
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}
