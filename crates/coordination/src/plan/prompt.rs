//! What a planner is asked. How it is to answer is its own instruction; this is the work.

use std::collections::BTreeSet;

/// Room for the names of skills, in bytes.
const SKILLS_SIZE_MAX: usize = 2_048;

/// The prompt of a planning step: the skills that peers offer, as many as fit, in order; then the question.
pub(crate) fn planning_prompt(skills: &BTreeSet<&str>, question: &str) -> String {
    let mut list = String::new();
    for skill in skills {
        if list.len() + skill.len() + 2 > SKILLS_SIZE_MAX {
            break;
        }
        list.push_str(if list.is_empty() { "" } else { ", " });
        list.push_str(skill);
    }
    format!("Skills: {list}\n\nQuestion:\n{question}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_2_a_planner_sees_the_skills_that_fit_and_the_whole_question() {
        let skills = BTreeSet::from(["boolean", "navigation"]);
        assert_eq!(
            planning_prompt(&skills, "What is 2 + 3?"),
            "Skills: boolean, navigation\n\nQuestion:\nWhat is 2 + 3?"
        );
        let many: Vec<String> = (0..1_000).map(|number| format!("skill-{number}")).collect();
        let many: BTreeSet<&str> = many.iter().map(String::as_str).collect();
        let prompt = planning_prompt(&many, "q");
        assert!(prompt.len() <= SKILLS_SIZE_MAX + 32 && prompt.ends_with("Question:\nq"));
    }
}
