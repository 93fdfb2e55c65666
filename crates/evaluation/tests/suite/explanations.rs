//! Explanations add up, and flips flip.

use proptest::prelude::*;
use symphony_evaluation::{Feature, flips, picked, runner_up, shares};
use symphony_protocol::policy::{Choice, Model, PolicyKind, PolicyParameters};
use symphony_protocol::screening::Candidate;
use symphony_transparency::SecretKey;

fn candidate(number: u8, numbers: [f64; 5]) -> Candidate {
    Candidate {
        peer: SecretKey::from_bytes([number + 1; 32]).public(),
        bid_index: u64::from(number),
        similarity: numbers[0],
        prior: 0.4,
        load: numbers[1],
        latency: numbers[2],
        reputation: numbers[3],
        availability: numbers[4],
        newcomer: false,
        settled_at_close: 0,
        named: false,
    }
}

fn numbers() -> impl Strategy<Value = [f64; 5]> {
    proptest::array::uniform5(0.0f64..=1.0)
}

/// A policy that has seen something, and five candidates.
fn scene() -> impl Strategy<Value = (Model, Vec<Candidate>)> {
    let kinds = proptest::sample::select(vec![
        PolicyKind::Shared,
        PolicyKind::Paper,
        PolicyKind::Disjoint,
        PolicyKind::Hybrid,
    ]);
    let seen = proptest::collection::vec((0u8..5, numbers(), 0.0f64..=1.0), 0..40);
    (kinds, seen, proptest::array::uniform5(numbers())).prop_map(|(kind, seen, bidding)| {
        let mut model = Model::new(&PolicyParameters {
            kind,
            exploration_ppm: 200_000,
            ..PolicyParameters::SHARED
        });
        for (peer, numbers, reward) in seen {
            let candidate = candidate(peer, numbers);
            let context = model.context(&candidate);
            let number = model.choose(candidate.peer, context);
            let choice = Choice {
                peer: candidate.peer,
                context,
                number,
            };
            model.settle(&choice, reward);
        }
        let bidding = (0..5).zip(bidding);
        let candidates = bidding.map(|(number, numbers)| candidate(number, numbers));
        (model, candidates.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shares_add_up_to_estimate_and_width((model, candidates) in scene()) {
        for candidate in &candidates {
            let shares = shares(&model, candidate).expect("a linear model");
            let (_, bound) = model.assess(&[candidate])[0];
            let sum = |parts: [f64; 6]| parts.iter().sum::<f64>();
            prop_assert!((sum(shares.estimate) - bound.estimate).abs() < 1e-9);
            prop_assert!((sum(shares.width) - bound.width).abs() < 1e-9 * (1.0 + bound.width));
        }
    }

    #[test]
    fn a_flip_flips_and_its_neighbour_does_not((model, candidates) in scene()) {
        let eligible: Vec<&Candidate> = candidates.iter().collect();
        let chosen = picked(&model, &eligible).expect("candidates");
        let second = runner_up(&model, &eligible, chosen).expect("others");
        prop_assert!(second != chosen);
        let flips = flips(&model, &eligible);
        for pair in flips.windows(2) {
            prop_assert!(pair[0].change() <= pair[1].change());
        }
        for flip in flips {
            prop_assert!(flip.candidate == chosen || flip.candidate == second);
            prop_assert!((0.0..=1.0).contains(&flip.to));
            let with = |number: f64| {
                let mut changed = candidates.clone();
                let candidate = &mut changed[flip.candidate];
                match flip.feature {
                    Feature::Similarity => candidate.similarity = number,
                    Feature::Load => candidate.load = number,
                    Feature::Latency => candidate.latency = number,
                    Feature::Reputation => candidate.reputation = number,
                    Feature::Availability => candidate.availability = number,
                }
                let eligible: Vec<&Candidate> = changed.iter().collect();
                picked(&model, &eligible)
            };
            prop_assert_eq!(with(flip.to), Some(flip.picked));
            prop_assert!(flip.picked != chosen);
            let before = if flip.to > flip.from { flip.to.next_down() } else { flip.to.next_up() };
            prop_assert_eq!(with(before), Some(chosen));
        }
    }
}

#[test]
fn a_runner_up_that_is_better_known_wins_when_the_chosen_is_slower() {
    let mut model = Model::new(&PolicyParameters {
        exploration_ppm: 0,
        ..PolicyParameters::SHARED
    });
    let quick = candidate(0, [0.5, 0.0, 0.1, 0.5, 1.0]);
    let slow = candidate(1, [0.5, 0.0, 0.9, 0.5, 1.0]);
    for (candidate, reward) in [(&quick, 1.0), (&slow, 0.0)].repeat(50) {
        let context = model.context(candidate);
        let number = model.choose(candidate.peer, context);
        let choice = Choice {
            peer: candidate.peer,
            context,
            number,
        };
        model.settle(&choice, reward);
    }
    let middling = candidate(1, [0.5, 0.0, 0.3, 0.5, 1.0]);
    let flips = flips(&model, &[&quick, &middling]);
    let latency = flips
        .iter()
        .find(|flip| flip.candidate == 0 && flip.feature == Feature::Latency)
        .expect("latency flips it");
    assert!((latency.to - 0.3).abs() < 1e-9, "{latency:?}");
    assert_eq!(latency.picked, 1);
}
