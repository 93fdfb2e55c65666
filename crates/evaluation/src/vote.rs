//! One settled vote, as an estimate needs it: for every ordered pick what the log's policy and what the target would do.

/// Sums of probabilities may miss 1 by this.
const SUM_TOLERANCE: f64 = 1e-9;

/// What is known of the log's policy where the log did not go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Every candidate that is eligible has a chance at every position, whatever was picked before it.
    AfterAnyPicks,
    /// Known of the picks that were made alone.
    AfterThesePicks,
}

/// One of the ordered picks of a vote, given those before it. All lists are over the candidates that were eligible at it.
#[derive(Clone, Debug, PartialEq)]
pub struct WeighedPick {
    /// Position of the logged choice in the lists, from 0.
    pub chosen: usize,
    /// Probabilities with which the log's policy picked, from the log. They sum to 1.
    pub logged: Vec<f64>,
    /// Probabilities with which the target would have picked here. They sum to 1.
    pub target: Vec<f64>,
    /// Reward of the whole vote, in [0, 1], that a model expects if this candidate is picked here. It may rest on what was known
    /// at the pick and on nothing later; a bad model makes intervals wide, never wrong.
    pub predicted: Vec<f64>,
}

/// A settled vote. Its picks share one reward, since the tally couples them: what one executor earns depends on who else voted.
#[derive(Clone, Debug, PartialEq)]
pub struct WeighedVote {
    /// The picks in their order, replacements included.
    pub picks: Vec<WeighedPick>,
    /// P: picks that the close makes at most. Replacements come on top.
    pub executors: usize,
    /// What is known of the log's policy after other picks.
    pub support: Support,
    /// Mean reward of its selections, in [0, 1].
    pub reward: f64,
}

/// Why a log says nothing about a target's value. Positions and numbers count from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The log's policy leaves nothing to chance.
    #[error(
        "the log's policy leaves nothing to chance: what it did not choose, it never tried (policies with chance: random, ε-greedy, Thompson)"
    )]
    NoChance,
    /// The target may pick whom the log's policy never would.
    #[error(
        "vote {vote}, pick {pick}: the target may pick candidate {candidate}, which the log's policy never would"
    )]
    OutsideSupport {
        /// Number of the vote.
        vote: u64,
        /// Number of the pick in it.
        pick: usize,
        /// Position among the candidates.
        candidate: usize,
    },
    /// A vote of several picks, without a promise about orders that were not taken.
    #[error(
        "vote {vote}: nothing is known of the log's policy after other picks than those that were made"
    )]
    SupportUnknown {
        /// Number of the vote.
        vote: u64,
    },
    /// A pick that no policy makes.
    #[error("vote {vote}, pick {pick}: {problem}")]
    Malformed {
        /// Number of the vote.
        vote: u64,
        /// Number of the pick in it.
        pick: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// No vote was settled.
    #[error("no vote is settled")]
    NoVotes,
}

impl WeighedVote {
    /// Checks all lists, the target's support, and that something was left to chance.
    ///
    /// # Errors
    /// The first [`Refusal`], with this number of the vote.
    pub fn validate(&self, vote: u64) -> Result<(), Refusal> {
        for (pick, weighed) in self.picks.iter().enumerate() {
            weighed.validate().map_err(|problem| Refusal::Malformed {
                vote,
                pick,
                problem,
            })?;
        }
        if self.picks.is_empty() || !(0.0..=1.0).contains(&self.reward) {
            let problem = "a vote needs picks, and a reward from 0 to 1";
            return Err(Refusal::Malformed {
                vote,
                pick: 0,
                problem,
            });
        }
        // Samples may all speak for one; a policy that knows its probabilities for all orders has no such excuse.
        let certain = self.picks.iter().any(WeighedPick::is_certain);
        if certain && self.support == Support::AfterAnyPicks {
            return Err(Refusal::NoChance);
        }
        for (pick, weighed) in self.picks.iter().enumerate() {
            if let Some(candidate) = weighed.outside_support() {
                return Err(Refusal::OutsideSupport {
                    vote,
                    pick,
                    candidate,
                });
            }
        }
        if self.picks.len() > 1 && self.support == Support::AfterThesePicks {
            return Err(Refusal::SupportUnknown { vote });
        }
        Ok(())
    }
}

impl WeighedPick {
    fn validate(&self) -> Result<(), &'static str> {
        let count = self.logged.len();
        if self.target.len() != count || self.predicted.len() != count {
            return Err("lists of different lengths");
        }
        let Some(chosen) = self.logged.get(self.chosen) else {
            return Err("the choice is none of the candidates");
        };
        if !is_distribution(&self.logged) || !is_distribution(&self.target) {
            return Err("probabilities that do not sum to 1");
        }
        if *chosen <= 0.0 {
            return Err("a choice of probability 0");
        }
        if !self
            .predicted
            .iter()
            .all(|number| (0.0..=1.0).contains(number))
        {
            return Err("a predicted reward outside 0 to 1");
        }
        Ok(())
    }

    /// Whether there was a choice, and no chance in it.
    fn is_certain(&self) -> bool {
        self.logged.len() > 1 && self.logged[self.chosen] >= 1.0
    }

    fn outside_support(&self) -> Option<usize> {
        self.target
            .iter()
            .zip(&self.logged)
            .position(|(target, logged)| *target > 0.0 && *logged <= 0.0)
    }
}

fn is_distribution(numbers: &[f64]) -> bool {
    let mut sum = 0.0;
    for number in numbers {
        if !(0.0..=1.0).contains(number) {
            return false;
        }
        sum += number;
    }
    (1.0 - SUM_TOLERANCE..=1.0 + SUM_TOLERANCE).contains(&sum)
}
