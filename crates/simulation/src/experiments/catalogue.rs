//! The experiments by name: which courses under which arms.

use symphony_protocol::{policy::PolicyKind, records::Policy};

use super::{
    arm::{Arm, Simulated},
    coordinator::Failure,
    course::{Course, Delay, Heard, Honesty, Turn},
    shock::Shock,
    study::Cell,
    weights,
    world::{Agent, PUBLISHED},
};

/// Seeds of what takes many runs and is no figure to beat, at most.
const FEWER_SEEDS: u64 = 25;

/// One of the experiments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Experiment {
    /// Efficiency and cost.
    Exp1,
    /// A shock in the middle.
    Exp2,
    /// Heterogeneous latency and bursts of load.
    Exp3,
    /// Rewards that come late, or never.
    Delay,
    /// A strong agent joins in the middle.
    Join,
    /// A fifth of the agents fails in the middle.
    Failures,
    /// 30 % of the bidders lie.
    Liars,
    /// What others measured is taken in.
    Collective,
    /// The length of the shortlist.
    Shortlist,
    /// The number of executors.
    Executors,
    /// Regret over a long run.
    Regret,
    /// The default's settings, one changed at a time.
    Settings,
    /// What weighings of success, price and latency allow to who knows the world.
    Weights,
}

impl Experiment {
    /// All, in the report's order.
    pub const ALL: [Self; 13] = [
        Self::Exp1,
        Self::Exp2,
        Self::Exp3,
        Self::Weights,
        Self::Delay,
        Self::Join,
        Self::Failures,
        Self::Liars,
        Self::Collective,
        Self::Shortlist,
        Self::Executors,
        Self::Regret,
        Self::Settings,
    ];

    /// Its name: in commands and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exp1 => "exp1",
            Self::Exp2 => "exp2",
            Self::Exp3 => "exp3",
            Self::Delay => "delay",
            Self::Join => "join",
            Self::Failures => "failures",
            Self::Liars => "liars",
            Self::Collective => "collective",
            Self::Shortlist => "shortlist",
            Self::Executors => "executors",
            Self::Regret => "regret",
            Self::Settings => "settings",
            Self::Weights => "weights",
        }
    }

    /// The experiment of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|experiment| experiment.name() == name)
    }

    /// So many of the seeds it is run on. The settings are a help to whoever sets them and no figure to beat; they are many. Where others
    /// measured, a run is up to five.
    pub fn seeds(self, seeds: u64) -> u64 {
        match self {
            Self::Settings | Self::Collective => seeds.min(FEWER_SEEDS),
            _ => seeds,
        }
    }

    /// Its cells. `shorter` divides the rounds of the experiments that are not the paper's own: for a quick look.
    pub fn cells(self, shorter: usize) -> Vec<Cell> {
        let shorter = shorter.max(1);
        match self {
            Self::Exp1 => cross(&[Course::exp1()], &everyone(2)),
            Self::Exp2 => cross(&Shock::ALL.map(Course::exp2), &everyone(3)),
            Self::Exp3 => cross(&Course::exp3(), &everyone_and_the_quick()),
            Self::Delay => delays(1000 / shorter),
            Self::Join => cross(&[join(1000 / shorter)], &learners()),
            Self::Failures => cross(&[failures(1000 / shorter)], &learners()),
            Self::Liars => cross(
                &[liars(1000 / shorter, false), liars(1000 / shorter, true)],
                &only_the_default_and_baselines(),
            ),
            Self::Collective => collective(300 / shorter),
            Self::Shortlist => shortlists(),
            Self::Executors => executors(1000 / shorter),
            Self::Regret => regrets(2500 / shorter),
            Self::Settings => cross(&three_worlds(), &settings()),
            Self::Weights => {
                let [unavailable, degraded] = Shock::ALL.map(Course::exp2);
                cross(&[Course::exp1(), unavailable, degraded], &weights::rules())
            }
        }
    }
}

/// The policies of the network that are compared everywhere. The first is the default.
pub fn policies() -> Vec<Arm> {
    vec![
        Arm::network("shared (default)", Policy::shared()),
        Arm::network("paper", Policy::paper()),
        Arm::network("disjoint", Policy::of_kind(PolicyKind::Disjoint)),
    ]
}

fn simulated(rules: &[Simulated]) -> impl Iterator<Item = Arm> + '_ {
    rules.iter().map(|rule| Arm::Simulated(*rule))
}

/// So many policies of the network, and the baselines.
fn everyone(policies_of_the_network: usize) -> Vec<Arm> {
    let mut arms = policies();
    arms.truncate(policies_of_the_network);
    arms.extend(simulated(&[
        Simulated::StaticRule,
        Simulated::AlwaysStrongest,
        Simulated::RandomTop,
        Simulated::Random,
        Simulated::OracleTop,
        Simulated::Oracle,
    ]));
    arms
}

fn everyone_and_the_quick() -> Vec<Arm> {
    let mut arms = everyone(1);
    arms.extend(simulated(&[
        Simulated::QuickOracle(2),
        Simulated::QuickOracle(4),
        Simulated::QuickOracle(6),
        Simulated::CappedOracle(10),
        Simulated::CappedOracle(11),
        Simulated::CappedOracle(17),
        Simulated::CappedOracle(20),
        Simulated::CappedOracle(22),
    ]));
    arms
}

/// One world of each of the paper's experiments.
fn three_worlds() -> Vec<Course> {
    let baseline = Course::exp3().into_iter().take(1).map(|course| Course {
        name: "exp3 baseline".to_owned(),
        ..course
    });
    [Course::exp1(), Course::exp2(Shock::Degraded)]
        .into_iter()
        .chain(baseline)
        .collect()
}

/// The default, and the default with one number changed.
fn settings() -> Vec<Arm> {
    let linear = |change: fn(&mut symphony_protocol::policy::PolicyParameters)| {
        let mut policy = Policy::shared();
        change(&mut policy.parameters);
        policy
    };
    let penalty = |latency_penalty_ppm| Policy {
        latency_penalty_ppm,
        ..Policy::shared()
    };
    vec![
        Arm::network("shared (default)", Policy::shared()),
        Arm::network(
            "exploration 0.3",
            linear(|numbers| numbers.exploration_ppm = 300_000),
        ),
        Arm::network("ridge 0.05", linear(|numbers| numbers.lambda_ppm = 50_000)),
        Arm::network("latency penalty 0", penalty(0)),
        Arm::network(
            "no price",
            Policy {
                price_ppm: 0,
                ..Policy::shared()
            },
        ),
        Arm::network(
            "no test for changes",
            Policy {
                change_threshold_ppm: 0,
                ..Policy::shared()
            },
        ),
    ]
}

fn learners() -> Vec<Arm> {
    let mut arms = policies();
    arms.truncate(2);
    arms.extend(simulated(&[Simulated::RandomTop, Simulated::Oracle]));
    arms
}

fn only_the_default_and_baselines() -> Vec<Arm> {
    let mut arms = default_arm();
    arms.extend(simulated(&[Simulated::RandomTop, Simulated::Oracle]));
    arms
}

fn default_arm() -> Vec<Arm> {
    policies().into_iter().take(1).collect()
}

fn cross(courses: &[Course], arms: &[Arm]) -> Vec<Cell> {
    courses
        .iter()
        .flat_map(|course| {
            arms.iter().map(|arm| Cell {
                course: course.clone(),
                arm: arm.clone(),
            })
        })
        .collect()
}

/// A calm world: as many hard tasks as simple ones, nothing changes.
pub(super) fn calm(name: &str, rounds: usize) -> Course {
    Course {
        name: name.to_owned(),
        rounds,
        hard: 0.5,
        failure: Failure::Final,
        ..Course::exp1()
    }
}

fn delays(rounds: usize) -> Vec<Cell> {
    let courses: Vec<Course> = [
        ("immediate", Delay::None),
        ("10 late", Delay::Fixed(10)),
        ("50 late", Delay::Fixed(50)),
        ("120 late", Delay::Fixed(120)),
        ("geometric, mean 50", Delay::Geometric(50)),
        ("heavy-tailed, median 20", Delay::HeavyTailed(20)),
        ("50 late, 10 % never", Delay::Censored(50, 100_000)),
    ]
    .into_iter()
    .map(|(name, delay)| Course {
        delay,
        ..calm(name, rounds)
    })
    .collect();
    // A log holds at most 128 open tasks (BEACON-2): 500 selections late are four executors in each of 125.
    let four = |name: &str, delay| Course {
        delay,
        executors: 4,
        shortlist: 5,
        ..calm(name, rounds)
    };
    let mut cells = cross(&courses, &default_arm());
    cells.extend(cross(
        &[
            four("P 4, immediate", Delay::None),
            four("P 4, 500 selections late", Delay::Fixed(125)),
        ],
        &default_arm(),
    ));
    cells
}

fn join(rounds: usize) -> Course {
    let mut agents = PUBLISHED.to_vec();
    agents.rotate_left(1);
    Course {
        agents,
        turns: vec![Turn::Join(4, rounds / 2)],
        ..calm("A joins in the middle", rounds)
    }
}

/// Ten agents: the five published ones, and five that are a little dearer, slower and weaker.
fn ten() -> Vec<Agent> {
    let weaker = PUBLISHED.map(|agent| Agent {
        cost: 1.1 * agent.cost,
        latency_ms: 1.15 * agent.latency_ms,
        success: agent.success.map(|chance| 0.95 * chance),
        matched: agent.matched.map(|matched| 0.95 * matched),
        ..agent
    });
    PUBLISHED.into_iter().chain(weaker).collect()
}

fn failures(rounds: usize) -> Course {
    let mut agents = ten();
    // The two that fail stand last: the strongest and the fastest of the published five.
    let (strongest, fastest) = (agents[0], agents[3]);
    agents.remove(3);
    agents.remove(0);
    agents.extend([fastest, strongest]);
    Course {
        agents,
        turns: vec![Turn::Fail(8, rounds / 2)],
        failure: Failure::Redispatched,
        ..calm("2 of 10 fail in the middle", rounds)
    }
}

/// Ten agents of which three can do little. When they lie, they state no load, no price, and every skill.
fn liars(rounds: usize, lie: bool) -> Course {
    let poor = Agent {
        cost: 0.5,
        latency_ms: 700.0,
        latency_factor: 1.0,
        success: [0.4, 0.1],
        matched: if lie { [0.98, 0.98] } else { [0.3, 0.1] },
        broken: false,
        stated_cost: if lie { Some(0.0) } else { None },
    };
    let mut agents = ten();
    agents.truncate(7);
    agents.extend([poor; 3]);
    let mut honesty = vec![Honesty::Honest; 7];
    honesty.extend(
        [if lie {
            Honesty::AlwaysIdle
        } else {
            Honesty::Honest
        }; 3],
    );
    let name = if lie { "3 of 10 lie" } else { "nobody lies" };
    Course {
        agents,
        honesty,
        ..calm(name, rounds)
    }
}

/// Skills, simple and hard, of agents that all claim the same: which of them is good has to be found out.
const UNKNOWN: [[f64; 2]; 12] = [
    [0.45, 0.20],
    [0.70, 0.55],
    [0.30, 0.35],
    [0.95, 0.40],
    [0.55, 0.15],
    [0.80, 0.60],
    [0.35, 0.90],
    [0.60, 0.30],
    [0.50, 0.50],
    [0.90, 0.25],
    [0.40, 0.75],
    [0.65, 0.45],
];

/// A coordinator that knows nobody, alone and with sources: honest ones have settled four times as many tasks with the same agents, liars
/// with agents under the same keys of which the best are the worst.
fn collective(rounds: usize) -> Vec<Cell> {
    let heard = |success: [[f64; 2]; 12]| Heard {
        rounds: 4 * rounds,
        success: success.to_vec(),
    };
    let honest = heard(UNKNOWN);
    let liar = heard(UNKNOWN.map(|pair| pair.map(|skill| 1.1 - skill)));
    let courses = [
        ("alone", vec![]),
        ("one honest source", vec![honest.clone()]),
        ("one liar", vec![liar.clone()]),
        (
            "one honest source, one liar",
            vec![honest.clone(), liar.clone()],
        ),
        (
            "one honest source, three liars",
            vec![honest, liar.clone(), liar.clone(), liar.clone()],
        ),
        (
            "four liars",
            vec![liar.clone(), liar.clone(), liar.clone(), liar],
        ),
    ]
    .map(|(name, sources)| Course {
        agents: UNKNOWN
            .map(|success| Agent {
                cost: 0.3,
                latency_ms: 500.0,
                latency_factor: 1.0,
                success,
                matched: [0.6, 0.6],
                broken: false,
                stated_cost: None,
            })
            .to_vec(),
        shortlist: 5,
        sources,
        ..calm(name, rounds)
    });
    let warmed_up = Arm::network(
        "shared, two closes each in turn first",
        Policy {
            warm_up_closes: 2 * UNKNOWN.len() as u64,
            ..Policy::shared()
        },
    );
    let mut arms = default_arm();
    arms.push(warmed_up);
    let mut cells = cross(&courses, &arms);
    cells.extend(cross(&courses[..1], &[Arm::Simulated(Simulated::Oracle)]));
    cells
}

fn shortlists() -> Vec<Cell> {
    let courses: Vec<Course> = (1..=5)
        .map(|shortlist| Course {
            name: format!("L {shortlist}"),
            shortlist,
            ..Course::exp2(Shock::Degraded)
        })
        .collect();
    cross(&courses, &default_arm())
}

fn executors(rounds: usize) -> Vec<Cell> {
    let courses: Vec<Course> = [1, 2, 3]
        .into_iter()
        .map(|executors| Course {
            executors,
            shortlist: 5,
            ..calm(&format!("P {executors}"), rounds)
        })
        .collect();
    cross(&courses, &default_arm())
}

fn regrets(rounds: usize) -> Vec<Cell> {
    let late = Course {
        delay: Delay::Fixed(50),
        ..calm("50 selections late", rounds)
    };
    let mut cells = cross(&[calm("immediate rewards", rounds), late], &policies()[..2]);
    cells.extend(cross(
        &[calm("immediate rewards", rounds)],
        &[
            Arm::Simulated(Simulated::RandomTop),
            Arm::Simulated(Simulated::OracleTop),
        ],
    ));
    cells
}
