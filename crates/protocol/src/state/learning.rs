//! The policy in force: how it is set, what it is asked, and what it learns. Spec: CAP-4, SELECT-27, SETTLE-11.

use symphony_transparency::PublicKey;

use super::{Key, Learner, OpenStep, PeerLearned, PendingSelection, State};
use crate::{
    fault::{Breach, Rule},
    policy::{Choice, Model, PolicyKind, PolicyParameters},
    records::{Entry, Learning, Outcome, OutcomeClass, Policy},
};

impl State {
    /// Nothing may be open for bids: who bid under a policy is selected by it. What is selected goes on. Spec: CAP-4.
    pub(super) fn apply_policy_set(
        &mut self,
        entry: &Entry,
        policy: &Policy,
        learning: Learning,
    ) -> Result<(), Breach> {
        if self.bidding > 0 {
            return Err(Breach::new(
                Rule::BeaconTerms,
                "a change of policy while no beacon is open for bids",
                format_args!("{} open for bids", self.bidding),
            ));
        }
        let (since, model) = match learning {
            Learning::Anew => (entry.index, Model::new(&policy.parameters)),
            Learning::Kept => self.kept(policy)?,
        };
        let learner = Learner {
            policy: policy.clone(),
            policy_bytes: policy.encode().into(),
            digest: policy.digest(),
            since,
            model,
        };
        self.learner.insert((), learner);
        self.touch(Key::Policy);
        Ok(())
    }

    fn kept(&self, policy: &Policy) -> Result<(u64, Model), Breach> {
        self.learner()
            .filter(|earlier| policy.may_follow(&earlier.policy))
            .and_then(|earlier| {
                let model = earlier.model.under(&policy.parameters).ok()?;
                Some((earlier.since, model))
            })
            .ok_or_else(|| {
                Breach::new(
                    Rule::BeaconTerms,
                    "a policy that learns as the one in force",
                    "another one that keeps what that one learned",
                )
            })
    }

    /// The policy in force with what it learned, also of each of these peers: what selects among them.
    pub fn model_for(&self, peers: impl IntoIterator<Item = PublicKey>) -> Option<Model> {
        let learner = self.learner()?;
        let mut model = learner.model.clone();
        if model.keeps_peers() {
            for peer in peers {
                if let Some(learned) = self.learned.get(&peer)
                    && learned.since == learner.since
                {
                    // Numbers that fit no such policy stand in no state (`State::check_learned`): as if there were none.
                    let _ = model.give(peer, &learned.parts);
                }
            }
        }
        Some(model)
    }

    /// The policy in force with all that it learned.
    pub fn whole_model(&self) -> Option<Model> {
        self.model_for(self.learned.keys())
    }

    /// What selects in this step: the policy that its beacon names, if its learning is in force. Otherwise the ranking does,
    /// which nobody can choose later. With what was learned of these peers.
    pub fn selector_for(
        &self,
        step: &OpenStep,
        peers: impl IntoIterator<Item = PublicKey>,
    ) -> Option<Model> {
        if self.learner()?.since == step.since {
            return self.model_for(peers);
        }
        Some(Model::new(&PolicyParameters {
            kind: PolicyKind::Screening,
            ..PolicyParameters::SHARED
        }))
    }

    /// Takes over what the selector of a step noted.
    pub(super) fn adopt(&mut self, since: u64, mut model: Model) {
        let peers = model.take_peers();
        let Some(learner) = self
            .learner
            .get_mut(&())
            .filter(|learner| learner.since == since)
        else {
            return;
        };
        learner.model = model;
        self.touch(Key::Policy);
        for (peer, parts) in peers {
            let row = PeerLearned { since, parts };
            if self.learned.rows().get(&peer) != Some(&row) {
                self.learned.insert(peer, row);
                self.touch(Key::PolicyPeer(peer));
            }
        }
    }

    /// The policy learns from one outcome of a step that it selected in. Spec: SETTLE-11, SELECT-27.
    pub(super) fn teach(
        &mut self,
        step: &OpenStep,
        selection: &PendingSelection,
        outcome: &Outcome,
    ) {
        let Some(learner) = self.learner() else {
            return;
        };
        if learner.since != step.since {
            return;
        }
        let Some(mut model) = self.model_for([selection.executor]) else {
            return;
        };
        let choice = Choice {
            peer: selection.executor,
            context: selection.features,
            number: selection.number,
        };
        if outcome.class == OutcomeClass::Void {
            model.void(&choice);
        } else {
            model.settle(&choice, outcome.reward);
        }
        self.adopt(step.since, model);
    }

    /// Whether what is kept of each peer fits the policy in force.
    pub(super) fn check_learned(&self) -> bool {
        let Some(learner) = self.learner.rows().get(&()) else {
            return true;
        };
        let mut model = learner.model.clone();
        self.learned
            .rows()
            .iter()
            .filter(|(_, learned)| learned.since == learner.since)
            .all(|(peer, learned)| {
                model.give(*peer, &learned.parts).is_ok()
                    && model.take_peers() == [(*peer, learned.parts.clone())]
            })
    }
}
