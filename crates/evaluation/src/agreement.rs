//! How often two policies pick alike over a log.

use std::collections::BTreeMap;

use symphony_transparency::PublicKey;

use crate::target::Distribution;

/// One selection of the log, and what the target would have done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// Index of the entry that selects.
    pub entry: u64,
    /// Index of the beacon's entry.
    pub beacon: u64,
    /// Number of the selection in its vote, from 0.
    pub slot: u32,
    /// Who was picked.
    pub logged: PublicKey,
    /// The target's probability of picking the same; 0 or 1 without chance.
    pub coincides: f64,
    /// Whom the target would have picked: the most likely one.
    pub target: PublicKey,
    /// The target's probability of picking that one; 1 without chance.
    pub likelihood: f64,
}

/// How often two policies pick a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Picks {
    /// Picks of the log's policy.
    pub logged: u64,
    /// Picks of the target: a sum of probabilities.
    pub target: f64,
}

/// How two policies agree over a log. What counts the target's picks is a sum of probabilities: a whole number without chance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agreement {
    /// Selections that were compared.
    pub selections: u64,
    /// Those at which the target would have picked the same peer, after the same picks.
    pub coincide: f64,
    /// Votes that were compared.
    pub votes: u64,
    /// Those at which the target by itself would have made the same picks in the same order, replacements left out.
    pub same_picks: f64,
    /// Sum of the settled rewards of selections that coincide, each times the probability with which it does.
    pub coincide_reward: f64,
    /// How many of these are settled.
    pub coincide_settled: f64,
    /// Sum of all settled rewards.
    pub reward: f64,
    /// How many there are. Void settlements have no reward, and do not count.
    pub settled: u64,
    /// Draws of policies with chance.
    pub draws: u64,
    /// Those at which somebody's opening was missing: the log's author may have chosen the draw by it (spec/18).
    pub draws_with_missing_openings: u64,
    /// Picks of each peer.
    pub peers: BTreeMap<PublicKey, Picks>,
}

impl Agreement {
    pub(crate) fn pick(&mut self, logged: &PublicKey, coincides: f64, target: &Distribution) {
        self.selections += 1;
        self.coincide += coincides;
        self.peers.entry(*logged).or_default().logged += 1;
        for (candidate, probability) in target.candidates.iter().zip(&target.probabilities) {
            if *probability > 0.0 {
                self.peers.entry(candidate.peer).or_default().target += probability;
            }
        }
    }

    pub(crate) fn settle(&mut self, coincides: f64, reward: f64) {
        self.settled += 1;
        self.reward += reward;
        self.coincide_settled += coincides;
        self.coincide_reward += coincides * reward;
    }
}
