//! Plans as planners give them: read forgivingly by the planner's peer, written in one way, read strictly by the
//! coordinator. Spec: PLAN-1.
//!
//! A plan holds questions and skills and nothing else: a planner decomposes, and has no field in which to solve.

mod json;
mod prompt;

use symphony_protocol::records::{Capability, REQUIREMENT_TAGS_MAX, STEPS_MAX, TAG_SIZE_MAX};

use self::json::Value;

pub(crate) use self::prompt::planning_prompt;

/// Skill that a planning step requires.
pub const PLAN_TAG: &str = "plan";
/// Skill that the step of a chain requires, beside its own: who offers it hands the rest on.
pub const HAND_OVER_TAG: &str = "hand-over";
/// Largest plan as text, in bytes: the most that a reveal can carry.
const PLAN_SIZE_MAX: usize = 4_096;
/// Places in an output at which a plan is looked for: prose before it may hold brackets too.
const PLACES_MAX: usize = 32;

/// Whether a tag names a role, planning or handing over, and no skill.
pub(crate) fn is_role(tag: &str) -> bool {
    [PLAN_TAG, HAND_OVER_TAG].contains(&tag)
}

/// Whether a peer offers those of the required skills that are roles, planning and handing over: likeness alone gives nobody
/// a role.
pub(crate) fn offers_roles(capability: &Capability, required: &[String]) -> bool {
    required
        .iter()
        .filter(|tag| is_role(tag))
        .all(|tag| capability.tags.contains(tag))
}

/// A plan: 1 to 8 steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan(Vec<PlanStep>);

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanStep {
    /// What is asked: not empty, no white space at either end.
    pub question: String,
    /// Required skills: at most 8, strictly sorted, each 1 to 64 bytes of a-z, 0-9 and '-'.
    pub tags: Vec<String>,
}

impl Plan {
    /// The plan in a model's output: the first value in it that is one. A code fence or prose around it, trailing commas,
    /// single quotes, a bare list of steps, and bare questions as `steps` are mended; what else is wrong is not.
    pub fn repair(output: &str) -> Option<Self> {
        output
            .match_indices(['{', '['])
            .take(PLACES_MAX)
            .filter_map(|(at, _)| Value::read(&output[at..]))
            .find_map(|value| Self::of_value(&value))
    }

    /// A plan of these steps, if they are those of one that can be written.
    pub(crate) fn of_steps(steps: Vec<PlanStep>) -> Option<Self> {
        let plan = Self(steps);
        (Self::parse(&plan.text()).as_ref() == Some(&plan)).then_some(plan)
    }

    /// Reads a plan that is written exactly as [`Plan::text`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::repair(text).filter(|plan| plan.text() == text)
    }

    /// The steps, 1 to 8.
    pub fn steps(&self) -> &[PlanStep] {
        &self.0
    }

    /// The one way in which a plan is written: equal plans have equal digests. At most 4,096 bytes.
    pub fn text(&self) -> String {
        let mut text = "{\"steps\":[".to_owned();
        for (number, step) in self.0.iter().enumerate() {
            text.push_str(if number == 0 { "" } else { "," });
            text.push_str("{\"question\":");
            write_string(&mut text, &step.question);
            text.push_str(",\"tags\":[");
            for (number, tag) in step.tags.iter().enumerate() {
                text.push_str(if number == 0 { "" } else { "," });
                write_string(&mut text, tag);
            }
            text.push_str("]}");
        }
        text.push_str("]}");
        text
    }

    fn of_value(value: &Value) -> Option<Self> {
        let (Value::Array(steps), bare) = value
            .field("steps")
            .map_or((value, true), |steps| (steps, false))
        else {
            return None;
        };
        // A bare list of texts may be the tags of a step whose plan was cut off.
        let texts = steps.iter().any(|step| matches!(step, Value::Text(_)));
        if (bare && texts) || !(1..=STEPS_MAX as usize).contains(&steps.len()) {
            return None;
        }
        let plan = Self(steps.iter().map(step).collect::<Option<_>>()?);
        (plan.text().len() <= PLAN_SIZE_MAX).then_some(plan)
    }
}

fn step(value: &Value) -> Option<PlanStep> {
    let question = match value {
        Value::Text(question) => question,
        _ => match value.field("question")? {
            Value::Text(question) => question,
            _ => return None,
        },
    };
    let question = question.trim();
    let mut tags: Vec<String> = match value.field("tags") {
        Some(Value::Array(tags)) => tags.iter().filter_map(tag).collect(),
        Some(one) => tag(one).into_iter().collect(),
        None => Vec::new(),
    };
    tags.sort_unstable();
    tags.dedup();
    tags.truncate(REQUIREMENT_TAGS_MAX);
    (!question.is_empty()).then(|| PlanStep {
        question: question.to_owned(),
        tags,
    })
}

/// A skill in the letters of tags: `Boolean_Logic` is `boolean-logic`.
fn tag(value: &Value) -> Option<String> {
    let Value::Text(text) = value else {
        return None;
    };
    let mut tag: String = text
        .trim()
        .chars()
        .filter_map(|letter| match letter.to_ascii_lowercase() {
            ' ' | '_' => Some('-'),
            letter if letter.is_ascii_alphanumeric() || letter == '-' => Some(letter),
            _ => None,
        })
        .collect();
    tag.truncate(TAG_SIZE_MAX);
    (!tag.is_empty()).then_some(tag)
}

fn write_string(text: &mut String, value: &str) {
    text.push('"');
    for letter in value.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            '\0'..='\u{1f}' => {
                let code = u32::from(letter);
                let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0');
                text.extend(['\\', 'u', '0', '0', digit(code / 16), digit(code % 16)]);
            }
            _ => text.push(letter),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{"steps":[{"question":"What is 2 + 3?","tags":["arithmetic"]},{"question":"Say \"it\".\u000aNow.","tags":[]}]}"#;

    #[test]
    fn plan_1_a_plan_is_written_in_one_way() {
        let plan = Plan::parse(PLAN).expect("a plan");
        assert_eq!(plan.text(), PLAN);
        assert_eq!(plan.steps()[1].question, "Say \"it\".\nNow.");
        for other in [
            &PLAN.replace(",\"tags\":[]", ""),
            &PLAN.replace("\\u000a", "\\n"),
            &PLAN.replace("arithmetic", "Arithmetic"),
            &format!("{PLAN} "),
        ] {
            assert_eq!(Plan::parse(other), None, "{other}");
            assert!(Plan::repair(other).is_some(), "{other}");
        }
    }

    #[test]
    fn plan_1_near_json_is_mended() {
        let expected = Plan(vec![
            PlanStep {
                question: "What is 2 + 3?".to_owned(),
                tags: vec!["arithmetic".to_owned(), "small-numbers".to_owned()],
            },
            PlanStep {
                question: "Give the final answer.".to_owned(),
                tags: Vec::new(),
            },
        ]);
        for output in [
            "```json\n{\"steps\": [{\"question\": \"What is 2 + 3?\", \"tags\": [\"small_numbers\", \"Arithmetic\",]},\n  \
             {\"question\": \" Give the final answer. \", \"tags\": [],},]}\n```\nGood luck!",
            "A plan [of two steps]: {'steps': [{'tags': ['arithmetic', 'small numbers', 'Arithmetic!'], \
             'question': 'What is 2 + 3?', 'why': 5}, 'Give the final answer.']}",
            "[{\"question\": \"What is 2 + 3?\", \"tags\": [\"small-numbers\", 7, \"arithmetic\", \"?\"]}, \
             {\"question\": \"Give the final answer.\", \"tags\": null}]",
        ] {
            assert_eq!(Plan::repair(output).as_ref(), Some(&expected), "{output}");
        }
    }

    #[test]
    fn plan_1_what_is_no_plan_is_refused() {
        let nine = format!("{{\"steps\":[{}]}}", ["\"q\""; 9].join(","));
        let large = format!("{{\"steps\":[\"{}\"]}}", "q".repeat(PLAN_SIZE_MAX));
        for output in [
            "",
            "The answer is 5.",
            "[]",
            "{\"steps\": []}",
            "{\"steps\": [{\"question\": \"  \"}]}",
            "{\"steps\": [{\"tags\": [\"a\"]}]}",
            "{\"steps\": [{\"question\": 5}]}",
            "{\"steps\": [{\"question\": \"cut off",
            "{\"steps\": [{\"question\": \"a\", \"tags\": [\"a\"]}, {\"question\": \"cut off",
            &nine,
            &large,
            &"[".repeat(70_000),
        ] {
            assert_eq!(Plan::repair(output), None);
        }
    }
}
