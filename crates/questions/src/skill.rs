//! The five kinds of questions that the generators know.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of question, named as its public BIG-Bench Hard task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skill {
    /// The value of a Boolean expression.
    BooleanExpressions,
    /// Whether a list of instructions leads back to its start.
    Navigate,
    /// Whether the last person of a chain of claims tells the truth.
    WebOfLies,
    /// The brackets that close a sequence.
    DyckLanguages,
    /// How many things of a kind a list holds.
    ObjectCounting,
}

impl Skill {
    /// All skills, in the order in which models are trained.
    pub const ALL: [Self; 5] = [
        Self::BooleanExpressions,
        Self::Navigate,
        Self::WebOfLies,
        Self::DyckLanguages,
        Self::ObjectCounting,
    ];

    /// The name on the command line, in task files and in the models' cards.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BooleanExpressions => "boolean_expressions",
            Self::Navigate => "navigate",
            Self::WebOfLies => "web_of_lies",
            Self::DyckLanguages => "dyck_languages",
            Self::ObjectCounting => "object_counting",
        }
    }
}

impl fmt::Display for Skill {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that is no skill's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown skill {actual:?}, expected one of boolean_expressions, navigate, web_of_lies, dyck_languages, object_counting"
)]
pub struct UnknownSkill {
    /// The name given.
    pub actual: String,
}

impl FromStr for Skill {
    type Err = UnknownSkill;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|skill| skill.name() == name)
            .ok_or_else(|| UnknownSkill {
                actual: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for skill in Skill::ALL {
            assert_eq!(skill.name().parse(), Ok(skill));
            assert_eq!(
                serde_json::to_string(&skill).unwrap(),
                format!("\"{skill}\"")
            );
        }
        assert!("swimming".parse::<Skill>().is_err());
    }
}
