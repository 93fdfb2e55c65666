//! A policy with what it learned, of whatever kind it is.

use symphony_transparency::PublicKey;

use super::{
    Bound, Choice, Context, Disjoint, Hybrid, HybridPeer, LinearError, Measured, Parts, PolicyKind,
    PolicyParameters, Ridge, Rule, Shared, features,
};
use crate::screening::Candidate;

/// A policy and what it learned: the shared part, and the parts of those peers that are at hand. A peer that is not has the
/// part that has seen nothing, so whoever asks must first give what there is of the peers that are asked about.
///
/// Spec: SELECT-12.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    parameters: PolicyParameters,
    choices: u64,
    settled: u64,
    learned: Learned,
}

/// What a policy learned.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a log has one model, and it is read at every selection"
)]
pub enum Learned {
    /// One model.
    Shared(Shared),
    /// A model for each peer.
    Disjoint(Disjoint),
    /// Both.
    Hybrid(Hybrid),
    /// Nothing.
    Nothing(Measured),
}

impl Learned {
    /// What a policy with these parameters has learned before anything happened.
    pub fn new(parameters: &PolicyParameters) -> Self {
        match parameters.kind {
            PolicyKind::Shared
            | PolicyKind::Paper
            | PolicyKind::Random
            | PolicyKind::RandomTop
            | PolicyKind::EpsilonGreedy
            | PolicyKind::Thompson => Self::Shared(Shared::new(parameters)),
            PolicyKind::Disjoint => Self::Disjoint(Disjoint::new(parameters)),
            PolicyKind::Hybrid => Self::Hybrid(Hybrid::new(parameters)),
            PolicyKind::Strongest | PolicyKind::Screening | PolicyKind::Static => {
                Self::Nothing(Measured)
            }
        }
    }

    fn rule(&self) -> &dyn Rule {
        match self {
            Self::Shared(rule) => rule,
            Self::Disjoint(rule) => rule,
            Self::Hybrid(rule) => rule,
            Self::Nothing(rule) => rule,
        }
    }

    fn rule_mut(&mut self) -> &mut dyn Rule {
        match self {
            Self::Shared(rule) => rule,
            Self::Disjoint(rule) => rule,
            Self::Hybrid(rule) => rule,
            Self::Nothing(rule) => rule,
        }
    }
}

impl Model {
    /// The policy that has seen nothing. The parameters are valid ([`PolicyParameters::validate`]).
    pub fn new(parameters: &PolicyParameters) -> Self {
        Self {
            parameters: *parameters,
            choices: 0,
            settled: 0,
            learned: Learned::new(parameters),
        }
    }

    /// Puts a policy together: its counts ([`Model::choices`], [`Model::settled`]) and its shared part
    /// ([`Model::shared_parts`]). Peers' parts are given later.
    ///
    /// # Errors
    /// [`LinearError`], if these are no numbers of such a policy.
    pub fn from_parts(
        parameters: &PolicyParameters,
        choices: u64,
        settled: u64,
        shared: Option<&Parts>,
    ) -> Result<Self, LinearError> {
        let mut model = Self {
            choices,
            settled,
            ..Self::new(parameters)
        };
        let missing = LinearError::Length {
            part: "shared part",
            expected: usize::from(shared.is_none()),
            actual: usize::from(shared.is_some()),
        };
        match (&mut model.learned, shared) {
            (Learned::Shared(rule), Some(parts)) => {
                rule.ridge = Ridge::from_parts(parameters, parts)?;
            }
            (Learned::Hybrid(rule), Some(parts)) => *rule = Hybrid::from_parts(parameters, parts)?,
            (Learned::Disjoint(_) | Learned::Nothing(_), None) => {}
            _ => return Err(missing),
        }
        Ok(model)
    }

    /// What it learned, under other parameters that may follow these ([`PolicyParameters::may_follow`]).
    ///
    /// # Errors
    /// [`LinearError`], if the other policy learns otherwise.
    pub fn under(&self, parameters: &PolicyParameters) -> Result<Self, LinearError> {
        let shared = self.shared_parts();
        Self::from_parts(parameters, self.choices, self.settled, shared.as_ref())
    }

    /// The parameters.
    pub fn parameters(&self) -> &PolicyParameters {
        &self.parameters
    }

    /// Which policy it is.
    pub fn kind(&self) -> PolicyKind {
        self.parameters.kind
    }

    /// How many choices were counted ever: the clock by which the policy ages.
    pub fn choices(&self) -> u64 {
        self.choices
    }

    /// How many rewards it was given.
    pub fn settled(&self) -> u64 {
        self.settled
    }

    /// What it learned.
    pub fn learned(&self) -> &Learned {
        &self.learned
    }

    /// Whether it learns no more. Spec: SELECT-26.
    pub fn is_frozen(&self) -> bool {
        self.parameters
            .frozen_after
            .is_some_and(|settlements| self.settled >= settlements)
    }

    /// How many choices its shared part counts; 0 if it has none.
    pub fn observations(&self) -> u64 {
        match &self.learned {
            Learned::Shared(shared) => shared.ridge.observations(),
            Learned::Hybrid(hybrid) => hybrid.observations(),
            Learned::Disjoint(_) | Learned::Nothing(_) => 0,
        }
    }

    /// The shared weights, as they stand now; none without a shared part.
    pub fn theta(&self) -> Vec<f64> {
        match &self.learned {
            Learned::Shared(shared) => shared.ridge.theta(self.choices).to_vec(),
            Learned::Hybrid(hybrid) => hybrid.theta().to_vec(),
            Learned::Disjoint(_) | Learned::Nothing(_) => Vec::new(),
        }
    }

    /// b of the shared part; none without one.
    pub fn b(&self) -> Vec<f64> {
        match &self.learned {
            Learned::Shared(shared) => shared.ridge.b().to_vec(),
            Learned::Hybrid(hybrid) => hybrid.b().to_vec(),
            Learned::Disjoint(_) | Learned::Nothing(_) => Vec::new(),
        }
    }

    /// The upper triangle of the shared part's matrix: A⁻¹, or V under a discount, or A₀ of `hybrid`; none without one.
    pub fn triangle(&self) -> Vec<f64> {
        match &self.learned {
            Learned::Shared(shared) => shared.ridge.triangle(),
            Learned::Hybrid(hybrid) => hybrid.triangle(),
            Learned::Disjoint(_) | Learned::Nothing(_) => Vec::new(),
        }
    }

    /// What every width is multiplied with now; 0 where that depends on the peer, or there is no width.
    pub fn width_scale(&self) -> f64 {
        match &self.learned {
            Learned::Shared(shared) => shared.ridge.width_scale(self.choices),
            Learned::Hybrid(hybrid) => hybrid.width_scale(),
            Learned::Disjoint(_) | Learned::Nothing(_) => 0.0,
        }
    }

    /// Whether it learns of each peer by itself.
    pub fn keeps_peers(&self) -> bool {
        matches!(self.learned, Learned::Disjoint(_) | Learned::Hybrid(_))
    }

    /// Gives what is known of a peer, as [`Model::take_peers`] took it. Nothing, if this kind of policy keeps no such part.
    ///
    /// # Errors
    /// [`LinearError`], if these are no numbers of such a part.
    pub fn give(&mut self, peer: PublicKey, parts: &Parts) -> Result<(), LinearError> {
        match &mut self.learned {
            Learned::Disjoint(disjoint) => {
                let ridge = Ridge::from_parts(&self.parameters, parts)?;
                disjoint.peers.insert(peer, ridge);
            }
            Learned::Hybrid(hybrid) => {
                hybrid.peers.insert(peer, HybridPeer::from_parts(parts)?);
            }
            Learned::Shared(_) | Learned::Nothing(_) => {}
        }
        Ok(())
    }

    /// Takes the parts of all peers at hand, by key.
    pub fn take_peers(&mut self) -> Vec<(PublicKey, Parts)> {
        match &mut self.learned {
            Learned::Disjoint(disjoint) => std::mem::take(&mut disjoint.peers)
                .into_iter()
                .map(|(peer, ridge)| (peer, ridge.parts()))
                .collect(),
            Learned::Hybrid(hybrid) => std::mem::take(&mut hybrid.peers)
                .into_iter()
                .map(|(peer, part)| (peer, part.parts()))
                .collect(),
            Learned::Shared(_) | Learned::Nothing(_) => Vec::new(),
        }
    }

    /// What it learned of each peer at hand, by key: choices counted, and θ. For people to read.
    pub fn peer_weights(&self) -> Vec<(PublicKey, u64, Vec<f64>)> {
        match &self.learned {
            Learned::Disjoint(disjoint) => disjoint
                .peers
                .iter()
                .map(|(peer, ridge)| {
                    let theta = ridge.theta(self.choices).to_vec();
                    (*peer, ridge.observations(), theta)
                })
                .collect(),
            Learned::Hybrid(hybrid) => {
                let beta = hybrid.theta();
                hybrid
                    .peers
                    .iter()
                    .map(|(peer, part)| (*peer, part.observations(), part.theta(&beta).to_vec()))
                    .collect()
            }
            Learned::Shared(_) | Learned::Nothing(_) => Vec::new(),
        }
    }

    /// How many numbers the shared part has; 0 if there is none.
    pub fn shared_numbers(&self) -> usize {
        match &self.learned {
            Learned::Shared(shared) => shared.ridge.numbers(),
            Learned::Hybrid(_) => Hybrid::NUMBERS,
            Learned::Disjoint(_) | Learned::Nothing(_) => 0,
        }
    }

    /// The numbers of the shared part, if it has one.
    pub fn shared_parts(&self) -> Option<Parts> {
        match &self.learned {
            Learned::Shared(shared) => Some(shared.ridge.parts()),
            Learned::Hybrid(hybrid) => Some(hybrid.parts()),
            Learned::Disjoint(_) | Learned::Nothing(_) => None,
        }
    }

    /// The context of a candidate under this policy. Spec: SELECT-13.
    pub fn context(&self, candidate: &Candidate) -> Context {
        features(self.parameters.kind, candidate)
    }

    /// Context and bound of each candidate, in their order. Spec: SELECT-16.
    pub fn assess(&self, candidates: &[&Candidate]) -> Vec<(Context, Bound)> {
        let contexts: Vec<Context> = candidates
            .iter()
            .map(|candidate| self.context(candidate))
            .collect();
        let bounds = self
            .learned
            .rule()
            .assess(candidates, &contexts, self.choices);
        contexts.into_iter().zip(bounds).collect()
    }

    /// Takes note of a choice when it is made, and returns its number. Spec: SELECT-17.
    pub fn choose(&mut self, peer: PublicKey, context: Context) -> u64 {
        self.choices = self.choices.saturating_add(1);
        let choice = Choice {
            peer,
            context,
            number: self.choices,
        };
        if self.parameters.kind.counts_at_selection() && !self.is_frozen() {
            self.learned.rule_mut().count(&choice);
        }
        choice.number
    }

    /// Learns the reward, in [0, 1], of a choice. Spec: SELECT-19, SETTLE-11.
    pub fn settle(&mut self, choice: &Choice, reward: f64) {
        if self.is_frozen() {
            return;
        }
        let mut choice = *choice;
        if !self.parameters.kind.counts_at_selection() {
            // Counted only now, the choice is as young as the newest.
            choice.number = self.choices;
            self.learned.rule_mut().count(&choice);
        }
        self.learned.rule_mut().learn(&choice, reward);
        self.settled = self.settled.saturating_add(1);
    }

    /// A choice is void: its reward will never be known. Spec: SELECT-18, SETTLE-11.
    pub fn void(&mut self, choice: &Choice) {
        if self.parameters.kind.counts_at_selection() && !self.is_frozen() {
            self.learned.rule_mut().take_back(choice);
        }
    }
}
