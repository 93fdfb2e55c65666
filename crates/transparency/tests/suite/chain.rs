//! Chapter 04: the chain of entries.

use symphony_transparency::{
    ChainEnd, ChainError, Digest, ENTRY_SIZE_MAX, Link, entry_digest, log_id,
};

use crate::some_digest;

const END: ChainEnd = ChainEnd {
    size: 3,
    last: Digest::from_bytes([9; 32]),
    time_ms: 100,
};

fn link(index: u64) -> Link {
    Link {
        index,
        previous: END.last,
        time_ms: END.time_ms,
    }
}

#[test]
fn log_1_a_log_begins_at_index_zero_after_nothing() {
    let first = Link {
        index: 0,
        previous: Digest::ZERO,
        time_ms: 7,
    };
    let expected = ChainEnd {
        size: 1,
        last: entry_digest(b"entry 0"),
        time_ms: 7,
    };
    assert_eq!(ChainEnd::EMPTY.follow(&first, b"entry 0"), Ok(expected));
}

#[test]
fn log_1_rejects_a_gap_and_a_repeat() {
    for actual in [0, 2, 4, u64::MAX] {
        assert_eq!(
            END.follow(&link(actual), b"entry"),
            Err(ChainError::Index {
                expected: 3,
                actual
            })
        );
    }
}

#[test]
fn log_1_the_last_possible_index_is_refused_without_a_panic() {
    let end = ChainEnd {
        size: u64::MAX,
        ..END
    };
    assert!(matches!(
        end.follow(&link(u64::MAX), b"entry"),
        Err(ChainError::Index { .. })
    ));
}

#[test]
fn log_2_rejects_another_past() {
    let other = Link {
        previous: some_digest(1),
        ..link(3)
    };
    let expected = ChainError::Previous {
        index: 3,
        expected: END.last,
        actual: some_digest(1),
    };
    assert_eq!(END.follow(&other, b"entry"), Err(expected));
}

#[test]
fn log_3_time_stands_still_but_never_goes_back() {
    assert!(END.follow(&link(3), b"entry").is_ok());
    let earlier = Link {
        time_ms: 99,
        ..link(3)
    };
    assert_eq!(
        END.follow(&earlier, b"entry"),
        Err(ChainError::Time {
            index: 3,
            expected: 100,
            actual: 99
        })
    );
}

#[test]
fn log_4_the_log_id_is_no_entry_digest() {
    assert_ne!(log_id(b"entry 0"), entry_digest(b"entry 0"));
}

#[test]
fn log_5_the_largest_entry_is_taken_and_a_larger_one_is_not() {
    assert!(END.follow(&link(3), &vec![0; ENTRY_SIZE_MAX]).is_ok());
    let expected = ChainError::TooLarge {
        index: 3,
        limit: ENTRY_SIZE_MAX,
        actual: ENTRY_SIZE_MAX + 1,
    };
    assert_eq!(
        END.follow(&link(3), &vec![0; ENTRY_SIZE_MAX + 1]),
        Err(expected)
    );
}
