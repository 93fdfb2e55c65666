//! Explanations agree with what the log holds.

use symphony_node::backend::{ExplainError, explain_selection};
use symphony_protocol::{records::Body, replay::Replay};

use crate::network::honest;

#[test]
fn every_selection_is_explained_by_the_numbers_in_its_entry() {
    let log = honest().log(0);
    let mut replay = Replay::begin(&log.entries[0], None).unwrap();
    let mut explained = 0;
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
}
