//! Counting: how many things of a kind does a list hold?
//!
//! The working takes the things in order, with how many of each count and the sum so far:
//! `flute 1 1 ; stoves 0 1 ; violins 3 4 ;`.
//!
//! Every generated question names at least one thing that no public item names, so the two cannot meet.

use crate::question::Question;
use crate::random::Random;
use crate::skill::Skill;
use crate::things::{Kind, Thing};

/// Fewest and most different things in a list.
const THING_COUNT: (u64, u64) = (2, 10);

/// Draws one question.
pub(crate) fn draw(random: &mut Random) -> Question {
    let asked = random.choose(&Kind::ALL).copied().unwrap_or(Kind::Object);
    let list = list(random, asked);
    // Everything is an object; so a question for objects counts all.
    let mut sum = 0;
    let mut texts = Vec::with_capacity(list.len());
    let mut working = Vec::with_capacity(list.len());
    for &(kind, thing, count) in &list {
        let counts = if asked == kind || asked == Kind::Object {
            count
        } else {
            0
        };
        sum += counts;
        texts.push(thing.counted(count));
        working.push(format!("{} {counts} {sum} ;", thing.word(count)));
    }
    let last = texts.pop().unwrap_or_default();
    let input = format!(
        "I have {}, and {last}. How many {} do I have?",
        texts.join(", "),
        asked.plural()
    );
    Question {
        skill: Skill::ObjectCounting,
        input,
        working: working.join(" "),
        answer: sum.to_string(),
    }
}

/// Different things with their counts, in random order: mostly of the kind asked for, often with some of one other kind, and
/// at least one that no public item names.
fn list(random: &mut Random, asked: Kind) -> Vec<(Kind, Thing, usize)> {
    let length = random.between(THING_COUNT.0, THING_COUNT.1) as usize;
    let other = random.choose(&Kind::ALL).copied().unwrap_or(Kind::Object);
    let other_percent = if asked != Kind::Object && random.chance(50) {
        30
    } else {
        0
    };
    let mut list: Vec<(Kind, Thing, usize)> = Vec::with_capacity(length);
    while list.len() < length {
        let kind = if random.chance(other_percent) {
            other
        } else {
            asked
        };
        let thing = if list.is_empty() || random.chance(25) {
            kind.own(random)
        } else {
            kind.everyday(random)
        };
        if list.iter().all(|&(_, named, _)| named != thing) {
            let count = if random.chance(65) {
                1
            } else {
                random.between(2, 5) as usize
            };
            list.push((kind, thing, count));
        }
    }
    random.shuffle(&mut list);
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [(&str, u64); 6] = [
        ("a", 1),
        ("an", 1),
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
    ];

    #[test]
    fn questions_for_objects_count_everything() {
        let mut random = Random::new(1);
        let mut seen = 0;
        for _ in 0..3_000 {
            let question = draw(&mut random);
            let (list, asked) = question
                .input
                .strip_prefix("I have ")
                .unwrap()
                .split_once(". How many ")
                .unwrap();
            if asked != "objects do I have?" {
                continue;
            }
            seen += 1;
            let sum: u64 = list
                .split(", ")
                .map(|part| part.trim_start_matches("and ").split(' ').next().unwrap())
                .map(|word| NUMBERS.iter().find(|(name, _)| *name == word).unwrap().1)
                .sum();
            assert_eq!(question.answer, sum.to_string(), "{}", question.input);
        }
        assert!(seen > 300);
    }

    #[test]
    fn other_kinds_do_not_count() {
        let mut random = Random::new(2);
        let mut mixed = 0;
        for _ in 0..2_000 {
            let question = draw(&mut random);
            let steps: Vec<Vec<&str>> = question
                .working
                .split(" ;")
                .map(|step| step.split_whitespace().collect())
                .collect();
            let counted: u64 = steps
                .iter()
                .filter(|step| step.len() == 3)
                .map(|step| step[1].parse::<u64>().unwrap())
                .sum();
            assert_eq!(question.answer, counted.to_string());
            mixed += u32::from(steps.iter().any(|step| step.get(1) == Some(&"0")));
        }
        assert!(mixed > 300, "{mixed}");
    }

    #[test]
    fn every_question_names_a_thing_that_no_public_item_names() {
        let mut random = Random::new(3);
        for _ in 0..1_000 {
            let asked = random.choose(&Kind::ALL).copied().unwrap();
            let list = list(&mut random, asked);
            let own = |kind: Kind, thing: Thing| {
                let mut random = Random::new(1);
                (0..200).any(|_| kind.own(&mut random) == thing)
            };
            assert!(list.iter().any(|&(kind, thing, _)| own(kind, thing)));
        }
    }
}
