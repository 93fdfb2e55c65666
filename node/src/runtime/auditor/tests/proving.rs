//! Logs within the rules that show many faults of others.

use symphony_protocol::{embedding::Embedding, records::Capability};

use super::*;
use crate::runtime::auditor::proving::STRANGERS_MAX;

/// One of many capabilities under one number.
fn capability(secret: &SecretKey, log: Digest, price_microunits: u64) -> Body {
    let record = Capability {
        origin: Origin { log, index: 1 },
        sequence: 1,
        tags: vec!["sums".to_owned()],
        embedding: Embedding::of_text("sums"),
        models: Vec::new(),
        price_microunits,
        parallel_max: 1,
        valid_from_ms: 0,
        valid_until_ms: u64::MAX,
    };
    Body::CapabilityReceived(signed(secret, record.write()))
}

fn throwaway(number: usize) -> SecretKey {
    let mut bytes = [11; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    SecretKey::from_bytes(bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_70_a_peer_and_a_rule_are_proved_once_whatever_a_log_shows() {
    let mut bench = Bench::new().await;
    let mut author = Author::new(1);
    let first = author.entries.len();
    for price in 0..50 {
        author.append(capability(&throwaway(0), Digest::ZERO, price));
    }
    bench.meet(&author).await;
    bench.give(&author, first).await;
    assert_eq!(bench.findings_proved().await, 1);
    let stranger = throwaway(0).public();
    assert_eq!(bench.proven(&stranger), [Rule::CapabilitySequence]);

    // Neither later, nor after a restart, nor of what the own log shows.
    let mut bench = bench.restarted().await;
    let finding = |entry| Fault {
        peer: stranger,
        rule: Rule::CapabilitySequence,
        entry,
        expected: String::new(),
        found: String::new(),
    };
    for entry in 2..9 {
        let found = AuditorCommand::Found {
            fault: finding(entry),
            found_in: author.log(),
        };
        bench.auditor.take(found).await;
    }
    let first = author.entries.len();
    for price in 50..60 {
        author.append(capability(&throwaway(0), Digest::ZERO, price));
    }
    bench.give(&author, first).await;
    assert_eq!(bench.findings_proved().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_70_throwaway_keys_in_a_log_cause_bounded_work_and_delay_no_proof_about_others() {
    let mut bench = Bench::new().await;
    let (mut author, liar) = (Author::new(1), Author::new(2));
    let first = author.entries.len();
    for number in 0..2 * STRANGERS_MAX {
        for price in 0..2 {
            author.append(capability(&throwaway(number), Digest::ZERO, price));
        }
    }
    for price in 0..2 {
        author.append(capability(&liar.secret, liar.log(), price));
    }
    bench.meet(&author).await;
    bench.meet(&liar).await;
    bench.give(&author, first).await;
    assert_eq!(bench.findings_proved().await, STRANGERS_MAX + 1);
    assert_eq!(bench.proven(&liar.key()), [Rule::CapabilitySequence]);
    let exposed = &bench.auditor.exposed;
    for number in 0..2 * STRANGERS_MAX {
        assert!(
            exposed.contains_key(&throwaway(number).public()),
            "{number}"
        );
    }
    assert_eq!(bench.auditor.parts.evidence.all().len(), STRANGERS_MAX + 1);

    let first = author.entries.len();
    for price in 0..2 {
        author.append(capability(&throwaway(1_000), Digest::ZERO, price));
    }
    bench.give(&author, first).await;
    assert_eq!(bench.findings_proved().await, 0, "this log made enough");
}
