//! All figures as files for programs.

use std::fmt::Write as _;

use crate::experiments::{catalogue::Experiment, study::Finding};

/// All figures, one a line.
pub fn csv(experiment: Experiment, findings: &[Finding], seeds: u64) -> String {
    let mut text =
        String::from("experiment,world,policy,simulation_only,figure,mean,half_width_95,seeds\n");
    for finding in findings {
        for (name, value) in &finding.figures {
            let _ = writeln!(
                text,
                "{},\"{}\",\"{}\",{},{name},{:.6},{:.6},{seeds}",
                experiment.name(),
                finding.course,
                finding.arm,
                finding.simulation_only,
                value.mean,
                value.half_width
            );
        }
    }
    text
}

/// All figures and curves.
pub fn json(experiment: Experiment, findings: &[Finding], seeds: (u64, u64)) -> String {
    let mut text = format!(
        "{{\n  \"experiment\": {},\n  \"first_seed\": {},\n  \"seeds\": {},\n  \"findings\": [",
        quoted(experiment.name()),
        seeds.0,
        seeds.1
    );
    for (place, finding) in findings.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}\n    {{\n      \"world\": {},\n      \"policy\": {},\n      \"simulation_only\": {},\n      \"figures\": {{",
            quoted(&finding.course),
            quoted(&finding.arm),
            finding.simulation_only
        );
        for (place, (name, value)) in finding.figures.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let _ = write!(
                text,
                "{comma}\n        {}: {{\"mean\": {:.6}, \"half_width_95\": {:.6}}}",
                quoted(name),
                value.mean,
                value.half_width
            );
        }
        text.push_str("\n      }\n    }");
    }
    text.push_str("\n  ]\n}\n");
    text
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            other if other.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
