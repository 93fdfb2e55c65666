//! What another policy would have chosen at each selection of a log, and what that would have been worth.
//!
//! The entries are replayed as they are. At each selection the target is asked with the candidates that the log's policy had,
//! in the same order of picks: "these were picked before, who is next?". So the answer to the first pick of a vote is what
//! the target would have done, and the answer to a later one is what it would have done after the log's picks. A target with
//! chance gives probabilities, and so does every count here: one without it picks somebody with probability 1.
//!
//! **Candidates.** Screening is the log's: the target sees the best L that bid, or all of them if it is `random`. Where all of
//! these are picked already, it goes on with those whom the log's policy could pick.
//!
//! Contexts are those of the log. A target that picks others would have kept other peers busy and measured others; that is
//! not followed, since nobody knows what would have come of it.
//!
//! **What the target learns.** It starts with nothing at the log's first policy entry. Under [`Learning::WhereItCoincides`] a
//! choice that it could have made itself counts as its own, and its reward is learned when the log settles it; any other
//! leaves no trace, as if it had been void. Under [`Learning::FromTheLog`] it learns from every choice of the log, as an
//! observer would. Under either, a target with the log's own policy is the log's policy, as long as the log keeps to that.

use std::collections::BTreeMap;

use symphony_protocol::{
    chance::Stream,
    policy::{
        Choice, Context, Model, NewcomerRule, PickRules, PolicyKind, PolicyParameters, features,
    },
    records::{Body, Draw, Entry, OutcomeClass, Selection, Settlement},
    screening::{Candidate, Exploration},
    state::{OpenStep, State},
};
use symphony_transparency::Digest;

use crate::{
    agreement::{Agreement, Compared},
    estimate::Estimate,
    ordered::OrderedVotes,
    target::{Distribution, Target},
    vote::{Refusal, Support, WeighedPick, WeighedVote},
};

/// What a target may learn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Learning {
    /// The choices of the log that could be its own.
    #[default]
    WhereItCoincides,
    /// All choices of the log.
    FromTheLog,
}

/// A comparison in the making.
#[derive(Clone, Debug)]
pub struct Counterfactual {
    target: Target,
    learning: Learning,
    open: BTreeMap<u64, OpenVote>,
    agreement: Agreement,
    votes: OrderedVotes,
}

/// A vote between its close and its settlement: as many as the log has open steps.
#[derive(Clone, Debug)]
struct OpenVote {
    /// Its place among the votes that were picked by chance; none before it is picked, and under a policy without chance.
    number: Option<u64>,
    /// Bids that the log's policy may pick, best first.
    logged: Vec<u64>,
    /// Bids that the target may pick, best first.
    target: Vec<u64>,
    /// As they were at the close, those whom its ranking left out: the log forgets them there.
    left_out: Vec<Candidate>,
    /// By which the target picks.
    rules: PickRules,
    support: Support,
    /// In slot order.
    picks: Vec<Made>,
}

#[derive(Clone, Debug)]
struct Made {
    bid: u64,
    /// The target's probability of this pick.
    probability: f64,
    /// The choice as the target noted it, if it counts as its own.
    counted: Option<Choice>,
    /// As the model of rewards sees it.
    context: Context,
    /// What an estimate needs; none under a policy without chance.
    weighed: Option<WeighedPick>,
}

/// The log's policy while it picks.
struct Picking {
    model: Model,
    rules: PickRules,
    stream: Stream,
}

/// A step at the moment of an entry that picks.
struct Moment<'a> {
    entry: u64,
    beacon: u64,
    step: &'a OpenStep,
    candidates: Vec<Candidate>,
}

impl Counterfactual {
    /// Before the first selection. The parameters are valid ([`PolicyParameters::validate`]).
    pub fn new(target: &PolicyParameters, learning: Learning) -> Self {
        Self {
            target: Target::new(target),
            learning,
            open: BTreeMap::new(),
            agreement: Agreement::default(),
            votes: OrderedVotes::new(),
        }
    }

    /// Takes the next entry of the log, with the state before it. Returns what its selections are compared with. If the entry turns out
    /// to be a fault, nothing that was computed says anything.
    pub fn observe(&mut self, before: &State, entry: &Entry) -> Vec<Compared> {
        match &entry.body {
            Body::Close(close) => {
                let ranking = close.ranking.iter().map(|ranked| ranked.bid).collect();
                self.open_vote(before, close.beacon, ranking);
                self.picks(before, (entry.index, close.beacon), &close.selections, None)
            }
            Body::Draw(draw) => self.draw(before, entry.index, draw),
            Body::Replacement(replacement) => {
                let selections = std::slice::from_ref(&replacement.selection);
                let seed = before.step(replacement.beacon).and_then(|step| {
                    let slot = u32::try_from(step.selections.len()).unwrap_or(u32::MAX);
                    Some((step.seed?, slot))
                });
                if let Some(vote) = self.open.get_mut(&replacement.beacon) {
                    vote.rules.exploration = Exploration::Off;
                }
                let place = (entry.index, replacement.beacon);
                self.picks(before, place, selections, seed)
            }
            Body::Settlement(settlement) => {
                self.settle(settlement);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// How the policies agree so far.
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// What the target is worth, with intervals of confidence `1 - alpha`, over the votes before the first that is still open.
    ///
    /// # Errors
    /// [`Refusal`], if the log says nothing about it.
    pub fn value(&self, alpha: f64) -> Result<Estimate, Refusal> {
        self.votes.estimate(alpha)
    }

    fn open_vote(&mut self, before: &State, beacon: u64, logged: Vec<u64>) {
        let Some(step) = before.step(beacon) else {
            return;
        };
        let kind = self.target.kind();
        let target = before.ranking(step, State::shortlist(kind, &step.beacon));
        let mut left_out = before.candidates(step);
        left_out.retain(|candidate| !logged.contains(&candidate.bid_index));
        let vote = OpenVote {
            number: None,
            logged,
            left_out,
            target: target.iter().map(|ranked| ranked.bid_index).collect(),
            rules: PickRules {
                exploration: if kind.uses_chance() {
                    Exploration::Off
                } else {
                    before.exploration(step)
                },
                ..rules(step)
            },
            support: if step.policy.parameters.kind == PolicyKind::Thompson {
                Support::AfterThesePicks
            } else {
                Support::AfterAnyPicks
            },
            picks: Vec::new(),
        };
        self.open.insert(beacon, vote);
    }

    /// Those who were called and did not open take no part.
    fn draw(&mut self, before: &State, entry: u64, draw: &Draw) -> Vec<Compared> {
        let (Some(step), Some(vote)) = (before.step(draw.beacon), self.open.get_mut(&draw.beacon))
        else {
            return Vec::new();
        };
        let missing: Vec<u64> = step
            .ranked()
            .filter(|bid| !bid.opened())
            .map(|bid| bid.entry)
            .collect();
        vote.logged.retain(|bid| !missing.contains(bid));
        vote.target.retain(|bid| !missing.contains(bid));
        self.agreement.draws += 1;
        self.agreement.draws_with_missing_openings += u64::from(!missing.is_empty());
        if !draw.selections.is_empty() {
            vote.number = Some(self.votes.begin());
        }
        let place = (entry, draw.beacon);
        self.picks(before, place, &draw.selections, Some((draw.seed, 0)))
    }

    /// Compares picks that an entry makes, one after another. `seed` is that of a step by chance, with the number of the stream.
    fn picks(
        &mut self,
        before: &State,
        (entry, beacon): (u64, u64),
        selections: &[Selection],
        seed: Option<(Digest, u32)>,
    ) -> Vec<Compared> {
        let (Some(step), Some(mut vote)) = (before.step(beacon), self.open.remove(&beacon)) else {
            return Vec::new();
        };
        let mut candidates = before.candidates(step);
        let known: Vec<u64> = candidates.iter().map(|one| one.bid_index).collect();
        candidates.extend(
            vote.left_out
                .iter()
                .filter(|one| !known.contains(&one.bid_index)),
        );
        let moment = Moment {
            entry,
            beacon,
            step,
            candidates,
        };
        let mut log = seed.and_then(|(seed, slot)| Picking::new(before, &moment, &seed, slot));
        if log.is_none() && !selections.is_empty() {
            self.votes.refuse(Refusal::NoChance);
        }
        let mut compared = Vec::new();
        let mut product = 1.0;
        for selection in selections {
            // Replay checks that the pick is in the ranking.
            let Some(one) = self.pick(&moment, &mut vote, &mut log, selection) else {
                continue;
            };
            product *= one.coincides;
            compared.push(one);
        }
        if vote.picks.len() == compared.len() && !compared.is_empty() {
            self.agreement.votes += 1;
            self.agreement.same_picks += product;
        }
        self.open.insert(beacon, vote);
        compared
    }

    fn pick(
        &mut self,
        moment: &Moment<'_>,
        vote: &mut OpenVote,
        log: &mut Option<Picking>,
        selection: &Selection,
    ) -> Option<Compared> {
        let chosen = moment.candidate(selection.bid)?;
        let picked = moment.listed(vote.picks.iter().map(|made| made.bid));
        let slot = u32::try_from(picked.len()).unwrap_or(u32::MAX);
        let target = self.shares(moment, vote, &picked, log.as_ref(), slot);
        let weighed = log.as_mut().and_then(|log| {
            let logged = log.next(moment, vote, &picked, &chosen);
            self.weigh(&logged, &target, selection.bid)
        });
        let probability = target.of_bid(selection.bid);
        let counts = probability > 0.0 || self.learning == Learning::FromTheLog;
        vote.picks.push(Made {
            bid: selection.bid,
            probability,
            counted: counts.then(|| self.target.choose(&chosen)),
            context: features(OrderedVotes::CONTEXTS, &chosen),
            weighed,
        });
        let (likeliest, likelihood) = target.likeliest()?;
        self.agreement.pick(&chosen.peer, probability, &target);
        Some(Compared {
            entry: moment.entry,
            beacon: moment.beacon,
            slot,
            logged: chosen.peer,
            coincides: probability,
            target: likeliest.peer,
            likelihood,
        })
    }

    /// What the target would do after these picks.
    fn shares(
        &self,
        moment: &Moment<'_>,
        vote: &OpenVote,
        picked: &[Candidate],
        log: Option<&Picking>,
        slot: u32,
    ) -> Distribution {
        // Samples that the log's own draw took are as good as any, and a target that is the log's policy is then exactly that.
        // Other draws are taken from a stream that no draw of the log sees.
        let own = Stream::new(&moment.step.statement, slot);
        let mut stream = match log {
            Some(log) if log.model.kind() == PolicyKind::Thompson => log.stream.clone(),
            _ => own,
        };
        let model = self.target.model();
        let shortlist = moment.listed(vote.target.iter().copied());
        let shares = Distribution::of(model, &shortlist, picked, &vote.rules, &mut stream);
        if !shares.candidates.is_empty() {
            return shares;
        }
        let shortlist = moment.listed(vote.logged.iter().copied());
        Distribution::of(model, &shortlist, picked, &vote.rules, &mut stream)
    }

    /// Lists both over everybody whom either may pick.
    fn weigh(
        &self,
        logged: &Distribution,
        target: &Distribution,
        chosen: u64,
    ) -> Option<WeighedPick> {
        let outside = target
            .candidates
            .iter()
            .zip(&target.probabilities)
            .filter(|(candidate, probability)| {
                **probability > 0.0
                    && logged
                        .candidates
                        .iter()
                        .all(|other| other.bid_index != candidate.bid_index)
            })
            .map(|(candidate, _)| candidate);
        let candidates: Vec<&Candidate> = logged.candidates.iter().chain(outside).collect();
        let of = |shares: &Distribution| -> Vec<f64> {
            candidates
                .iter()
                .map(|candidate| shares.of_bid(candidate.bid_index))
                .collect()
        };
        Some(WeighedPick {
            chosen: candidates
                .iter()
                .position(|candidate| candidate.bid_index == chosen)?,
            logged: of(logged),
            target: of(target),
            predicted: candidates
                .iter()
                .map(|candidate| {
                    self.votes
                        .predict(&features(OrderedVotes::CONTEXTS, candidate))
                })
                .collect(),
        })
    }

    fn settle(&mut self, settlement: &Settlement) {
        let Some(vote) = self.open.remove(&settlement.beacon) else {
            return;
        };
        let mut rewards = Vec::new();
        for (made, outcome) in vote.picks.iter().zip(&settlement.outcomes) {
            let reward = (outcome.class != OutcomeClass::Void).then_some(outcome.reward);
            if let Some(choice) = &made.counted {
                self.target.settle(choice, reward);
            }
            if let Some(reward) = reward {
                self.agreement.settle(made.probability, reward);
                rewards.push(reward);
            }
        }
        if let Some(number) = vote.number {
            let contexts: Vec<Context> = vote.picks.iter().map(|made| made.context).collect();
            self.votes.settle(number, vote.weighed(&rewards), &contexts);
        }
    }
}

impl OpenVote {
    /// The vote with its mean reward; nothing if it is void.
    fn weighed(self, rewards: &[f64]) -> Option<WeighedVote> {
        if rewards.is_empty() {
            return None;
        }
        let reward = rewards.iter().sum::<f64>() / rewards.len() as f64;
        Some(WeighedVote {
            executors: self.rules.executors,
            support: self.support,
            reward,
            picks: self
                .picks
                .into_iter()
                .filter_map(|made| made.weighed)
                .collect(),
        })
    }
}

impl Picking {
    /// None if what selects has no chance.
    fn new(before: &State, moment: &Moment<'_>, seed: &Digest, slot: u32) -> Option<Self> {
        let peers = moment.candidates.iter().map(|candidate| candidate.peer);
        let model = before.selector_for(moment.step, peers)?;
        model.kind().uses_chance().then(|| Self {
            model,
            rules: rules(moment.step),
            stream: Stream::new(seed, slot),
        })
    }

    /// How likely each candidate is now; then the log's choice is noted, and the stream is where the next pick reads on.
    fn next(
        &mut self,
        moment: &Moment<'_>,
        vote: &OpenVote,
        picked: &[Candidate],
        chosen: &Candidate,
    ) -> Distribution {
        let shortlist = moment.listed(vote.logged.iter().copied());
        let mut stream = self.stream.clone();
        let shares = Distribution::of(&self.model, &shortlist, picked, &self.rules, &mut stream);
        let asked: Vec<&Candidate> = shares.candidates.iter().collect();
        let assessed = self.model.assess(&asked);
        self.model
            .choose_from(&asked, &assessed, Some(&mut self.stream));
        let context = self.model.context(chosen);
        self.model.choose(chosen.peer, context);
        shares
    }
}

impl Moment<'_> {
    fn candidate(&self, bid: u64) -> Option<Candidate> {
        self.candidates
            .iter()
            .find(|candidate| candidate.bid_index == bid)
            .copied()
    }

    /// The candidates with these bids, in this order, as they are measured now.
    fn listed(&self, bids: impl Iterator<Item = u64>) -> Vec<Candidate> {
        bids.filter_map(|bid| self.candidate(bid)).collect()
    }
}

/// Of every pick under chance, and of every replacement. Spec: SELECT-20.
fn rules(step: &OpenStep) -> PickRules {
    PickRules {
        executors: step.beacon.executors as usize,
        newcomers: NewcomerRule::AtMostOne,
        exploration: Exploration::Off,
    }
}
