//! Who does what, before and after learning: the settled selections of a log, by kind of step and peer.
//!
//! A report for people, from the same replay that judges the log; no rule rests on it.

use std::collections::BTreeMap;

use symphony_transparency::PublicKey;

use crate::{
    records::{Body, Entry, OutcomeClass},
    state::State,
};

/// Collects the settled selections of a log, one entry after another.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    /// Executor, and whether it won, of each settled selection, in order, by the tags of its step.
    kinds: BTreeMap<Vec<String>, Vec<(PublicKey, bool)>>,
}

/// What became of one kind of step.
#[derive(Clone, Debug, PartialEq)]
pub struct KindOfStep {
    /// Required skills: steps with the same are one kind.
    pub tags: Vec<String>,
    /// Settled selections.
    pub selections: u64,
    /// How much the first half of them went to few peers: the sum of squared shares, from one over the number of peers (all
    /// alike) to 1 (one peer has all); 0 without selections.
    pub concentration_before: f64,
    /// The same of the last half.
    pub concentration_after: f64,
    /// Every peer that was selected, the one that was selected most in the last half first.
    pub peers: Vec<PeerRole>,
}

/// A peer's part in one kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerRole {
    /// Its log key.
    pub peer: PublicKey,
    /// In the first half of the selections.
    pub before: Part,
    /// In the last half.
    pub after: Part,
}

/// Settled selections of one peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// How many.
    pub selections: u64,
    /// How many of them won.
    pub won: u64,
}

impl Roles {
    /// Takes the next entry of the log, with the state before it. Void settlements count for nobody.
    pub fn observe(&mut self, before: &State, entry: &Entry) {
        let Body::Settlement(settlement) = &entry.body else {
            return;
        };
        let Some(step) = before.step(settlement.beacon) else {
            return;
        };
        for (selection, outcome) in step.selections.iter().zip(&settlement.outcomes) {
            if outcome.class != OutcomeClass::Void {
                self.count(
                    &step.beacon.tags,
                    selection.executor,
                    outcome.class == OutcomeClass::Won,
                );
            }
        }
    }

    fn count(&mut self, tags: &[String], peer: PublicKey, won: bool) {
        match self.kinds.get_mut(tags) {
            Some(settled) => settled.push((peer, won)),
            None => {
                self.kinds.insert(tags.to_vec(), vec![(peer, won)]);
            }
        }
    }

    /// Every kind of step, in the order of its tags.
    pub fn report(&self) -> Vec<KindOfStep> {
        self.kinds
            .iter()
            .map(|(tags, settled)| kind_of_step(tags, settled))
            .collect()
    }
}

fn kind_of_step(tags: &[String], settled: &[(PublicKey, bool)]) -> KindOfStep {
    let (first, last) = settled.split_at(settled.len() / 2);
    let mut peers: BTreeMap<PublicKey, PeerRole> = BTreeMap::new();
    for (half, is_last) in [(first, false), (last, true)] {
        for (peer, won) in half {
            let role = peers.entry(*peer).or_insert(PeerRole {
                peer: *peer,
                before: Part::default(),
                after: Part::default(),
            });
            let part = if is_last {
                &mut role.after
            } else {
                &mut role.before
            };
            part.selections += 1;
            part.won += u64::from(*won);
        }
    }
    let mut peers: Vec<PeerRole> = peers.into_values().collect();
    // Stable: peers that were selected equally often stay in the order of their keys.
    peers.sort_by_key(|role| std::cmp::Reverse(role.after.selections));
    KindOfStep {
        tags: tags.to_vec(),
        selections: settled.len() as u64,
        concentration_before: concentration(&peers, |role| role.before),
        concentration_after: concentration(&peers, |role| role.after),
        peers,
    }
}

fn concentration(peers: &[PeerRole], part: impl Fn(&PeerRole) -> Part) -> f64 {
    let total: u64 = peers.iter().map(|role| part(role).selections).sum();
    if total == 0 {
        return 0.0;
    }
    let mut sum = 0.0;
    for role in peers {
        let share = part(role).selections as f64 / total as f64;
        sum += share * share;
    }
    sum
}

#[cfg(test)]
mod tests {
    use symphony_transparency::SecretKey;

    use super::*;

    fn key(seed: u8) -> PublicKey {
        SecretKey::from_bytes([seed; 32]).public()
    }

    #[test]
    fn roles_tell_the_first_half_from_the_last() {
        let mut roles = Roles::default();
        let tags = ["boolean".to_owned()];
        for (peer, won) in [(1, false), (2, true), (2, true), (2, true)] {
            roles.count(&tags, key(peer), won);
        }
        roles.count(&[], key(1), true);
        let report = roles.report();
        assert_eq!(report.len(), 2);
        let other = &report[0];
        assert_eq!((other.tags.len(), other.selections), (0, 1));
        assert_eq!(
            (other.concentration_before, other.concentration_after),
            (0.0, 1.0)
        );
        let boolean = &report[1];
        assert_eq!(boolean.selections, 4);
        assert_eq!(
            (boolean.concentration_before, boolean.concentration_after),
            (0.5, 1.0)
        );
        let part = |selections, won| Part { selections, won };
        let expected = [
            PeerRole {
                peer: key(2),
                before: part(1, 1),
                after: part(2, 2),
            },
            PeerRole {
                peer: key(1),
                before: part(1, 0),
                after: part(0, 0),
            },
        ];
        assert_eq!(boolean.peers, expected);
    }
}
