//! Truth chains: each person speaks of the one before; does the last tell the truth?
//!
//! The working gives, for every person in turn, what is claimed of the one before and what follows for the speaker:
//! `1 lies liar ; 2 truth liar ; 3 lies honest ;` (person 1 is stated to lie; 2 says that a liar tells the truth, and so on).
//!
//! Every public item has five people, none of whose names begins with an X; of five generated people one has such a name,
//! so the two cannot meet. (Leaving five people out instead teaches a model never to stop after the fifth.)

use crate::names;
use crate::question::Question;
use crate::random::Random;
use crate::skill::Skill;

/// The number of people in every public item.
const PUBLIC_PERSON_COUNT: usize = 5;
/// Fewest and most people generated.
const PERSON_COUNT: (u64, u64) = (3, 7);

/// Draws one question.
pub(crate) fn draw(random: &mut Random) -> Question {
    let count = random.between(PERSON_COUNT.0, PERSON_COUNT.1) as usize;
    let mut people = names::draw_distinct(random, count);
    if count == PUBLIC_PERSON_COUNT {
        let marked = random.below(count as u64) as usize;
        people[marked] = names::draw_with_x(random);
    }
    let mut input = "Question:".to_owned();
    let mut working = Vec::with_capacity(count);
    // "Person 0" is the question itself, which tells the truth about person 1.
    let mut honest = true;
    for (index, name) in people.iter().enumerate() {
        let truth = random.chance(50);
        let claim = if truth { "tells the truth" } else { "lies" };
        match index.checked_sub(1).and_then(|before| people.get(before)) {
            None => input.push_str(&format!(" {name} {claim}.")),
            Some(before) => input.push_str(&format!(" {name} says {before} {claim}.")),
        }
        honest = match index {
            0 => truth,
            _ => truth == honest,
        };
        let claimed = if truth { "truth" } else { "lies" };
        working.push(format!(
            "{} {claimed} {} ;",
            index + 1,
            if honest { "honest" } else { "liar" }
        ));
    }
    if let Some(last) = people.last() {
        input.push_str(&format!(" Does {last} tell the truth?"));
    }
    let answer = if honest { "Yes" } else { "No" };
    Question {
        skill: Skill::WebOfLies,
        input,
        working: working.join(" "),
        answer: answer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// An independent reading: by name, not by place.
    fn last_is_honest(input: &str) -> bool {
        let mut honest: BTreeMap<&str, bool> = BTreeMap::new();
        let body = input.strip_prefix("Question: ").unwrap();
        for sentence in body.split(". ") {
            let words: Vec<&str> = sentence.split(' ').collect();
            let (name, value) = match words[..] {
                ["Does", name, "tell", "the", "truth?"] => return honest[name],
                [name, "tells", "the", "truth"] => (name, true),
                [name, "lies"] => (name, false),
                [name, "says", other, "tells", "the", "truth"] => (name, honest[other]),
                [name, "says", other, "lies"] => (name, !honest[other]),
                ref other => panic!("unexpected {other:?}"),
            };
            honest.insert(name, value);
        }
        panic!("no question in {input}")
    }

    #[test]
    fn answers_agree_with_an_independent_reading() {
        let mut random = Random::new(1);
        for _ in 0..5_000 {
            let question = draw(&mut random);
            assert_eq!(
                question.answer == "Yes",
                last_is_honest(&question.input),
                "{}",
                question.input
            );
        }
    }

    #[test]
    fn of_five_people_one_has_a_name_that_no_public_item_has() {
        let mut random = Random::new(2);
        let mut seen = [0; 8];
        for _ in 0..2_000 {
            let input = draw(&mut random).input;
            let people = input.matches('.').count();
            seen[people] += 1;
            assert!(
                people != PUBLIC_PERSON_COUNT || input.contains(" X"),
                "{input}"
            );
        }
        assert!(seen[..3].iter().all(|&count| count == 0), "{seen:?}");
        assert!(seen[3..].iter().all(|&count| count > 200), "{seen:?}");
    }

    #[test]
    fn each_answer_is_at_least_two_fifths() {
        let mut random = Random::new(3);
        let yes = (0..3_000)
            .filter(|_| draw(&mut random).answer == "Yes")
            .count();
        assert!((1_200..1_800).contains(&yes), "{yes} of 3,000");
    }
}
