//! What became of one mutation.

use std::fmt;

/// The result of the command on the mutated sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A test failed, as it should.
    Found,
    /// The command hung and was ended: a test noticed, if slowly.
    HungAndEnded,
    /// All tests passed: the rule is not tested.
    Survived,
    /// The mutated sources do not compile, so no test said anything.
    DoesNotCompile,
    /// The command's filter matched no test.
    RanNoTest,
}

impl Outcome {
    /// From the command's success (`None`: it was ended at the time limit) and its output.
    pub(crate) fn of(success: Option<bool>, output: &str) -> Self {
        match success {
            None => Self::HungAndEnded,
            Some(_) if output.contains("error: could not compile") => Self::DoesNotCompile,
            Some(_) if output.contains("no tests to run") => Self::RanNoTest,
            Some(true) => Self::Survived,
            Some(false) => Self::Found,
        }
    }

    /// Did a test notice?
    pub(crate) fn is_found(self) -> bool {
        matches!(self, Self::Found | Self::HungAndEnded)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Found => "found",
            Self::HungAndEnded => "found (hung)",
            Self::Survived => "SURVIVED",
            Self::DoesNotCompile => "DOES NOT COMPILE",
            Self::RanNoTest => "RAN NO TEST",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failing_test_counts_as_found() {
        assert!(Outcome::of(Some(false), "1 failed").is_found());
        assert!(Outcome::of(None, "").is_found());
        assert!(!Outcome::of(Some(true), "").is_found());
        assert!(!Outcome::of(Some(false), "error: could not compile `a`").is_found());
        assert!(!Outcome::of(Some(false), "error: no tests to run").is_found());
    }
}
