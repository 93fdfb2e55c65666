//! Navigation: do the instructions lead back to the start?
//!
//! The working writes, for every instruction, the compass direction taken (the walker starts facing north, N), the number
//! of steps, and the position after it (east, north): `N 3 0 3 ; W 2 -2 3 ;`. A turn writes the new direction only.
//!
//! No public item has a step count above ten; a generated one has at least one, so the two cannot meet.

mod routes;
mod walker;

use self::routes::{nudge, sliding_route, turning_route};
use self::walker::{Instruction, Walker};
use crate::question::Question;
use crate::random::Random;
use crate::skill::Skill;

/// The largest step count of any public item; every generated question has a larger one.
pub(crate) const PUBLIC_STEPS_MAX: i64 = 10;
/// Largest step count generated.
const STEPS_MAX: i64 = 15;
/// Fewest instructions generated.
const INSTRUCTION_COUNT_MIN: u64 = 2;
/// Most instructions generated.
const INSTRUCTION_COUNT_MAX: u64 = 9;

const PREFIX: &str = "If you follow these instructions, do you return to the starting point?";
const SUFFIX: &str = "\nOptions:\n- Yes\n- No";

/// Draws one question.
pub(crate) fn draw(random: &mut Random) -> Question {
    loop {
        let sliding = random.chance(50);
        let mut instructions = if sliding {
            sliding_route(random)
        } else {
            turning_route(random)
        };
        // A way that ends close to home is as likely as one that does not, so that only the exact count decides.
        if random.chance(10) {
            nudge(random, &mut instructions);
        }
        let count = instructions.len() as u64;
        let largest = instructions
            .iter()
            .map(|instruction| instruction.steps())
            .max()
            .unwrap_or(0);
        if (INSTRUCTION_COUNT_MIN..=INSTRUCTION_COUNT_MAX).contains(&count)
            && (PUBLIC_STEPS_MAX + 1..=STEPS_MAX).contains(&largest)
        {
            return question(&instructions, sliding);
        }
    }
}

fn question(instructions: &[Instruction], sliding: bool) -> Question {
    let mut input = PREFIX.to_owned();
    if sliding {
        input.push_str(" Always face forward.");
    }
    let mut walker = Walker::START;
    let mut working = Vec::new();
    for &instruction in instructions {
        input.push(' ');
        input.push_str(&instruction.text());
        walker = walker.after(instruction);
        working.push(match instruction {
            Instruction::Turn { .. } => format!("{} ;", walker.heading.letter()),
            Instruction::Walk { steps } => {
                format!(
                    "{} {steps} {} {} ;",
                    walker.heading.letter(),
                    walker.east,
                    walker.north
                )
            }
            Instruction::Slide { heading, steps } => {
                format!(
                    "{} {steps} {} {} ;",
                    heading.letter(),
                    walker.east,
                    walker.north
                )
            }
        });
    }
    input.push_str(SUFFIX);
    let answer = if walker.is_home() { "Yes" } else { "No" };
    Question {
        skill: Skill::Navigate,
        input,
        working: working.join(" "),
        answer: answer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An independent walk, over the text.
    fn returns(input: &str) -> bool {
        let body = input
            .strip_prefix(PREFIX)
            .unwrap()
            .strip_suffix(SUFFIX)
            .unwrap();
        let mut place = [0_i64, 0];
        let mut face = [0_i64, 1];
        for sentence in body
            .split('.')
            .map(str::trim)
            .filter(|sentence| !sentence.is_empty())
        {
            let words: Vec<&str> = sentence.split(' ').collect();
            match words[..] {
                ["Always", "face", "forward"] => {}
                ["Turn", "left"] => face = [-face[1], face[0]],
                ["Turn", "right"] => face = [face[1], -face[0]],
                ["Turn", "around"] => face = [-face[0], -face[1]],
                ["Take", count, _] => {
                    let count: i64 = count.parse().unwrap();
                    place = [place[0] + face[0] * count, place[1] + face[1] * count];
                }
                ["Take", count, _, side] => {
                    let count: i64 = count.parse().unwrap();
                    match side {
                        "left" => place[0] -= count,
                        "right" => place[0] += count,
                        "forward" => place[1] += count,
                        "backward" => place[1] -= count,
                        other => panic!("unexpected {other}"),
                    }
                }
                ref other => panic!("unexpected {other:?}"),
            }
        }
        place == [0, 0]
    }

    #[test]
    fn answers_agree_with_an_independent_walk() {
        let mut random = Random::new(1);
        for _ in 0..5_000 {
            let question = draw(&mut random);
            assert_eq!(
                question.answer == "Yes",
                returns(&question.input),
                "{}",
                question.input
            );
        }
    }

    #[test]
    fn every_question_has_a_step_count_that_no_public_item_has() {
        let mut random = Random::new(2);
        for _ in 0..5_000 {
            let question = draw(&mut random);
            let largest = question
                .input
                .split(' ')
                .filter_map(|word| word.parse::<i64>().ok())
                .max();
            assert!(largest > Some(PUBLIC_STEPS_MAX), "{}", question.input);
        }
    }

    #[test]
    fn each_answer_and_each_form_is_at_least_a_third() {
        let mut random = Random::new(3);
        let drawn: Vec<Question> = (0..3_000).map(|_| draw(&mut random)).collect();
        let yes = drawn
            .iter()
            .filter(|question| question.answer == "Yes")
            .count();
        let sliding = drawn
            .iter()
            .filter(|question| question.input.contains("Always"))
            .count();
        assert!((1_000..2_000).contains(&yes), "{yes} yes of 3,000");
        assert!(
            (1_000..2_000).contains(&sliding),
            "{sliding} sliding of 3,000"
        );
    }
}
