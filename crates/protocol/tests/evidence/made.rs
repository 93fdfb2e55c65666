//! Evidence is bytes from strangers: no change of them panics, or convicts somebody else.

use proptest::prelude::*;
use symphony_protocol::{
    evidence::{EVIDENCE_SIZE_MAX, Evidence, EvidenceError},
    records::Body,
};
use symphony_transparency::{CanonicalError, PublicKey};

use crate::kit::World;

/// Evidence of a wrong reward, and the coordinator that wrote it.
fn wrong_reward() -> (Evidence, PublicKey) {
    let mut world = World::standard();
    world.whole_task();
    world.until_voted();
    let Body::Settlement(mut settlement) = world.coordinator.decision() else {
        panic!("a settlement");
    };
    settlement.outcomes[0].reward = 0.25;
    let entry = world
        .coordinator
        .entry(Body::Settlement(settlement))
        .encode();
    let fault = world.coordinator.push_bytes(entry.clone()).unwrap_err();
    let entries = [world.coordinator.entries.as_slice(), &[entry]].concat();
    let evidence = world.coordinator.prove(&entries, &fault);
    (evidence, world.coordinator.key())
}

#[test]
fn evidence_3_a_conviction_says_what_was_done_in_plain_words() {
    let (evidence, liar) = wrong_reward();
    let conviction = evidence.verify().unwrap();
    assert_eq!(conviction.kind, "window");
    for part in [
        liar.to_string().as_str(),
        "another outcome or reward",
        "REPLAY-40",
        "reward: 0.25",
        "computing the entries again",
    ] {
        assert!(
            conviction.explanation.contains(part),
            "{part:?} in {}",
            conviction.explanation
        );
    }
}

#[test]
fn evidence_2_size_comes_before_anything_else() {
    let refused = Evidence::parse(&vec![0; EVIDENCE_SIZE_MAX + 1]).unwrap_err();
    assert!(refused.is_unreadable());
    assert!(matches!(
        refused,
        EvidenceError::Unreadable(CanonicalError::TooLarge { .. })
    ));
}

#[test]
fn evidence_1_what_is_not_canonical_or_empty_is_unreadable() {
    let (evidence, _) = wrong_reward();
    let bytes = evidence.bytes();
    assert_eq!(Evidence::parse(bytes).unwrap(), evidence);
    assert_eq!(Evidence::parse(&[]).unwrap_err(), EvidenceError::NoProof);
    assert!(
        Evidence::parse(&[bytes, &[0]].concat())
            .unwrap_err()
            .is_unreadable()
    );
    for length in 0..bytes.len() {
        if let Ok(evidence) = Evidence::parse(&bytes[..length]) {
            assert!(evidence.verify().is_err(), "cut after {length} bytes");
        }
    }
}

#[test]
fn evidence_3_no_flipped_bit_convicts_anybody_else() {
    let (evidence, liar) = wrong_reward();
    for index in 0..evidence.bytes().len() {
        for bit in [0, 3, 7] {
            let mut bytes = evidence.bytes().to_vec();
            bytes[index] ^= 1 << bit;
            if let Ok(conviction) = Evidence::parse(&bytes).and_then(|changed| changed.verify()) {
                assert_eq!(conviction.fault.peer, liar, "byte {index}, bit {bit}");
            }
        }
    }
}

proptest! {
    #[test]
    fn evidence_1_no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        if let Ok(evidence) = Evidence::parse(&bytes) {
            prop_assert!(evidence.verify().is_err());
        }
    }

    #[test]
    fn evidence_3_no_changes_convict_anybody_else(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (evidence, liar) = wrong_reward();
        let mut bytes = evidence.bytes().to_vec();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Ok(conviction) = Evidence::parse(&bytes).and_then(|changed| changed.verify()) {
            prop_assert_eq!(conviction.fault.peer, liar);
        }
    }
}
