//! Picking executors one after another, without replacement.

use symphony_transparency::PublicKey;

use crate::policy::{Choice, Context, LinUcb, PolicyKind, features};
use crate::screening::{Candidate, Exploration};

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
    /// Whether a newcomer must be among them.
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
    /// The probability of this pick.
    pub propensity: Option<f64>,
}

/// Selections, and the policy as it stands after them. Under [`PolicyKind::Shared`] the caller adopts that policy together
/// with the selections; under [`PolicyKind::Paper`] it is unchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct Picked {
    /// The selections in order.
    pub picks: Vec<Pick>,
    /// The policy after them.
    pub policy: LinUcb,
}

/// The best of the given peers: position, and what the model says of it. Highest score; equal scores by raw key bytes, then
/// by position. `None` for an empty list.
///
/// Spec: SELECT-16.
pub fn select(policy: &LinUcb, contexts: &[(PublicKey, Context)]) -> Option<(usize, Choice)> {
    let xs: Vec<Context> = contexts.iter().map(|(_, x)| *x).collect();
    policy
        .assess(&xs)
        .into_iter()
        .enumerate()
        .max_by(|(left, a), (right, b)| {
            a.score
                .total_cmp(&b.score)
                .then_with(|| contexts[*right].0.cmp(&contexts[*left].0))
                .then_with(|| right.cmp(left))
        })
}

/// Picks up to P executors from the shortlist, one after another.
///
/// Spec: SELECT-20.
pub fn pick(policy: &LinUcb, shortlist: &[Candidate], rules: &PickRules) -> Picked {
    let mut picked = Picked {
        picks: Vec::new(),
        policy: policy.clone(),
    };
    let mut remaining: Vec<usize> = (0..shortlist.len()).collect();
    let mut newcomers_picked = 0;
    let last = rules.executors.min(shortlist.len());
    for place in 1..=last {
        let must_explore =
            rules.exploration == Exploration::On && newcomers_picked == 0 && place == last;
        let eligible = if must_explore {
            newcomers_or_all(shortlist, &remaining)
        } else {
            eligible(shortlist, &remaining, newcomers_picked, rules.newcomers)
        };
        let Some(pick) = best(&picked.policy, shortlist, &eligible) else {
            break;
        };
        remaining.retain(|position| *position != pick.position);
        newcomers_picked += usize::from(shortlist[pick.position].newcomer);
        count_choice(&mut picked.policy, &pick);
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
    policy: &LinUcb,
    remaining: &[Candidate],
    newcomers_picked: usize,
    rules: &PickRules,
) -> Picked {
    let all: Vec<usize> = (0..remaining.len()).collect();
    let eligible = eligible(remaining, &all, newcomers_picked, rules.newcomers);
    let mut policy = policy.clone();
    let pick = best(&policy, remaining, &eligible);
    if let Some(pick) = &pick {
        count_choice(&mut policy, pick);
    }
    Picked {
        picks: pick.into_iter().collect(),
        policy,
    }
}

pub(super) fn count_choice(policy: &mut LinUcb, pick: &Pick) {
    match policy.kind() {
        PolicyKind::Paper => {}
        _ => policy.observe_choice(&pick.features),
    }
}

/// Whom the newcomer rule leaves: all, or only those who are none once a newcomer was picked.
pub(super) fn eligible(
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

/// The newcomers, or all if there is none.
fn newcomers_or_all(candidates: &[Candidate], remaining: &[usize]) -> Vec<usize> {
    let newcomers: Vec<usize> = remaining
        .iter()
        .copied()
        .filter(|position| candidates[*position].newcomer)
        .collect();
    if newcomers.is_empty() {
        remaining.to_vec()
    } else {
        newcomers
    }
}

pub(super) fn best(policy: &LinUcb, candidates: &[Candidate], eligible: &[usize]) -> Option<Pick> {
    let contexts: Vec<(PublicKey, Context)> = eligible
        .iter()
        .map(|position| {
            let candidate = &candidates[*position];
            (candidate.peer, features(policy.kind(), candidate))
        })
        .collect();
    let (index, choice) = select(policy, &contexts)?;
    let position = eligible[index];
    Some(Pick {
        position,
        bid_index: candidates[position].bid_index,
        features: contexts[index].1,
        estimate: choice.estimate,
        width: choice.width,
        score: choice.score,
        propensity: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{NewcomerRule, PickRules, pick, pick_next, select};
    use crate::policy::{LinUcb, PolicyParameters, features};
    use crate::screening::tests::{candidate, key, newcomer};
    use crate::screening::{Candidate, Exploration};

    const RULES: PickRules = PickRules {
        executors: 3,
        newcomers: NewcomerRule::AtMostOne,
        exploration: Exploration::Off,
    };

    fn positions(policy: &LinUcb, shortlist: &[Candidate], rules: &PickRules) -> Vec<usize> {
        pick(policy, shortlist, rules)
            .picks
            .iter()
            .map(|pick| pick.position)
            .collect()
    }

    #[test]
    fn select_16_equal_scores_fall_to_the_smallest_key() {
        let model = LinUcb::new(&PolicyParameters::SHARED);
        let x = features(model.kind(), &candidate(1, 0.5));
        let contexts: Vec<_> = (1..=9).map(|seed| (key(seed), x)).collect();
        let (position, _) = select(&model, &contexts).expect("nine peers");
        let smallest = (1..=9).map(key).min().expect("nine peers");
        assert_eq!(contexts[position].0, smallest);
        assert_eq!(select(&model, &[]), None);
    }

    #[test]
    fn select_20_picks_without_replacement() {
        let shortlist: Vec<Candidate> = (1..=5).map(|seed| candidate(seed, 0.5)).collect();
        for parameters in [PolicyParameters::SHARED, PolicyParameters::PAPER] {
            let model = LinUcb::new(&parameters);
            let mut picked = positions(&model, &shortlist, &RULES);
            picked.sort_unstable();
            picked.dedup();
            assert_eq!(picked.len(), 3);
        }
    }

    #[test]
    fn select_17_shared_counts_each_pick_at_once_and_paper_does_not() {
        let shortlist: Vec<Candidate> = (1..=5).map(|seed| candidate(seed, 0.5)).collect();
        let shared = pick(&LinUcb::new(&PolicyParameters::SHARED), &shortlist, &RULES);
        assert_eq!(shared.policy.observations(), 3);
        assert!(shared.picks[1].width != shared.picks[0].width);
        let model = LinUcb::new(&PolicyParameters::PAPER);
        let paper = pick(&model, &shortlist, &RULES);
        assert_eq!(paper.policy, model);
        assert_eq!(paper.picks[1].width, paper.picks[0].width);
    }

    #[test]
    fn select_20_one_newcomer_while_others_remain() {
        let model = LinUcb::new(&PolicyParameters::SHARED);
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
        let model = LinUcb::new(&PolicyParameters::SHARED);
        let shortlist = [newcomer(1, 1.0), newcomer(2, 1.0), candidate(3, 0.0)];
        assert_eq!(positions(&model, &shortlist, &RULES).len(), 3);
    }

    #[test]
    fn select_20_exploration_takes_a_newcomer_last() {
        let mut model = LinUcb::new(&PolicyParameters::SHARED);
        let good = features(model.kind(), &candidate(1, 1.0));
        for _ in 0..500 {
            model.observe(&good, 1.0);
        }
        let bad = features(model.kind(), &candidate(1, 0.0));
        for _ in 0..500 {
            model.observe(&bad, 0.0);
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
            exploration: Exploration::On,
            ..RULES
        };
        assert_eq!(positions(&model, &shortlist, &explore).last(), Some(&3));
        assert_eq!(positions(&model, &shortlist[..3], &explore).len(), 3);
    }

    #[test]
    fn select_20_a_replacement_obeys_the_same_rule() {
        let model = LinUcb::new(&PolicyParameters::SHARED);
        let remaining = [newcomer(1, 1.0), candidate(2, 0.0)];
        assert_eq!(
            pick_next(&model, &remaining, 1, &RULES).picks[0].position,
            1
        );
        assert_eq!(
            pick_next(&model, &remaining[..1], 1, &RULES).picks[0].position,
            0
        );
        assert!(pick_next(&model, &[], 0, &RULES).picks.is_empty());
        assert_eq!(
            pick_next(&model, &remaining, 0, &RULES)
                .policy
                .observations(),
            1
        );
    }

    #[test]
    fn select_20_nobody_and_nothing_are_no_selection() {
        let model = LinUcb::new(&PolicyParameters::SHARED);
        assert!(pick(&model, &[], &RULES).picks.is_empty());
        let none = PickRules {
            executors: 0,
            ..RULES
        };
        assert!(pick(&model, &[candidate(1, 0.5)], &none).picks.is_empty());
    }
}
