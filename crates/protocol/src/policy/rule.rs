//! The one interface behind which every policy stands.

use symphony_transparency::PublicKey;

use super::{Bound, Context};
use crate::screening::Candidate;

/// A choice whose reward is not known yet: all that a policy needs to learn from it later.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Who was chosen.
    pub peer: PublicKey,
    /// The context at the time of choice.
    pub context: Context,
    /// The number of the choice, from 1: how the policy tells its age.
    pub number: u64,
}

/// How a policy judges candidates and learns from choices. It is a set of values and functions of values: what it holds is in
/// the state of a log, so that everybody computes the same from the same entries.
///
/// The set of implementations is closed ([`super::Model`]): a policy entry can name only what a rules revision defines.
///
/// Spec: SELECT-12 to SELECT-24.
pub trait Rule {
    /// What the policy says of each candidate (`contexts` are theirs, in the same order), as it stands after the choice with
    /// the number `now`.
    fn assess(&self, candidates: &[&Candidate], contexts: &[Context], now: u64) -> Vec<Bound>;

    /// Counts a choice, before its reward is known.
    fn count(&mut self, choice: &Choice);

    /// Takes a counted choice back, whose reward will never be known. Only a rule that counts when it chooses has something to take back.
    fn take_back(&mut self, _: &Choice) {}

    /// Learns the reward, in [0, 1], of a counted choice.
    fn learn(&mut self, choice: &Choice, reward: f64);
}
