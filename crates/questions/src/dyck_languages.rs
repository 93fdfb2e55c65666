//! Bracket completion: which brackets close the sequence?
//!
//! The working writes each bracket again with the depth after it, then the answer closes what is open from the inside out:
//! `{ 1 [ 2 ] 1 ( 2` → `) }`.
//!
//! Public items have four kinds of brackets. Every generated sequence has a pair of a fifth kind, `« »`, which no public
//! item has, so the two cannot meet.

use crate::question::Question;
use crate::random::Random;
use crate::skill::Skill;

/// The kinds of brackets; the last one marks a generated sequence.
const KINDS: [(&str, &str); 5] = [("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"), ("«", "»")];
/// The kind that no public item has.
pub(crate) const OWN_KIND: usize = 4;
/// Fewest and most brackets in a sequence.
const LENGTH: (u64, u64) = (2, 32);
/// Fewest and most brackets that an answer closes.
const OPEN: (usize, usize) = (1, 4);
/// Deepest nesting.
const DEPTH_MAX: usize = 8;

const PREFIX: &str = "Complete the rest of the sequence, making sure that the parentheses are closed properly. Input:";

/// Draws one question.
pub(crate) fn draw(random: &mut Random) -> Question {
    loop {
        let length = random.between(LENGTH.0, LENGTH.1) as usize;
        let (sequence, open) = sequence(random, length);
        let own = sequence.iter().any(|&(_, kind)| kind == OWN_KIND);
        if own && (OPEN.0..=OPEN.1).contains(&open.len()) {
            return question(&sequence, &open);
        }
    }
}

/// Whether a bracket opens or closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Open,
    Close,
}

/// Brackets (side, index of the kind), and the kinds still open at the end, outermost first.
fn sequence(random: &mut Random, length: usize) -> (Vec<(Side, usize)>, Vec<usize>) {
    let mut open: Vec<usize> = Vec::new();
    let mut sequence = Vec::with_capacity(length);
    for _ in 0..length {
        let opens = open.len() < DEPTH_MAX && (open.is_empty() || random.chance(50));
        match (opens, open.last().copied()) {
            (false, Some(kind)) => {
                open.pop();
                sequence.push((Side::Close, kind));
            }
            _ => {
                let kind = random.below(KINDS.len() as u64) as usize;
                open.push(kind);
                sequence.push((Side::Open, kind));
            }
        }
    }
    (sequence, open)
}

fn question(sequence: &[(Side, usize)], open: &[usize]) -> Question {
    let mut input = PREFIX.to_owned();
    let mut working = Vec::with_capacity(sequence.len());
    let mut depth = 0_usize;
    for &(side, kind) in sequence {
        let (opening, closing) = KINDS[kind];
        let bracket = match side {
            Side::Open => {
                depth += 1;
                opening
            }
            Side::Close => {
                depth = depth.saturating_sub(1);
                closing
            }
        };
        input.push(' ');
        input.push_str(bracket);
        working.push(format!("{bracket} {depth}"));
    }
    let answer: Vec<&str> = open.iter().rev().map(|&kind| KINDS[kind].1).collect();
    Question {
        skill: Skill::DyckLanguages,
        input,
        working: working.join(" "),
        answer: answer.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_and_answer_together_are_balanced() {
        let mut random = Random::new(1);
        for _ in 0..5_000 {
            let question = draw(&mut random);
            let body = question.input.strip_prefix(PREFIX).unwrap();
            let mut stack = Vec::new();
            for bracket in body.split_whitespace().chain(question.answer.split(' ')) {
                match bracket {
                    "(" => stack.push(")"),
                    "[" => stack.push("]"),
                    "{" => stack.push("}"),
                    "<" => stack.push(">"),
                    "«" => stack.push("»"),
                    closing => assert_eq!(stack.pop(), Some(closing), "{}", question.input),
                }
            }
            assert!(stack.is_empty(), "{}", question.input);
        }
    }

    #[test]
    fn every_sequence_has_a_bracket_that_no_public_item_has() {
        let mut random = Random::new(2);
        for _ in 0..2_000 {
            assert!(draw(&mut random).input.contains(KINDS[OWN_KIND].0));
        }
    }
}
