//! Explanations agree with what the log holds.

use symphony_node::backend::{ExplainError, explain_selection};
use symphony_protocol::{
    policy::{PolicyKind, PolicyParameters},
    records::{Body, Policy},
    replay::Replay,
};

use crate::network::{Network, honest};

#[test]
fn every_selection_is_explained_by_the_numbers_in_its_entry() {
    let log = honest().log(0);
    let mut replay = Replay::begin(&log.entries[0], None).unwrap();
    let (mut explained, mut flips) = (0, 0);
    for (entry, bytes) in log.parsed().iter().zip(&log.entries).skip(1) {
        if let Body::Close(close) = &entry.body {
            for (slot, selection) in close.selections.iter().enumerate() {
                let slot = u32::try_from(slot).unwrap();
                let explanation =
                    explain_selection(&replay, entry.index, bytes, Some(slot)).unwrap();
                let picked = explanation
                    .candidates
                    .iter()
                    .find(|candidate| candidate.picked_slot == Some(slot))
                    .unwrap();
                assert_eq!(picked.bid, selection.bid);
                assert_eq!(picked.estimate.to_bits(), selection.estimate.to_bits());
                assert_eq!(picked.width.to_bits(), selection.width.to_bits());
                assert_eq!(picked.x, selection.features);
                let rank = picked.rank.unwrap() as usize;
                assert_eq!(close.ranking[rank].bid, picked.bid);
                assert_eq!(
                    close.ranking[rank].score.to_bits(),
                    picked.composite.to_bits()
                );
                let sum = |shares: &[f64]| shares.iter().sum::<f64>();
                assert!((sum(&picked.estimate_shares) - picked.estimate).abs() < 1e-9);
                assert!((sum(&picked.width_shares) - picked.width).abs() < 1e-9);
                assert!(picked.eligible);
                let eligible = explanation.candidates.iter().filter(|one| one.eligible);
                assert_eq!(eligible.count(), 3 - slot as usize);
                // The last one of three has no other beside it.
                assert_eq!(explanation.runner_up.is_some(), slot < 2);
                assert_ne!(explanation.runner_up, Some(picked.bid));
                for flip in &explanation.flips {
                    assert_ne!(flip.picked, picked.bid);
                    assert!([Some(picked.bid), explanation.runner_up].contains(&Some(flip.bid)));
                }
                flips += explanation.flips.len();
                assert_eq!(explanation.propensity, None);
                assert_eq!(explanation.beacon, close.beacon);
                assert_eq!(explanation.slot, slot);
                explained += 1;
            }
            let beyond = u32::try_from(close.selections.len()).unwrap();
            assert!(matches!(
                explain_selection(&replay, entry.index, bytes, Some(beyond)),
                Err(ExplainError::Slot { .. })
            ));
        } else {
            assert!(matches!(
                explain_selection(&replay, entry.index, bytes, None),
                Err(ExplainError::NoSelection { .. })
            ));
        }
        replay.push(bytes).unwrap();
    }
    assert_eq!(explained, 9);
    assert!(flips > 0);
}

#[test]
fn a_draw_is_explained_among_those_who_opened_with_its_propensity() {
    let policy = Policy {
        parameters: PolicyParameters {
            kind: PolicyKind::Random,
            ..PolicyParameters::SHARED
        },
        ..Policy::shared()
    };
    let mut network = Network::under(&policy, 4, None);
    network.ask("a question");
    let log = network.log(0);
    let mut replay = Replay::begin(&log.entries[0], None).unwrap();
    let mut explained = 0;
    for (entry, bytes) in log.parsed().iter().zip(&log.entries).skip(1) {
        if let Body::Draw(draw) = &entry.body {
            for (slot, selection) in (0..).zip(&draw.selections) {
                let explanation =
                    explain_selection(&replay, entry.index, bytes, Some(slot)).unwrap();
                assert!(selection.propensity.is_some());
                assert_eq!(explanation.propensity, selection.propensity);
                assert!(explanation.flips.is_empty() && explanation.runner_up.is_none());
                let ranks = explanation
                    .candidates
                    .iter()
                    .filter(|one| one.rank.is_some());
                assert_eq!(ranks.count(), 3);
                explained += 1;
            }
        }
        replay.push(bytes).unwrap();
    }
    assert_eq!(explained, 3);
}
