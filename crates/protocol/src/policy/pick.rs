//! Picking executors one after another, without replacement.

use crate::chance::Stream;
use crate::policy::{Context, Model};
use crate::screening::{Candidate, Exploration, neglected};

/// How many newcomers one vote may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewcomerRule {
    /// One at most, while anybody else remains: an answer never rests on strangers alone if it need not.
    #[default]
    AtMostOne,
    /// Newcomers count like everybody.
    Unlimited,
}

/// What a selection is bound by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PickRules {
    /// P: how many executors, fewer only if fewer are on the shortlist.
    pub executors: usize,
    /// How many newcomers.
    pub newcomers: NewcomerRule,
    /// Who must be among them.
    pub exploration: Exploration,
}

/// One selection, with all that a reader needs to see why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pick {
    /// Position in the list of candidates that was given, from 0.
    pub position: usize,
    /// The chosen bid.
    pub bid_index: u64,
    /// The context at the time of choice: what the reward is learned for later.
    pub features: Context,
    /// Expected reward.
    pub estimate: f64,
    /// Confidence width.
    pub width: f64,
    /// `estimate + width`.
    pub score: f64,
    /// The probability of this pick, given those before it; nothing where the policy uses no chance.
    pub propensity: Option<f64>,
    /// The number of the choice, which its settlement gives back to the policy.
    pub number: u64,
}

/// Selections, and the policy as it stands after them, which the caller adopts together with them.
#[derive(Clone, Debug, PartialEq)]
pub struct Picked {
    /// The selections in order.
    pub picks: Vec<Pick>,
    /// The policy after them.
    pub policy: Model,
}

/// Picks up to P executors from the shortlist, one after another.
///
/// `policy` holds what it learned of every peer on the shortlist. `chance` is drawn from by the policies that use it, and by no
/// other; `rules.exploration` has no say then, since chance explores by itself.
///
/// Spec: SELECT-20, CHANCE-6.
pub fn pick(
    policy: Model,
    shortlist: &[Candidate],
    rules: &PickRules,
    mut chance: Option<&mut Stream>,
) -> Picked {
    let mut picked = Picked {
        picks: Vec::new(),
        policy,
    };
    let rules = PickRules {
        exploration: if chance.is_some() {
            Exploration::Off
        } else {
            rules.exploration
        },
        ..*rules
    };
    let mut taken: Vec<Candidate> = Vec::new();
    while taken.len() < rules.executors.min(shortlist.len()) {
        let eligible = eligible_for(shortlist, &taken, &rules);
        let drawn = chance.as_deref_mut();
        let Some(pick) = take(&mut picked.policy, shortlist, &eligible, drawn) else {
            break;
        };
        taken.push(shortlist[pick.position]);
        picked.picks.push(pick);
    }
    picked
}

/// Picks a replacement for an executor that timed out, among the candidates on the shortlist that were not picked yet.
///
/// `newcomers_picked` counts the newcomers that this vote has picked already, those that timed out included. At most one
/// selection is returned; none if nobody remains. `rules.executors` and `rules.exploration` have no say here.
///
/// Spec: SELECT-20.
pub fn pick_next(
    mut policy: Model,
    remaining: &[Candidate],
    newcomers_picked: usize,
    rules: &PickRules,
    chance: Option<&mut Stream>,
) -> Picked {
    let all: Vec<usize> = (0..remaining.len()).collect();
    let eligible = eligible(remaining, &all, newcomers_picked, rules.newcomers);
    let pick = take(&mut policy, remaining, &eligible, chance);
    Picked {
        picks: pick.into_iter().collect(),
        policy,
    }
}

/// Positions of those who are eligible for the next pick of a vote, in the order of the shortlist, when these were picked already. Where
/// everybody is tried in turn, the shortlist is that order.
///
/// Spec: SELECT-20, SELECT-28.
pub fn eligible_for(
    shortlist: &[Candidate],
    picked: &[Candidate],
    rules: &PickRules,
) -> Vec<usize> {
    let is_picked = |candidate: &Candidate| {
        picked
            .iter()
            .any(|one| one.bid_index == candidate.bid_index)
    };
    let remaining: Vec<usize> = (0..shortlist.len())
        .filter(|position| !is_picked(&shortlist[*position]))
        .collect();
    if matches!(rules.exploration, Exploration::InTurn(_)) {
        return remaining.into_iter().take(1).collect();
    }
    let newcomers = picked.iter().filter(|one| one.newcomer).count();
    let is_last = picked.len() + 1 == rules.executors.min(shortlist.len());
    let explored = match rules.exploration {
        Exploration::Off | Exploration::InTurn(_) => Vec::new(),
        _ if newcomers > 0 || !is_last => Vec::new(),
        Exploration::Newcomers => newcomers_of(shortlist, &remaining),
        Exploration::Everybody(closes) => explored_of(shortlist, &remaining, closes),
    };
    if explored.is_empty() {
        eligible(shortlist, &remaining, newcomers, rules.newcomers)
    } else {
        explored
    }
}

/// Whom the newcomer rule leaves: all, or only those who are none once a newcomer was picked.
fn eligible(
    candidates: &[Candidate],
    remaining: &[usize],
    newcomers_picked: usize,
    rule: NewcomerRule,
) -> Vec<usize> {
    let known = || {
        remaining
            .iter()
            .copied()
            .filter(|position| !candidates[*position].newcomer)
    };
    let closed = rule == NewcomerRule::AtMostOne && newcomers_picked > 0;
    if closed && known().next().is_some() {
        known().collect()
    } else {
        remaining.to_vec()
    }
}

fn newcomers_of(candidates: &[Candidate], remaining: &[usize]) -> Vec<usize> {
    remaining
        .iter()
        .copied()
        .filter(|position| candidates[*position].newcomer)
        .collect()
}

/// The newcomers; if there is none, who is neglected, unless that one was picked already.
fn explored_of(candidates: &[Candidate], remaining: &[usize], closes: u64) -> Vec<usize> {
    let newcomers = newcomers_of(candidates, remaining);
    if !newcomers.is_empty() {
        return newcomers;
    }
    neglected(candidates.iter(), closes)
        .filter(|position| remaining.contains(position))
        .into_iter()
        .collect()
}

/// Takes one of the eligible, and lets the policy note it.
fn take(
    policy: &mut Model,
    candidates: &[Candidate],
    eligible: &[usize],
    chance: Option<&mut Stream>,
) -> Option<Pick> {
    let asked: Vec<&Candidate> = eligible
        .iter()
        .map(|position| &candidates[*position])
        .collect();
    let assessed = policy.assess(&asked);
    let chosen = policy.choose_from(&asked, &assessed, chance)?;
    let (candidate, (context, bound)) = (asked[chosen.index], assessed[chosen.index]);
    Some(Pick {
        position: eligible[chosen.index],
        bid_index: candidate.bid_index,
        features: context,
        estimate: bound.estimate,
        width: bound.width,
        score: bound.score,
        propensity: chosen.propensity,
        number: policy.choose(candidate.peer, context),
    })
}

#[cfg(test)]
mod tests {
    use super::{NewcomerRule, PickRules, pick, pick_next};
    use crate::policy::{Choice, Model, PolicyKind, PolicyParameters};
    use crate::screening::tests::{candidate, key, newcomer};
    use crate::screening::{Candidate, Exploration};

    const RULES: PickRules = PickRules {
        executors: 3,
        newcomers: NewcomerRule::AtMostOne,
        exploration: Exploration::Off,
    };

    fn positions(policy: &Model, shortlist: &[Candidate], rules: &PickRules) -> Vec<usize> {
        pick(policy.clone(), shortlist, rules, None)
            .picks
            .iter()
            .map(|pick| pick.position)
            .collect()
    }

    #[test]
    fn select_16_equal_scores_fall_to_the_smallest_key() {
        let model = Model::new(&PolicyParameters::SHARED);
        let nine: Vec<Candidate> = (1..=9).map(|seed| candidate(seed, 0.5)).collect();
        let picked = positions(&model, &nine, &RULES);
        let smallest = (1..=9).map(key).min().expect("nine peers");
        assert_eq!(nine[picked[0]].peer, smallest);
    }

    #[test]
    fn select_20_picks_without_replacement() {
        let shortlist: Vec<Candidate> = (1..=5).map(|seed| candidate(seed, 0.5)).collect();
        for parameters in [PolicyParameters::SHARED, PolicyParameters::PAPER] {
            let model = Model::new(&parameters);
            let mut picked = positions(&model, &shortlist, &RULES);
            picked.sort_unstable();
            picked.dedup();
            assert_eq!(picked.len(), 3);
        }
    }

    #[test]
    fn select_17_shared_counts_each_pick_at_once_and_paper_does_not() {
        let shortlist: Vec<Candidate> = (1..=5).map(|seed| candidate(seed, 0.5)).collect();
        let shared = pick(
            Model::new(&PolicyParameters::SHARED),
            &shortlist,
            &RULES,
            None,
        );
        assert_eq!(shared.policy.observations(), 3);
        assert!(shared.picks[1].width != shared.picks[0].width);
        let model = Model::new(&PolicyParameters::PAPER);
        let paper = pick(model.clone(), &shortlist, &RULES, None);
        assert_eq!(paper.policy.learned(), model.learned());
        assert_eq!(paper.picks[1].width, paper.picks[0].width);
    }

    #[test]
    fn select_20_one_newcomer_while_others_remain() {
        let model = Model::new(&PolicyParameters::SHARED);
        let shortlist = [
            newcomer(1, 1.0),
            newcomer(2, 1.0),
            newcomer(3, 1.0),
            candidate(4, 0.0),
            candidate(5, 0.0),
        ];
        let picked = positions(&model, &shortlist, &RULES);
        assert_eq!(
            picked
                .iter()
                .filter(|position| shortlist[**position].newcomer)
                .count(),
            1
        );
        let unlimited = PickRules {
            newcomers: NewcomerRule::Unlimited,
            ..RULES
        };
        let picked = positions(&model, &shortlist, &unlimited);
        assert!(
            picked
                .iter()
                .filter(|position| shortlist[**position].newcomer)
                .count()
                > 1
        );
    }

    #[test]
    fn select_20_newcomers_fill_up_when_nobody_else_remains() {
        let model = Model::new(&PolicyParameters::SHARED);
        let shortlist = [newcomer(1, 1.0), newcomer(2, 1.0), candidate(3, 0.0)];
        assert_eq!(positions(&model, &shortlist, &RULES).len(), 3);
    }

    #[test]
    fn select_20_exploration_takes_a_newcomer_last() {
        let mut model = Model::new(&PolicyParameters::SHARED);
        for (similarity, reward) in [(1.0, 1.0), (0.0, 0.0)] {
            for _ in 0..500 {
                let one = candidate(1, similarity);
                let context = model.context(&one);
                let number = model.choose(one.peer, context);
                let choice = Choice {
                    peer: one.peer,
                    context,
                    number,
                };
                model.settle(&choice, reward);
            }
        }
        let shortlist = [
            candidate(1, 1.0),
            candidate(2, 1.0),
            candidate(3, 1.0),
            newcomer(4, 0.0),
        ];
        let off = positions(&model, &shortlist, &RULES);
        assert!(!off.contains(&3));
        let explore = PickRules {
            exploration: Exploration::Newcomers,
            ..RULES
        };
        assert_eq!(positions(&model, &shortlist, &explore).last(), Some(&3));
        let everybody = PickRules {
            exploration: Exploration::Everybody(8),
            ..RULES
        };
        assert_eq!(positions(&model, &shortlist, &everybody).last(), Some(&3));
        assert_eq!(positions(&model, &shortlist[..3], &explore).len(), 3);
    }

    #[test]
    fn select_20_a_replacement_obeys_the_same_rule() {
        let model = Model::new(&PolicyParameters::SHARED);
        let remaining = [newcomer(1, 1.0), candidate(2, 0.0)];
        assert_eq!(
            pick_next(model.clone(), &remaining, 1, &RULES, None).picks[0].position,
            1
        );
        assert_eq!(
            pick_next(model.clone(), &remaining[..1], 1, &RULES, None).picks[0].position,
            0
        );
        assert!(
            pick_next(model.clone(), &[], 0, &RULES, None)
                .picks
                .is_empty()
        );
        assert_eq!(
            pick_next(model.clone(), &remaining, 0, &RULES, None)
                .policy
                .observations(),
            1
        );
    }

    #[test]
    fn select_20_nobody_and_nothing_are_no_selection() {
        let model = Model::new(&PolicyParameters::SHARED);
        assert!(pick(model.clone(), &[], &RULES, None).picks.is_empty());
        let none = PickRules {
            executors: 0,
            ..RULES
        };
        assert!(
            pick(model.clone(), &[candidate(1, 0.5)], &none, None)
                .picks
                .is_empty()
        );
    }

    #[test]
    fn select_25_who_learns_nothing_goes_by_measures_or_by_name() {
        let shortlist = [
            Candidate {
                prior: 0.5,
                ..candidate(1, 0.9)
            },
            Candidate {
                prior: 0.8,
                ..candidate(2, 0.5)
            },
            Candidate {
                named: true,
                ..candidate(3, 0.1)
            },
        ];
        for (kind, order) in [
            (PolicyKind::Strongest, [1, 0, 2]),
            (PolicyKind::Screening, [0, 1, 2]),
            (PolicyKind::Static, [2, 0, 1]),
        ] {
            let model = Model::new(&PolicyParameters {
                kind,
                ..PolicyParameters::SHARED
            });
            assert_eq!(
                positions(&model, &shortlist, &RULES),
                order,
                "{}",
                kind.name()
            );
        }
    }
}
