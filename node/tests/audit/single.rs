//! One file.

use symphony_node::audit::{Audit, LogReport, Verdict, audit_files};
use symphony_protocol::Rule;

use crate::{
    cheats::lying_coordinator,
    network::{Log, honest, params},
};

pub(crate) fn audit(logs: &[Log]) -> Audit {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = logs
        .iter()
        .enumerate()
        .map(|(number, log)| log.write(folder.path(), &format!("{number}.symlog")))
        .collect();
    audit_files(&files, None, &mut |_| {})
}

fn audit_one(log: &Log) -> LogReport {
    let mut audit = audit(std::slice::from_ref(log));
    assert_eq!(audit.logs.len(), 1, "{audit:?}");
    audit.logs.remove(0)
}

#[test]
fn an_honest_log_is_clean_and_reaches_the_root_that_its_author_signed() {
    let network = honest();
    for peer in 0..4 {
        let log = network.log(peer);
        let report = audit_one(&log);
        assert_eq!(report.verdict, Verdict::Clean, "{report:?}");
        assert_eq!(report.peer, Some(log.key()));
        assert_eq!(report.entries, log.entries.len() as u64);
        let claimed = report.claimed.unwrap();
        assert_eq!(claimed.size, report.entries);
        assert_eq!(Some(claimed.state_root), report.state_root);
        assert!(report.fault.is_none() && report.reason.is_none());
    }
    let coordinator = audit_one(&network.log(0));
    assert_eq!(coordinator.counters.closes, 3);
    assert_eq!(coordinator.counters.selections, 9);
    assert_eq!(coordinator.counters.settlements, 9);
    assert_eq!(coordinator.counters.tasks_decided, 3);
}

#[test]
fn deleting_the_checkpoint_does_not_change_what_is_computed() {
    let log = honest().log(0);
    let (with, without) = (audit_one(&log), audit_one(&log.clone().unsigned()));
    assert_eq!(without.verdict, Verdict::Clean);
    assert_eq!(without.claimed, None);
    assert_eq!(with.state_root, without.state_root);
    assert_eq!(with.counters, without.counters);
}

#[test]
fn a_checkpoint_of_a_part_is_compared_where_it_stands() {
    let log = honest().log(0);
    let part = log.cut(log.first("settlement")).signed();
    let whole = Log {
        note: part.note.clone(),
        ..log.clone()
    };
    let report = audit_one(&whole);
    assert_eq!(report.verdict, Verdict::Clean);
    assert_eq!(report.claimed.unwrap().size, part.entries.len() as u64);
    assert_eq!(
        Some(report.claimed.unwrap().state_root),
        audit_one(&part).state_root
    );
}

#[test]
fn a_wrong_reward_in_a_well_signed_log_exposes_its_author() {
    let (log, index) = lying_coordinator(&honest().log(0));
    let report = audit_one(&log.clone().signed());
    assert_eq!(report.verdict, Verdict::Exposed);
    let located = report.fault.unwrap();
    assert_eq!(located.fault.rule, Rule::Reward);
    assert_eq!(located.fault.peer, log.key());
    assert_eq!(located.fault.entry, index as u64);
    assert!(located.fault.expected.contains("reward"), "{located:?}");
    assert_ne!(located.fault.expected, located.fault.found);
    assert!(located.signed);
    assert_eq!(report.entries, index as u64);
}

#[test]
fn a_wrong_reward_without_a_signature_over_it_says_so() {
    let (log, index) = lying_coordinator(&honest().log(0));
    let short = log.cut(index).signed();
    for note in [None, short.note] {
        let report = audit_one(&Log {
            note,
            ..log.clone()
        });
        assert_eq!(report.verdict, Verdict::Exposed);
        assert!(!report.fault.unwrap().signed);
    }
}

#[test]
fn entries_that_the_author_did_not_sign_blame_nobody() {
    // The honest author's checkpoint stands over entries that somebody else changed.
    let (forged, index) = lying_coordinator(&honest().log(0));
    let report = audit_one(&forged);
    assert_eq!(report.verdict, Verdict::Unusable);
    assert!(report.fault.is_none());
    let reason = report.reason.unwrap();
    assert!(reason.contains(&format!("entry {index}")), "{reason}");
}

#[test]
fn a_wrong_state_root_in_a_checkpoint_exposes_its_signer() {
    let log = honest().log(0);
    let note = log.note.clone().unwrap();
    let signed =
        symphony_transparency::SignedCheckpoint::parse_and_verify(&note, &log.key()).unwrap();
    let mut lie = *signed.checkpoint();
    lie.state_root = symphony_transparency::Digest::from_bytes([3; 32]);
    let note = lie.sign(&crate::network::secret(0)).to_string();
    let report = audit_one(&Log {
        note: Some(note),
        ..log
    });
    assert_eq!(report.verdict, Verdict::Exposed);
    let located = report.fault.unwrap();
    assert_eq!(located.fault.rule, Rule::StateRoot);
    assert!(located.signed);
}

#[test]
fn a_log_that_is_shorter_than_its_checkpoint_is_suspected() {
    let log = honest().log(0);
    let report = audit_one(&log.cut(log.entries.len() - 2));
    assert_eq!(report.verdict, Verdict::Suspected);
    assert!(report.reason.unwrap().contains("signed"));
}

#[test]
fn a_log_of_another_network_is_unusable_when_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest().log(0);
    let file = log.write(folder.path(), "log.symlog");
    let right = Some(params().network_id());
    let audit = audit_files(std::slice::from_ref(&file), right, &mut |_| {});
    assert_eq!(audit.verdict(), Verdict::Clean);
    let wrong = Some(symphony_transparency::Digest::from_bytes([5; 32]));
    let audit = audit_files(&[file], wrong, &mut |_| {});
    assert_eq!(audit.verdict(), Verdict::Unusable);
    assert!(audit.logs[0].reason.as_ref().unwrap().contains("network"));
}

#[test]
fn progress_reaches_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let network = honest();
    let files = [0, 1].map(|peer| {
        network
            .log(peer)
            .write(folder.path(), &format!("{peer}.symlog"))
    });
    let mut last = (0, 0);
    audit_files(&files, None, &mut |at| {
        assert!(at.entries_done >= last.0);
        last = (at.entries_done, at.entries_total);
    });
    assert!(last.0 > 0 && last.0 == last.1, "{last:?}");
}
