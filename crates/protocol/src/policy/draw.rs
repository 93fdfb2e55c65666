//! Picking executors by chance, one after another, without replacement. Spec: CHANCE-6, CHANCE-10.

use symphony_transparency::PublicKey;

use crate::chance::Stream;
use crate::number::ratio_ppm;
use crate::policy::chance::{Drawn, Posterior, by_votes, evenly, greedy_or_any};
use crate::policy::pick::{best, count_choice, eligible};
use crate::policy::{Context, LinUcb, Pick, PickRules, Picked, PolicyKind, features};
use crate::screening::Candidate;

/// Picks up to P executors from the shortlist, one after another, by the numbers of a stream.
///
/// `newcomers_picked` counts the newcomers that this vote has picked already. Chance explores by itself: `rules.exploration`
/// has no say here.
pub fn pick_by_chance(
    policy: &LinUcb,
    shortlist: &[Candidate],
    newcomers_picked: usize,
    rules: &PickRules,
    stream: &mut Stream,
) -> Picked {
    let mut picked = Picked {
        picks: Vec::new(),
        policy: policy.clone(),
    };
    let mut remaining: Vec<usize> = (0..shortlist.len()).collect();
    let mut newcomers = newcomers_picked;
    for _ in 0..rules.executors.min(shortlist.len()) {
        let eligible = eligible(shortlist, &remaining, newcomers, rules.newcomers);
        let Some(pick) = draw(&picked.policy, shortlist, &eligible, stream) else {
            break;
        };
        remaining.retain(|position| *position != pick.position);
        newcomers += usize::from(shortlist[pick.position].newcomer);
        count_choice(&mut picked.policy, &pick);
        picked.picks.push(pick);
    }
    picked
}

fn draw(
    policy: &LinUcb,
    shortlist: &[Candidate],
    eligible: &[usize],
    stream: &mut Stream,
) -> Option<Pick> {
    let parameters = policy.parameters();
    let drawn: Drawn = match parameters.kind {
        PolicyKind::EpsilonGreedy => {
            let greedy = best(policy, shortlist, eligible)?.position;
            let index = eligible.iter().position(|position| *position == greedy)?;
            greedy_or_any(index, eligible.len(), parameters.epsilon_ppm, stream)
        }
        PolicyKind::Thompson => {
            let scale = ratio_ppm(parameters.exploration_ppm.into())
                * ratio_ppm(parameters.noise_ppm.into());
            let posterior = Posterior::new(policy.theta(), &policy.triangle(), scale);
            let candidates: Vec<(PublicKey, Context)> = eligible
                .iter()
                .map(|position| {
                    let candidate = &shortlist[*position];
                    (candidate.peer, features(parameters.kind, candidate))
                })
                .collect();
            by_votes(&posterior, &candidates, stream)?
        }
        PolicyKind::Random | PolicyKind::RandomTop | PolicyKind::Shared | PolicyKind::Paper => {
            evenly(eligible.len(), stream)?
        }
    };
    let pick = best(policy, shortlist, &eligible[drawn.index..=drawn.index])?;
    Some(Pick {
        propensity: Some(drawn.propensity),
        ..pick
    })
}
