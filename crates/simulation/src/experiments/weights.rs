//! What one weighing of success, price and latency allows to a rule that knows the world.
//!
//! A policy learns one reward. Whatever it weighs, it cannot choose better by that weighing than who knows every chance of success
//! and every mean latency; and if no weighing passes two bars at once for that one, no single setting of rewards is to blame on
//! learning.

use std::fmt::Write as _;

use super::{
    arm::{Arm, Simulated},
    report::{figure, shown},
    shock::Shock,
    statistics::Estimate,
    study::Finding,
};

/// Weights of the price, in hundredths.
const PRICES: [u8; 10] = [0, 5, 10, 15, 20, 22, 25, 30, 40, 60];
/// Weights of the latency over two seconds, in hundredths.
const LATENCIES: [u8; 5] = [0, 5, 10, 20, 40];
/// Bars of the goals: exp1's cost per answered task, exp1's answered tasks, exp2's answered tasks before the shock.
pub(super) const COST: f64 = 0.420;
pub(super) const SUCCESS: f64 = 0.989;
pub(super) const BEFORE: f64 = 0.935;

/// The rules: the default's own reward first, then every weighing of the grid.
pub(super) fn rules() -> Vec<Arm> {
    let mut rules = vec![Arm::Simulated(Simulated::RewardOracle)];
    for price in PRICES {
        for latency in LATENCIES {
            rules.push(Arm::Simulated(Simulated::WeighingOracle { price, latency }));
        }
    }
    rules
}

/// Panels of the chart: weight of the price against a figure, one curve for each weight of the latency.
pub(super) fn curve(
    findings: &[Finding],
    course: &str,
    name: &str,
    latency: u8,
) -> Vec<(f64, Estimate)> {
    PRICES
        .iter()
        .filter_map(|price| {
            let rule = Simulated::WeighingOracle {
                price: *price,
                latency,
            };
            let value = figure(findings, course, &rule.name(), name)?;
            Some((f64::from(*price) / 100.0, value))
        })
        .collect()
}

/// The weights of the latency, in hundredths.
pub(super) const fn latencies() -> [u8; 5] {
    LATENCIES
}

/// What one rule comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weighing {
    pub(super) name: String,
    pub(super) success: Estimate,
    pub(super) cost: Estimate,
    pub(super) before: Estimate,
    /// After each shock, in the order of [`Shock::ALL`].
    pub(super) after: [Estimate; 2],
    /// The bars after each shock: 90 % of the rule that weighs nothing but success.
    pub(super) after_bars: [f64; 2],
}

impl Weighing {
    pub(super) fn is_cheap(&self) -> bool {
        self.cost.mean < COST && self.success.mean >= SUCCESS
    }

    pub(super) fn is_strong_before(&self) -> bool {
        self.before.mean >= BEFORE
    }

    pub(super) fn is_strong_after(&self, shock: usize) -> bool {
        self.after[shock].mean >= self.after_bars[shock]
    }
}

/// All rules that were run in all three worlds.
pub(super) fn weighings(findings: &[Finding]) -> Vec<Weighing> {
    let success_alone = Simulated::WeighingOracle {
        price: 0,
        latency: 0,
    };
    let after_bars = Shock::ALL.map(|shock| {
        figure(findings, shock.name(), &success_alone.name(), "after")
            .map_or(1.0, |oracle| 0.9 * oracle.mean)
    });
    rules()
        .iter()
        .filter_map(|rule| {
            let of = |course: &str, name| figure(findings, course, &rule.name(), name);
            Some(Weighing {
                name: rule.name().into_owned(),
                success: of("exp1", "success")?,
                cost: of("exp1", "cost per correct")?,
                before: of(Shock::ALL[0].name(), "before")?,
                after: [
                    of(Shock::ALL[0].name(), "after")?,
                    of(Shock::ALL[1].name(), "after")?,
                ],
                after_bars,
            })
        })
        .collect()
}

/// The most that is answered before the shock by a rule that is cheap enough in exp1.
pub(super) fn best_before(weighings: &[Weighing]) -> Option<&Weighing> {
    weighings
        .iter()
        .filter(|one| one.is_cheap())
        .max_by(|left, right| left.before.mean.total_cmp(&right.before.mean))
}

/// What the whole grid says, in sentences.
pub(super) fn verdict(weighings: &[Weighing]) -> String {
    let mut text = String::new();
    let both = weighings
        .iter()
        .filter(|one| one.is_cheap() && one.is_strong_before())
        .count();
    let all = weighings
        .iter()
        .filter(|one| {
            one.is_cheap()
                && one.is_strong_before()
                && one.is_strong_after(0)
                && one.is_strong_after(1)
        })
        .count();
    let _ = write!(
        text,
        "Of {} rules, {both} pass the bars of exp1 and the one before the shock of exp2, {all} also both bars after it.",
        weighings.len()
    );
    if both == 0
        && let Some(best) = best_before(weighings)
    {
        let _ = write!(
            text,
            " Of those that pass exp1's, the most that is answered before the shock is {:.3} ({}).",
            best.before.mean, best.name
        );
    }
    if let Some(own) = weighings.first() {
        let _ = write!(
            text,
            " Whoever knows the world and follows the default's reward, pays {:.3} in exp1 and answers {:.3} before the shock, \
             {:.3} after shock A and {:.3} after shock B.",
            own.cost.mean, own.before.mean, own.after[0].mean, own.after[1].mean
        );
    }
    text
}

/// The table: one row a rule; what passes its bar is bold.
pub(super) fn table(findings: &[Finding]) -> String {
    let weighings = weighings(findings);
    let mut text = format!(
        "{}\n\n| rule \\* | exp1: success | exp1: cost per correct | exp2: before | after A | after B |\n|---|---|---|---|---|---|\n",
        verdict(&weighings)
    );
    let marked = |value: Estimate, passes: bool| {
        let value = shown(value, 3);
        if passes {
            format!("**{value}**")
        } else {
            value
        }
    };
    for one in &weighings {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            one.name,
            marked(one.success, one.success.mean >= SUCCESS),
            marked(one.cost, one.cost.mean < COST),
            marked(one.before, one.is_strong_before()),
            marked(one.after[0], one.is_strong_after(0)),
            marked(one.after[1], one.is_strong_after(1)),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Weighing, best_before, verdict};
    use crate::experiments::statistics::Estimate;

    fn weighing(name: &str, cost: f64, before: f64) -> Weighing {
        let exactly = |mean| Estimate {
            mean,
            half_width: 0.0,
        };
        Weighing {
            name: name.to_owned(),
            success: exactly(0.999),
            cost: exactly(cost),
            before: exactly(before),
            after: [exactly(0.5), exactly(0.5)],
            after_bars: [0.4, 0.6],
        }
    }

    #[test]
    fn a_bar_is_passed_by_one_rule_or_by_none() {
        let mut weighings = vec![
            weighing("own", 0.5, 0.94),
            weighing("cheap", 0.3, 0.9),
            weighing("cheaper", 0.2, 0.8),
        ];
        assert_eq!(
            best_before(&weighings).map(|one| one.name.as_str()),
            Some("cheap")
        );
        let none = verdict(&weighings);
        assert!(none.contains("Of 3 rules, 0 pass"), "{none}");
        assert!(none.contains("0.900 (cheap)"), "{none}");
        weighings.push(weighing("both", 0.41, 0.94));
        let one = verdict(&weighings);
        assert!(
            one.contains("Of 4 rules, 1 pass") && one.contains("0 also both"),
            "{one}"
        );
        assert!(!one.contains("the most that is answered"), "{one}");
    }
}
