//! Faults that their author signs for only far behind them.

use symphony_network::AnsweredEntry;
use symphony_protocol::records::TaskDecided;
use symphony_transparency::MerkleTree;

use super::*;

/// A log with a wrong entry, 9 MiB behind it, and one checkpoint over everything.
struct Cheat {
    author: Author,
    tree: MerkleTree,
    signed: SignedCheckpoint,
}

impl Cheat {
    fn new() -> Self {
        let mut author = Author::new(1);
        author.append(Body::Resumed);
        let wrong = Entry {
            index: 2,
            previous: entry_digest(&author.entries[1]),
            time_ms: 2_000,
            // No task was opened there.
            body: Body::TaskDecided(TaskDecided {
                task: 1,
                winner: None,
            }),
        };
        author.entries.push(wrong.encode());
        let junk =
            (0..288_u32).map(|number| [number.to_be_bytes().to_vec(), vec![0; 32_764]].concat());
        author.entries.extend(junk);
        let mut tree = MerkleTree::new();
        for entry in &author.entries {
            tree.append(entry);
        }
        let signed = Checkpoint {
            network: params().network_id(),
            log: author.log(),
            size: tree.size(),
            root: tree.root(),
            state_root: Digest::ZERO,
        }
        .sign(&author.secret);
        Self {
            author,
            tree,
            signed,
        }
    }

    /// What whoever has the whole log answers.
    fn answer(&self, challenge: &Challenge) -> Vec<AnsweredEntry> {
        let size = self.tree.size();
        let entry = |index: u64| AnsweredEntry {
            entry: self.author.entries[usize::try_from(index).expect("small")].clone(),
            hashes: self.tree.inclusion_proof(index, size).expect("a proof"),
        };
        challenge.indices().map(entry).collect()
    }

    /// Shows its entries to an auditor, which suspects it then.
    async fn show(&self, bench: &mut Bench) -> Challenge {
        bench.meet(&self.author).await;
        for first in (1..self.author.entries.len()).step_by(16) {
            let end = self.author.entries.len().min(first + 16);
            let entries = self.author.entries[first..end].to_vec();
            let log = self.author.log();
            bench.auditor.replay(log, first as u64, entries).await;
        }
        bench.auditor.checkpoint(self.signed.clone()).await;
        bench.auditor.watch_suspects();
        bench.auditor.watch_suspects();
        let followed = &bench.auditor.logs[&self.author.log()];
        assert_eq!(followed.verdict, Verdict::Suspected);
        let tail = followed.tail.as_ref().expect("a fault");
        let kept: usize = tail.entries.iter().map(Vec::len).sum();
        assert!(kept <= 96 << 10, "{kept} bytes are kept");
        bench
            .auditor
            .challenge(&self.author.log())
            .expect("a challenge")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_7_a_fault_that_is_signed_for_far_behind_it_exposes_with_a_file() {
    let (mut bench, cheat) = (Bench::new().await, Cheat::new());
    let challenge = cheat.show(&mut bench).await;
    assert_eq!(challenge.indices(), 1..3);
    let (peer, answer) = (cheat.author.peer, cheat.answer(&challenge));
    bench
        .auditor
        .challenge_answered(challenge, peer, answer)
        .await;
    let key = cheat.author.key();
    assert!(bench.auditor.exposed.contains_key(&key));
    let made = loop {
        let command = bench.auditor.commands.recv().await.expect("a file");
        let is_made = matches!(command, AuditorCommand::Made { .. });
        bench.auditor.take(command).await;
        if is_made {
            break bench.proven(&key);
        }
    };
    assert_eq!(made, [bench.auditor.exposed[&key].fault.rule]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_7_a_fault_in_an_entry_that_nobody_signed_for_exposes_nobody() {
    let (mut bench, shown) = (Bench::new().await, Cheat::new());
    shown.show(&mut bench).await;
    // What its author signed for has another entry in that place.
    let mut honest = Cheat::new();
    honest.author.entries.truncate(2);
    honest.author.append(Body::Resumed);
    honest.tree = MerkleTree::new();
    for entry in &honest.author.entries {
        honest.tree.append(entry);
    }
    let signed = honest.author.sign();
    let challenge = Challenge::new(signed.text(), 1..3).expect("a challenge");
    let (peer, answer) = (shown.author.peer, honest.answer(&challenge));
    bench
        .auditor
        .challenge_answered(challenge, peer, answer)
        .await;
    assert!(bench.auditor.exposed.is_empty());
    assert!(bench.auditor.logs[&shown.author.log()].begun_anew);
}
