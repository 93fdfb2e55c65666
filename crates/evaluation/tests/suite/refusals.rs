//! What a log cannot say is refused, with the reason.

use symphony_evaluation::{OffPolicy, Refusal, Support, WeighedPick, WeighedVote};

fn pick(logged: &[f64], target: &[f64]) -> WeighedPick {
    WeighedPick {
        chosen: 0,
        logged: logged.to_vec(),
        target: target.to_vec(),
        predicted: vec![0.5; logged.len()],
    }
}

fn vote(picks: Vec<WeighedPick>) -> WeighedVote {
    WeighedVote {
        executors: picks.len(),
        picks,
        support: Support::AfterAnyPicks,
        reward: 0.5,
    }
}

fn refusal(vote: &WeighedVote) -> Refusal {
    OffPolicy::new()
        .observe(vote)
        .expect_err("a refusal is due")
}

#[test]
fn a_log_without_chance_is_refused() {
    let certain = vote(vec![pick(&[1.0, 0.0], &[1.0, 0.0])]);
    assert_eq!(refusal(&certain), Refusal::NoChance);
    let forced = vote(vec![pick(&[1.0], &[1.0])]);
    assert_eq!(OffPolicy::new().observe(&forced), Ok(()));
}

#[test]
fn a_target_outside_the_logged_support_is_refused() {
    let outside = vote(vec![
        pick(&[0.5, 0.5], &[0.5, 0.5]),
        pick(&[0.5, 0.5, 0.0], &[0.0, 0.9, 0.1]),
    ]);
    let expected = Refusal::OutsideSupport {
        vote: 0,
        pick: 1,
        candidate: 2,
    };
    assert_eq!(refusal(&outside), expected);
}

#[test]
fn several_picks_need_a_promise_about_other_orders() {
    let two = WeighedVote {
        support: Support::AfterThesePicks,
        ..vote(vec![pick(&[0.5, 0.5], &[0.5, 0.5]); 2])
    };
    assert_eq!(refusal(&two), Refusal::SupportUnknown { vote: 0 });
    let one = WeighedVote {
        support: Support::AfterThesePicks,
        ..vote(vec![pick(&[0.5, 0.5], &[0.5, 0.5])])
    };
    assert_eq!(OffPolicy::new().observe(&one), Ok(()));
}

#[test]
fn what_no_policy_does_is_refused_and_changes_nothing() {
    let mut estimate = OffPolicy::new();
    estimate
        .observe(&vote(vec![pick(&[0.5, 0.5], &[0.2, 0.8])]))
        .expect("a vote");
    let before = estimate.estimate(0.05);
    let impossible = WeighedPick {
        chosen: 2,
        ..pick(&[0.5, 0.5], &[0.5, 0.5])
    };
    let unlikely = WeighedPick {
        predicted: vec![0.5, f64::NAN],
        ..pick(&[0.5, 0.5], &[0.5, 0.5])
    };
    for wrong in [
        vote(vec![pick(&[0.5, 0.4], &[0.5, 0.5])]),
        vote(vec![pick(&[0.5, 0.5], &[1.5, -0.5])]),
        vote(vec![pick(&[0.0, 1.0], &[0.5, 0.5])]),
        vote(vec![pick(&[0.5, 0.5], &[1.0])]),
        vote(vec![impossible]),
        vote(vec![unlikely]),
        vote(Vec::new()),
        WeighedVote {
            reward: 1.1,
            ..vote(vec![pick(&[0.5, 0.5], &[0.5, 0.5])])
        },
    ] {
        assert!(
            matches!(
                estimate.observe(&wrong),
                Err(Refusal::Malformed { vote: 1, .. })
            ),
            "{wrong:?}"
        );
    }
    assert_eq!(estimate.estimate(0.05), before);
}

#[test]
fn no_votes_are_no_estimate() {
    assert_eq!(OffPolicy::new().estimate(0.05), Err(Refusal::NoVotes));
}
