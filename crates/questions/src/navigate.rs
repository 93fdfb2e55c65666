//! Navigation: do the instructions lead back to the start?
//!
//! The working writes, for every instruction, the compass direction taken (the walker starts facing north, N), the number
//! of steps, and the position after it (east, north): `N 3 0 3 ; W 2 -2 3 ;`. A turn writes the new direction only.
//!
//! No public item has a step count above ten; a generated one has at least one, so the two cannot meet.

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

/// Quarter turns clockwise from north.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heading(u8);

impl Heading {
    const NORTH: Self = Self(0);
    const EAST: Self = Self(1);
    const SOUTH: Self = Self(2);
    const WEST: Self = Self(3);

    fn turned(self, quarters: u8) -> Self {
        Self((self.0 + quarters) % 4)
    }

    fn letter(self) -> &'static str {
        ["N", "E", "S", "W"][usize::from(self.0 % 4)]
    }

    fn step(self) -> (i64, i64) {
        [(0, 1), (1, 0), (0, -1), (-1, 0)][usize::from(self.0 % 4)]
    }

    /// How the form without turns says this direction.
    fn sideways(self) -> &'static str {
        ["forward", "right", "backward", "left"][usize::from(self.0 % 4)]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instruction {
    /// Walk without turning the face: the direction is part of the instruction.
    Slide { heading: Heading, steps: i64 },
    /// Walk where the face points.
    Walk { steps: i64 },
    /// Turn by this many quarters clockwise: 1 right, 2 around, 3 left.
    Turn { quarters: u8 },
}

impl Instruction {
    fn text(self) -> String {
        let plural = |steps: i64| if steps == 1 { "step" } else { "steps" };
        match self {
            Self::Slide { heading, steps } => {
                format!("Take {steps} {} {}.", plural(steps), heading.sideways())
            }
            Self::Walk { steps } => format!("Take {steps} {}.", plural(steps)),
            Self::Turn { quarters: 1 } => "Turn right.".to_owned(),
            Self::Turn { quarters: 2 } => "Turn around.".to_owned(),
            Self::Turn { .. } => "Turn left.".to_owned(),
        }
    }

    fn steps(self) -> i64 {
        match self {
            Self::Slide { steps, .. } | Self::Walk { steps } => steps,
            Self::Turn { .. } => 0,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Walker {
    east: i64,
    north: i64,
    heading: Heading,
}

impl Walker {
    const START: Self = Self {
        east: 0,
        north: 0,
        heading: Heading::NORTH,
    };

    fn after(self, instruction: Instruction) -> Self {
        match instruction {
            Instruction::Slide { heading, steps } => self.moved(heading, steps),
            Instruction::Walk { steps } => self.moved(self.heading, steps),
            Instruction::Turn { quarters } => Self {
                heading: self.heading.turned(quarters),
                ..self
            },
        }
    }

    fn moved(self, heading: Heading, steps: i64) -> Self {
        let (east, north) = heading.step();
        Self {
            east: self.east + east * steps,
            north: self.north + north * steps,
            ..self
        }
    }

    fn is_home(self) -> bool {
        self.east == 0 && self.north == 0
    }
}

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

/// A step count: mostly as in the public items, sometimes larger.
fn steps(random: &mut Random) -> i64 {
    let largest = if random.chance(25) {
        STEPS_MAX
    } else {
        PUBLIC_STEPS_MAX
    };
    1 + random.below(largest.unsigned_abs()) as i64
}

fn sliding_route(random: &mut Random) -> Vec<Instruction> {
    let count = random.between(INSTRUCTION_COUNT_MIN, INSTRUCTION_COUNT_MAX);
    let homeward = random.chance(55);
    let free = if homeward {
        random.between(1, count.saturating_sub(1).max(1))
    } else {
        count
    };
    let mut walker = Walker::START;
    let mut route = Vec::new();
    for _ in 0..free {
        let heading = Heading::NORTH.turned(random.below(4) as u8);
        let instruction = Instruction::Slide {
            heading,
            steps: steps(random),
        };
        walker = walker.after(instruction);
        route.push(instruction);
    }
    if homeward {
        let legs = [
            (
                walker.east,
                if walker.east > 0 {
                    Heading::WEST
                } else {
                    Heading::EAST
                },
            ),
            (
                walker.north,
                if walker.north > 0 {
                    Heading::SOUTH
                } else {
                    Heading::NORTH
                },
            ),
        ];
        for (distance, heading) in legs {
            for steps in portions(random, distance.abs()) {
                route.push(Instruction::Slide { heading, steps });
            }
        }
        random.shuffle(&mut route);
    }
    route
}

fn turning_route(random: &mut Random) -> Vec<Instruction> {
    let homeward = random.chance(60);
    let count = random.between(
        INSTRUCTION_COUNT_MIN,
        if homeward { 5 } else { INSTRUCTION_COUNT_MAX },
    );
    let mut walker = Walker::START;
    let mut route = Vec::new();
    for _ in 0..count {
        let instruction = if random.chance(62) {
            Instruction::Walk {
                steps: steps(random),
            }
        } else {
            Instruction::Turn {
                quarters: 1 + random.below(3) as u8,
            }
        };
        walker = walker.after(instruction);
        route.push(instruction);
    }
    if homeward {
        let mut legs = [
            (walker.east, Heading::EAST, Heading::WEST),
            (walker.north, Heading::NORTH, Heading::SOUTH),
        ];
        random.shuffle(&mut legs);
        for (distance, positive, negative) in legs {
            if distance == 0 {
                continue;
            }
            let goal = if distance > 0 { negative } else { positive };
            let quarters = (goal.0 + 4 - walker.heading.0) % 4;
            if quarters != 0 {
                route.push(Instruction::Turn { quarters });
                walker.heading = goal;
            }
            route.extend(
                portions(random, distance.abs())
                    .into_iter()
                    .map(|steps| Instruction::Walk { steps }),
            );
        }
        if random.chance(15) {
            route.push(Instruction::Turn {
                quarters: 1 + random.below(3) as u8,
            });
        }
    }
    route
}

/// Splits a distance into one leg, or several where it is long or by chance.
fn portions(random: &mut Random, distance: i64) -> Vec<i64> {
    let mut left = distance;
    let mut legs = Vec::new();
    while left > 0 {
        let whole = left <= STEPS_MAX && random.chance(70);
        let leg = if whole { left } else { steps(random).min(left) };
        legs.push(leg);
        left -= leg;
    }
    legs
}

/// Changes one step count by one or two.
fn nudge(random: &mut Random, route: &mut [Instruction]) {
    let index = random.below(route.len() as u64) as usize;
    let change = 1 + random.below(2) as i64;
    if let Some(Instruction::Slide { steps, .. } | Instruction::Walk { steps }) =
        route.get_mut(index)
    {
        *steps = if *steps > change {
            *steps - change
        } else {
            *steps + change
        };
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
