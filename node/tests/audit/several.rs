//! Several files: what logs say of each other.

use symphony_node::audit::Verdict;
use symphony_protocol::{Rule, records::Body};

use crate::{
    cheats::lying_coordinator,
    network::{Network, false_match, honest},
    single::audit,
};

#[test]
fn honest_logs_are_clean_together() {
    let network = honest();
    let logs: Vec<_> = (0..4).map(|peer| network.log(peer)).collect();
    let audit = audit(&logs);
    assert_eq!(audit.verdict(), Verdict::Clean, "{audit:?}");
    assert_eq!(audit.logs.len(), 4);
}

#[test]
fn a_rewritten_entry_shows_when_another_log_names_it() {
    let network = honest();
    let executor = network.log(1);
    let index = executor.first("receipt_issued");
    // The executor cuts its log before a receipt that the coordinator holds, and goes on as if nothing had been.
    let rewritten = executor.cut(index).with(Body::Resumed).signed();
    assert_eq!(
        audit(std::slice::from_ref(&rewritten)).verdict(),
        Verdict::Clean
    );

    let audit = audit(&[network.log(0), rewritten, network.log(2)]);
    assert_eq!(audit.logs[0].verdict, Verdict::Clean);
    assert_eq!(audit.logs[2].verdict, Verdict::Clean);
    assert_eq!(audit.logs[1].verdict, Verdict::Exposed);
    let located = audit.logs[1].fault.clone().unwrap();
    assert_eq!(located.fault.rule, Rule::Omission);
    assert_eq!(located.fault.entry, index as u64);
    assert!(located.signed);
}

#[test]
fn a_dropped_receipt_shows_when_the_executor_holds_its_acknowledgement() {
    let network = honest();
    let coordinator = network.log(0);
    let index = coordinator.first("receipt_received");
    let dropped = coordinator.cut(index).with(Body::Resumed).signed();
    let logs: Vec<_> = [dropped]
        .into_iter()
        .chain((1..4).map(|peer| network.log(peer)))
        .collect();
    let audit = audit(&logs);
    assert_eq!(audit.logs[0].verdict, Verdict::Exposed, "{audit:?}");
    assert_eq!(
        audit.logs[0].fault.as_ref().unwrap().fault.rule,
        Rule::Omission
    );
    assert!(
        audit.logs[1..]
            .iter()
            .all(|log| log.verdict == Verdict::Clean)
    );
}

#[test]
fn a_false_bidder_is_exposed_by_the_coordinators_log_alone() {
    let mut network = Network::new(4, Some(false_match));
    network.ask("True and True is");
    let audit = audit(&[network.log(0)]);
    assert_eq!(audit.logs.len(), 2, "{audit:?}");
    assert_eq!(audit.logs[0].verdict, Verdict::Clean);
    assert_eq!(audit.logs[1].verdict, Verdict::Exposed);
    assert_eq!(audit.logs[1].peer, Some(network.log(1).key()));
    assert_eq!(audit.logs[1].log, None);
    let located = audit.logs[1].fault.clone().unwrap();
    assert_eq!(located.fault.rule, Rule::Match);
    assert_eq!(Some(located.log), audit.logs[0].log);
    let entry = &network.log(0).parsed()[usize::try_from(located.fault.entry).unwrap()];
    assert_eq!(entry.body.name(), "bid_received");
}

#[test]
fn a_false_bidder_whose_log_is_there_is_exposed_in_its_place() {
    let mut network = Network::new(4, Some(false_match));
    network.ask("True and True is");
    let audit = audit(&[network.log(1), network.log(0)]);
    assert_eq!(audit.logs.len(), 2, "{audit:?}");
    assert_eq!(audit.logs[0].verdict, Verdict::Exposed);
    assert_eq!(audit.logs[1].verdict, Verdict::Clean);
}

#[test]
fn two_signed_histories_are_a_fork() {
    let log = honest().log(0);
    let index = log.first("settlement");
    let (left, right) = (
        log.cut(index).signed(),
        log.cut(index - 1).with(Body::Resumed).signed(),
    );
    assert_eq!(left.entries.len(), right.entries.len());
    let audit = audit(&[left.clone(), right]);
    for report in &audit.logs {
        assert_eq!(report.verdict, Verdict::Exposed, "{report:?}");
        let located = report.fault.clone().unwrap();
        assert_eq!(located.fault.rule, Rule::Fork);
        assert_eq!(located.fault.entry, left.entries.len() as u64 - 1);
    }
}

#[test]
fn two_exports_of_one_log_at_different_times_agree() {
    let log = honest().log(0);
    let early = log.cut(log.first("settlement")).signed();
    assert_eq!(
        audit(&[early.clone(), log.clone()]).verdict(),
        Verdict::Clean
    );
    assert_eq!(audit(&[log, early]).verdict(), Verdict::Clean);
}

#[test]
fn a_forged_file_does_not_blame_its_author_by_what_others_say() {
    let network = honest();
    let executor = network.log(1);
    let index = executor.first("receipt_issued");
    // Somebody else cut the log; the author's own checkpoint is over other entries.
    let mut forged = executor.cut(index).with(Body::Resumed);
    while forged.entries.len() < executor.entries.len() {
        forged = forged.with(Body::Resumed);
    }
    let audit = audit(&[network.log(0), forged]);
    assert_eq!(audit.logs[0].verdict, Verdict::Clean);
    assert_eq!(audit.logs[1].verdict, Verdict::Unusable, "{audit:?}");
}

#[test]
fn the_gravest_verdict_counts() {
    let network = honest();
    let (liar, _) = lying_coordinator(&network.log(0));
    let short = network.log(1).cut(network.log(1).entries.len() - 1);
    let audit = audit(&[liar.signed(), short, network.log(2)]);
    let verdicts: Vec<_> = audit.logs.iter().map(|log| log.verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Exposed, Verdict::Suspected, Verdict::Clean]
    );
    assert_eq!(audit.verdict(), Verdict::Exposed);
}
