//! The chart of what logs say of other policies.

use crate::experiments::{
    offpolicy::{METHODS, OffPolicyFinding},
    plot::{COLOURS, Chart, Dots, Panel, Row},
    statistics::Estimate,
};

/// Bias and width of every estimate, and how often intervals hold the truth.
pub fn off_policy_chart(findings: &[OffPolicyFinding], note: &str) -> Chart {
    let rows = |value: &dyn Fn(&OffPolicyFinding, usize) -> Option<Estimate>| {
        let mut rows = Vec::new();
        for finding in findings {
            for (place, method) in METHODS.iter().enumerate() {
                rows.extend(value(finding, place).map(|value| Row {
                    name: format!(
                        "{}: {}",
                        short(finding),
                        method.replace("doubly robust", "DR")
                    ),
                    value,
                    colour: COLOURS[place],
                }));
            }
        }
        rows
    };
    let panel = |title: &str, target: Option<(f64, &str)>, rows| {
        Panel::Dots(Dots {
            title: title.to_owned(),
            rows,
            target: target.map(|(value, name)| (value, name.to_owned())),
        })
    };
    let held =
        |finding: &OffPolicyFinding, place: usize| share(finding.covered[place]?, finding.logs);
    Chart {
        title: "What a log says of policies that did not write it".to_owned(),
        note: format!(
            "A row is a target, by logs of another policy, and an estimate (DR: doubly robust). {note}"
        ),
        panels: vec![
            panel(
                "Estimate less truth",
                Some((0.0, "the truth")),
                rows(&|finding, place| Some(finding.bias[place])),
            ),
            panel(
                "Width of the interval of 95 %",
                None,
                rows(&|finding, place| Some(finding.width[place].unwrap_or(NONE))),
            ),
            panel(
                "Interval holds the truth",
                Some((0.95, "promised: 0.95")),
                rows(&|finding, place| Some(held(finding, place).unwrap_or(NONE))),
            ),
        ],
        columns: 3,
        height: 330.0,
    }
}

/// Of an estimate without an interval: the row is there, the dot is not.
const NONE: Estimate = Estimate {
    mean: f64::NAN,
    half_width: 0.0,
};

fn short(finding: &OffPolicyFinding) -> String {
    let short = |name: &'static str| name.split([' ', ',']).next().unwrap_or(name);
    format!("{} by {}", short(finding.target), short(finding.log))
}

/// A share with its interval of 95 %, by the normal distribution.
#[expect(clippy::cast_precision_loss, reason = "few logs")]
fn share(count: u64, of: u64) -> Option<Estimate> {
    if of == 0 {
        return None;
    }
    let (of, share) = (of as f64, count as f64 / of as f64);
    Some(Estimate {
        mean: share,
        half_width: 1.96 * (share * (1.0 - share) / of).sqrt(),
    })
}
