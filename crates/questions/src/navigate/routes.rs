//! Random routes: about half of them made to lead home.

use super::walker::{Heading, Instruction, Walker};
use super::{INSTRUCTION_COUNT_MAX, INSTRUCTION_COUNT_MIN, PUBLIC_STEPS_MAX, STEPS_MAX};
use crate::random::Random;

/// A step count: mostly as in the public items, sometimes larger.
fn steps(random: &mut Random) -> i64 {
    let largest = if random.chance(25) {
        STEPS_MAX
    } else {
        PUBLIC_STEPS_MAX
    };
    1 + random.below(largest.unsigned_abs()) as i64
}

pub(super) fn sliding_route(random: &mut Random) -> Vec<Instruction> {
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

pub(super) fn turning_route(random: &mut Random) -> Vec<Instruction> {
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
            let quarters = walker.heading.quarters_to(goal);
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
pub(super) fn nudge(random: &mut Random, route: &mut [Instruction]) {
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
