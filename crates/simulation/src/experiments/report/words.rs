//! What the report says about each experiment.

use crate::experiments::catalogue::Experiment;

/// A column of a table: the figure, its heading, its digits.
pub(super) type Column = (&'static str, &'static str, usize);

/// What the report says about an experiment before its table.
pub struct Words {
    /// Heading.
    pub title: &'static str,
    /// What was run.
    pub text: &'static str,
    pub(super) columns: &'static [Column],
}

/// The words and columns of an experiment.
pub fn words(experiment: Experiment) -> Words {
    const SUCCESS: Column = ("success", "success", 3);
    const BEFORE: Column = ("before", "before", 3);
    const AFTER: Column = ("after", "after", 3);
    const COST: Column = ("cost", "cost per task", 3);
    const CORRECT: Column = ("cost per correct", "cost per correct", 3);
    const LATENCY: Column = ("latency ms", "mean latency, ms", 0);
    const P95: Column = ("p95 latency ms", "p95 latency, ms", 0);
    const CALLS: Column = ("calls", "calls per task", 2);
    const GINI: Column = ("gini", "Gini of picks", 2);
    const SELECTOR: Column = ("selector regret", "selector regret", 1);
    const SCREENING: Column = ("screening regret", "screening regret", 1);
    const TOTAL: Column = ("total regret", "total regret", 1);
    const EXPONENT: Column = ("growth exponent", "its exponent", 2);
    const REWARD: Column = ("reward regret", "in reward", 1);
    const REWARD_EXPONENT: Column = ("growth exponent in reward", "its exponent", 2);
    match experiment {
        Experiment::Exp1 => Words {
            title: "Exp1: efficiency and cost",
            text: "2,000 tasks, 21 % of them hard, L 3, P 1. A call that fails is sent on: by the network to the next candidate on \
                   the shortlist, by the static rule to A.",
            columns: &[SUCCESS, CORRECT, COST, CALLS, LATENCY, GINI],
        },
        Experiment::Exp2 => Words {
            title: "Exp2: robustness under a role shock, corrected",
            text: "1,000 tasks, 70 % of them hard, L 3, P 1; the world changes before task 500 and is restored between runs. A call \
                   that fails stays failed.",
            columns: &[BEFORE, AFTER, CORRECT, SELECTOR, SCREENING],
        },
        Experiment::Exp3 => Words {
            title: "Exp3: heterogeneous latency and bursts of load",
            text: "1,000 tasks, 20 % of them hard, L 3, P 1, in four worlds. A call that fails stays failed.",
            columns: &[SUCCESS, LATENCY, P95, COST, GINI],
        },
        Experiment::Delay => Words {
            title: "Late rewards",
            text: "A calm world, half of the tasks hard. A task's reward is settled so many selections after its choice; what never \
                   comes times out. The regret is in expected successes, over the whole run.",
            columns: &[SUCCESS, SELECTOR, SCREENING, TOTAL, REWARD],
        },
        Experiment::Join => Words {
            title: "A cold newcomer",
            text: "A calm world without A, the strongest; A joins in the middle, with no settled task to its name.",
            columns: &[BEFORE, AFTER, TOTAL],
        },
        Experiment::Failures => Words {
            title: "A fifth of the agents fails",
            text: "Ten agents; in the middle the strongest and the fastest begin to fail every call. Failed calls are sent on.",
            columns: &[BEFORE, AFTER, CALLS, CORRECT],
        },
        Experiment::Liars => Words {
            title: "Lying bidders",
            text: "Ten agents, three of them poor at everything. Lying, they state no load, no price, and a near-perfect match to \
                   every requirement.",
            columns: &[SUCCESS, BEFORE, AFTER, SCREENING],
        },
        Experiment::Collective => Words {
            title: "What others measured",
            text: "A coordinator that knows nobody, and twelve agents that all claim the same match; which of them is good has to be found out. \
                   Sources of weight 1 are taken in before the first task (spec/21): honest ones have settled four times as many tasks with the \
                   same agents; a liar's log is of agents under the same keys among which the best are the worst. Before and after are the \
                   halves of the run. A warm-up in turn (SELECT-28) tries everybody whatever sources say.",
            columns: &[SUCCESS, BEFORE, AFTER, TOTAL],
        },
        Experiment::Shortlist => Words {
            title: "The length of the shortlist",
            text: "Exp2, shock B, with L from 1 to 5.",
            columns: &[BEFORE, AFTER, SELECTOR, SCREENING],
        },
        Experiment::Executors => Words {
            title: "The number of executors",
            text: "A calm world, L 5, P from 1 to 3. A task counts as answered if one of its executors answers.",
            columns: &[SUCCESS, COST, LATENCY, P95],
        },
        Experiment::Regret => Words {
            title: "Regret, told apart",
            text: "A calm world, a long run. The selector's regret is against the best of its shortlist, the screening's is what the \
                   shortlist leaves out, both in expected successes. A policy that also weighs price and latency does not seek the most \
                   successes, so its regret in those grows as the tasks do, however well it knows the world: beside it stands the selector's \
                   regret in the reward that it learns from (the default's, for a rule that learns none). An exponent is the slope of ln(the selector's \
                   regret) over ln(tasks) from a quarter of the run to its end: 1 is linear, ½ the growth of √t.",
            columns: &[
                SELECTOR,
                EXPONENT,
                REWARD,
                REWARD_EXPONENT,
                SCREENING,
                TOTAL,
            ],
        },
        Experiment::Settings => Words {
            title: "The default's settings, one changed at a time",
            text: "Three of the worlds above. More weight on latency buys lower cost in exp1 and quicker answers in exp3, and pays with \
                   answers before the shock in exp2.",
            columns: &[SUCCESS, BEFORE, AFTER, CORRECT, P95],
        },
        Experiment::Weights => Words {
            title: "What a reward can ask for",
            text: "A policy learns one reward. These rules learn nothing: they know every chance of success and every mean latency, and \
                   call of all agents the one with the highest success − p·price − l·latency (the chance of success, the price with A's as 1, \
                   the mean latency over two seconds), or with the highest reward of the default policy. Each looks at the task at hand \
                   alone, as policies do. Bold: the bar of that goal is passed (success 0.989 and cost 0.420 in exp1; 0.935 before the shock, and 90 % of \
                   the rule that weighs nothing but success after it).",
            columns: &[],
        },
    }
}
