//! A walker on a grid, and the instructions that move it.

/// Quarter turns clockwise from north.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heading(u8);

impl Heading {
    pub(super) const NORTH: Self = Self(0);
    pub(super) const EAST: Self = Self(1);
    pub(super) const SOUTH: Self = Self(2);
    pub(super) const WEST: Self = Self(3);

    pub(super) fn turned(self, quarters: u8) -> Self {
        Self((self.0 + quarters) % 4)
    }

    /// Quarter turns clockwise from here to `goal`, 0 to 3.
    pub(super) fn quarters_to(self, goal: Self) -> u8 {
        (goal.0 + 4 - self.0) % 4
    }

    pub(super) fn letter(self) -> &'static str {
        ["N", "E", "S", "W"][usize::from(self.0 % 4)]
    }

    pub(super) fn step(self) -> (i64, i64) {
        [(0, 1), (1, 0), (0, -1), (-1, 0)][usize::from(self.0 % 4)]
    }

    /// How the form without turns says this direction.
    pub(super) fn sideways(self) -> &'static str {
        ["forward", "right", "backward", "left"][usize::from(self.0 % 4)]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instruction {
    /// Walk without turning the face: the direction is part of the instruction.
    Slide { heading: Heading, steps: i64 },
    /// Walk where the face points.
    Walk { steps: i64 },
    /// Turn by this many quarters clockwise: 1 right, 2 around, 3 left.
    Turn { quarters: u8 },
}

impl Instruction {
    pub(super) fn text(self) -> String {
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

    pub(super) fn steps(self) -> i64 {
        match self {
            Self::Slide { steps, .. } | Self::Walk { steps } => steps,
            Self::Turn { .. } => 0,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walker {
    pub(super) east: i64,
    pub(super) north: i64,
    pub(super) heading: Heading,
}

impl Walker {
    pub(super) const START: Self = Self {
        east: 0,
        north: 0,
        heading: Heading::NORTH,
    };

    pub(super) fn after(self, instruction: Instruction) -> Self {
        match instruction {
            Instruction::Slide { heading, steps } => self.moved(heading, steps),
            Instruction::Walk { steps } => self.moved(self.heading, steps),
            Instruction::Turn { quarters } => Self {
                heading: self.heading.turned(quarters),
                ..self
            },
        }
    }

    pub(super) fn moved(self, heading: Heading, steps: i64) -> Self {
        let (east, north) = heading.step();
        Self {
            east: self.east + east * steps,
            north: self.north + north * steps,
            ..self
        }
    }

    pub(super) fn is_home(self) -> bool {
        self.east == 0 && self.north == 0
    }
}
