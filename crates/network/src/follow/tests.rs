use super::*;

const START: Duration = Duration::from_secs(1000);

fn log(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

fn following(logs: &[u8], peer: PeerId) -> Follow {
    let mut follow = Follow::new(FollowLimits::default());
    for byte in logs {
        follow.add(log(*byte), 0, START).unwrap();
        follow.add_source(&log(*byte), peer, START).unwrap();
    }
    follow
}

#[test]
fn net_60_a_log_is_asked_for_its_size_and_then_fetched_to_its_end() {
    let peer = PeerId::random();
    let mut follow = following(&[1], peer);
    let status = follow.next(START).unwrap();
    assert_eq!(status.question, Question::Status { log_id: log(1) });
    assert_eq!(follow.next(START), None, "one step of a log at a time");
    follow.finish(status.id, Outcome::Size(5000), START);
    assert_eq!(follow.lag(&log(1)), Some(5000));
    let first = follow.next(START).unwrap();
    let range = |first_index, count_max| {
        Question::Range(LogRange {
            log_id: log(1),
            first_index,
            count_max,
            size_max: RANGE_SIZE_MAX,
        })
    };
    assert_eq!(first.question, range(0, RANGE_COUNT_MAX));
    follow.finish(first.id, Outcome::Advanced(4096), START);
    let second = follow.next(START).unwrap();
    assert_eq!(second.question, range(4096, 904));
    follow.finish(second.id, Outcome::Advanced(5000), START);
    assert_eq!(follow.next(START), None);
    let due = follow.next_due().unwrap();
    assert_eq!(due, START + FollowLimits::default().status_interval);
    assert!(matches!(
        follow.next(due).unwrap().question,
        Question::Status { .. }
    ));
}

#[test]
fn net_60_a_checkpoint_that_is_heard_saves_the_question() {
    let peer = PeerId::random();
    let mut follow = following(&[1], peer);
    follow.heard(&log(1), &peer, 3);
    follow.heard(&log(1), &PeerId::random(), 9);
    assert!(matches!(
        follow.next(START).unwrap().question,
        Question::Range(range) if range.count_max == 3
    ));
}

#[test]
fn net_61_steps_are_limited_for_each_peer_and_logs_take_turns() {
    let peer = PeerId::random();
    let mut follow = following(&[1, 2, 3], peer);
    let first = follow.next(START).unwrap();
    let second = follow.next(START).unwrap();
    assert_eq!(follow.next(START), None, "two steps a peer");
    follow.finish(first.id, Outcome::Size(10), START);
    let third = follow.next(START).unwrap();
    assert_eq!(third.question, Question::Status { log_id: log(3) });
    follow.finish(second.id, Outcome::Size(0), START);
    assert!(matches!(
        follow.next(START).unwrap().question,
        Question::Range(_)
    ));
}

#[test]
fn net_62_a_failing_source_waits_twice_as_long_each_time() {
    let peer = PeerId::random();
    let mut follow = following(&[1], peer);
    follow.heard(&log(1), &peer, 3);
    let mut now = START;
    let mut waits = Vec::new();
    for _ in 0..10 {
        let step = follow.next(now).unwrap();
        follow.finish(step.id, Outcome::Failed, now);
        assert_eq!(follow.next(now), None);
        let due = follow.next_due().unwrap();
        waits.push(due - now);
        now = due;
    }
    assert_eq!(waits[0], BACKOFF_MIN);
    assert_eq!(waits[1], 2 * BACKOFF_MIN);
    assert_eq!(waits[9], BACKOFF_MAX);
    let step = follow.next(now).unwrap();
    follow.finish(step.id, Outcome::Advanced(1), now);
    assert!(follow.next(now).is_some(), "success ends the waiting");
}

#[test]
fn net_62_another_source_serves_while_one_waits() {
    let (author, follower) = (PeerId::random(), PeerId::random());
    let mut follow = following(&[1], author);
    follow.add_source(&log(1), follower, START).unwrap();
    follow.heard(&log(1), &author, 3);
    follow.heard(&log(1), &follower, 3);
    let step = follow.next(START).unwrap();
    assert_eq!(step.peer, author);
    follow.finish(step.id, Outcome::Failed, START);
    assert_eq!(follow.next(START).unwrap().peer, follower);
}

#[test]
fn net_62_a_source_that_sends_nothing_although_it_claims_more_waits() {
    let peer = PeerId::random();
    let mut follow = following(&[1], peer);
    follow.heard(&log(1), &peer, 3);
    let step = follow.next(START).unwrap();
    follow.finish(step.id, Outcome::Advanced(0), START);
    assert_eq!(follow.next(START), None);
}

#[test]
fn net_63_a_source_of_wrong_entries_is_not_asked_again() {
    let peer = PeerId::random();
    let mut follow = following(&[1], peer);
    let step = follow.next(START).unwrap();
    follow.finish(step.id, Outcome::Wrong, START);
    assert_eq!(follow.next(START + BACKOFF_MAX), None);
    assert_eq!(follow.next_due(), None);
}

#[test]
fn net_64_everything_is_bounded() {
    let mut follow = Follow::new(FollowLimits {
        logs_max: 1,
        sources_per_log_max: 2,
        ..FollowLimits::default()
    });
    follow.add(log(1), 0, START).unwrap();
    assert_eq!(follow.add(log(1), 0, START), Ok(()));
    assert_eq!(
        follow.add(log(2), 0, START),
        Err(FollowError::TooManyLogs { limit: 1 })
    );
    let peers = [PeerId::random(), PeerId::random(), PeerId::random()];
    for peer in peers {
        follow.add_source(&log(1), peer, START).unwrap();
    }
    assert_eq!(follow.logs[&log(1)].sources.len(), 2);
    let step = follow.next(START).unwrap();
    follow.finish(step.id, Outcome::Failed, START);
    follow.add_source(&log(1), peers[2], START).unwrap();
    assert!(
        follow.logs[&log(1)]
            .sources
            .iter()
            .any(|source| source.peer == peers[2])
    );
}

#[test]
fn net_65_helpers_serve_what_the_author_does_not_give_and_give_way_to_others() {
    let [author, one, two] = [PeerId::random(), PeerId::random(), PeerId::random()];
    let mut follow = following(&[1], author);
    follow.heard(&log(1), &author, 5);
    let step = follow.next(START).unwrap();
    follow.finish(step.id, Outcome::Failed, START);
    follow.set_helpers(&log(1), &author, &[one], START).unwrap();
    let step = follow.next(START).unwrap();
    assert_eq!(
        (step.peer, &step.question),
        (one, &Question::Status { log_id: log(1) })
    );
    follow.finish(step.id, Outcome::Size(5), START);
    let step = follow.next(START).unwrap();
    assert!(matches!(step.question, Question::Range(_)));
    assert_eq!(step.peer, one);
    follow.finish(step.id, Outcome::Wrong, START);
    follow.set_helpers(&log(1), &author, &[two], START).unwrap();
    assert_eq!(follow.next(START).unwrap().peer, two);
    assert_eq!(
        follow.set_helpers(&log(2), &author, &[two], START),
        Err(FollowError::UnknownLog)
    );
}

#[test]
fn a_peer_that_leaves_takes_its_steps_along() {
    let peer = PeerId::random();
    let mut follow = following(&[1], peer);
    let step = follow.next(START).unwrap();
    follow.remove_source(&peer);
    follow.finish(step.id, Outcome::Size(9), START);
    assert_eq!(follow.lag(&log(1)), Some(0));
    follow.add_source(&log(1), peer, START).unwrap();
    assert!(follow.next(START).is_some());
    follow.remove(&log(1));
    assert_eq!(follow.next(START), None);
    assert_eq!(follow.have(&log(1)), None);
}

#[test]
fn the_search_starts_after_the_last_log_and_wraps() {
    assert_eq!(successor(&Digest::from_bytes([0xFF; 32])), None);
    let mut expected = [0; 32];
    expected[30] = 1;
    let mut start = [0; 32];
    start[31] = 0xFF;
    assert_eq!(
        successor(&Digest::from_bytes(start)),
        Some(Digest::from_bytes(expected))
    );
}
