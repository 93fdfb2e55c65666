//! Evidence about keys that nobody ever met.

use symphony_network::{IgnoreReason, limits::EVIDENCE_LIST_MAX};
use symphony_protocol::evidence::Evidence;

use super::*;
use crate::evidence::{digest_of, judge};

/// A file that convicts a key: it signed that it has two logs.
fn two_logs(secret: &SecretKey) -> Vec<u8> {
    let of = |byte| {
        let log = Digest::from_bytes([byte; 32]);
        acknowledgement(secret, log, 1).statement.into_bytes()
    };
    let evidence = Evidence::two_logs(&of(1), &of(2)).expect("evidence");
    evidence.bytes().to_vec()
}

fn throwaway(number: usize) -> SecretKey {
    let mut bytes = [9; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    SecretKey::from_bytes(bytes)
}

/// Hands a file to the auditor as if it had come by gossip, and gives the judgement.
async fn gossiped(bench: &mut Bench, file: Vec<u8>) -> Acceptance {
    let conviction = judge(&file, Some(&params().network_id())).expect("a proof");
    let (answer, answered) = oneshot::channel();
    bench.auditor.evidence(file, conviction, Some(answer)).await;
    answered.await.expect("a judgement")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_37_throwaway_keys_leave_room_for_files_about_peers_that_were_met() {
    let mut bench = Bench::new().await;
    let liar = Author::new(1);
    bench.meet(&liar).await;
    let first = two_logs(&throwaway(0));
    for number in 0..EVIDENCE_LIST_MAX {
        assert_eq!(
            gossiped(&mut bench, two_logs(&throwaway(number))).await,
            Acceptance::Ignore(IgnoreReason::Unknown),
            "{number}"
        );
    }
    let kept = bench.auditor.parts.evidence.digests();
    assert_eq!(kept.len(), 64);
    assert!(!kept.contains(&digest_of(&first)), "the oldest made room");
    assert_eq!(bench.auditor.exposed.len(), 64);

    let file = two_logs(&liar.secret);
    assert_eq!(gossiped(&mut bench, file.clone()).await, Acceptance::Accept);
    assert!(bench.core_knows(&liar.key()));
    for number in 0..64 {
        gossiped(&mut bench, two_logs(&throwaway(2_000 + number))).await;
    }
    let bench = bench.restarted().await;
    let store = &bench.auditor.parts.evidence;
    assert!(store.digests().contains(&digest_of(&file)), "on the list");
    let given = store.file(&digest_of(&file)).expect("it can be read");
    assert_eq!(given, Some(file), "a newcomer gets it");
    assert_eq!(store.digests().len(), 65);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_36_a_stranger_that_is_convicted_gets_no_work_once_it_comes() {
    let mut bench = Bench::new().await;
    let liar = Author::new(1);
    gossiped(&mut bench, two_logs(&liar.secret)).await;
    assert!(!bench.core_knows(&liar.key()), "nobody met it");
    bench.meet(&liar).await;
    assert!(bench.core_knows(&liar.key()));
    assert_eq!(bench.auditor.logs[&liar.log()].verdict, Verdict::Exposed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_8_exposed_throwaway_keys_are_bounded_and_displace_nobody_that_is_held() {
    let mut bench = Bench::new().await;
    let liar = Author::new(1);
    bench.meet(&liar).await;
    let fault = |peer: PublicKey| Fault {
        peer,
        rule: Rule::Match,
        entry: 1,
        expected: String::new(),
        found: String::new(),
    };
    bench.auditor.expose(fault(liar.key()), None).await;
    let stranger = throwaway(0);
    gossiped(&mut bench, two_logs(&stranger)).await;
    for number in 1..EXPOSED_MAX + 100 {
        let key = throwaway(number).public();
        bench.auditor.expose(fault(key), None).await;
    }
    let exposed = &bench.auditor.exposed;
    assert_eq!(exposed.len(), EXPOSED_MAX);
    assert!(exposed.contains_key(&liar.key()), "its log is held");
    assert!(exposed.contains_key(&stranger.public()), "a file is kept");
    let latest = throwaway(EXPOSED_MAX + 99).public();
    assert!(exposed.contains_key(&latest));
}
