//! SIGKILL, and what must be there afterwards.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use symphony_admin::{AdminClient, v1::Verdict};
use symphony_protocol::records::{Body, Entry};
use symphony_transparency::Digest;

use crate::support::{Network, Role, TIME_MAX, ask, audit, entries, scripted, sum_question};

/// The statement of another peer that an entry holds.
fn received(body: &Body) -> Option<Digest> {
    match body {
        Body::BidReceived(received) => Some(received.digest()),
        Body::AssignmentReceived(received) => Some(received.digest()),
        Body::ReceiptReceived(received) => Some(received.digest()),
        Body::RevealReceived(received, ..) => Some(received.digest()),
        _ => None,
    }
}

/// Every entry of `log` that others hold an acknowledgement for: its index, and the statement that must stand there.
fn acknowledged(did_key: &str, others: &[Vec<Entry>]) -> Vec<(u64, Digest)> {
    others
        .iter()
        .flatten()
        .filter_map(|entry| match &entry.body {
            Body::AcknowledgementReceived(received)
                if received.statement.author().to_string() == did_key =>
            {
                Some((received.record.origin.index, received.record.statement))
            }
            _ => None,
        })
        .collect()
}

/// Nothing that a peer acknowledged is missing in its log. Gives how many entries others can prove.
pub(crate) fn assert_acknowledged_is_there(
    network: &Network,
    index: usize,
    files: &[PathBuf],
) -> anyhow::Result<usize> {
    let mut logs = files
        .iter()
        .map(|file| entries(file))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let own = logs.remove(index);
    let acknowledged = acknowledged(&network.peers[index].did_key, &logs);
    for (place, statement) in &acknowledged {
        let entry = own.get(usize::try_from(*place)?);
        assert_eq!(
            entry.and_then(|entry| received(&entry.body)),
            Some(*statement),
            "entry {place} of {} was acknowledged",
            network.peers[index].name
        );
    }
    Ok(acknowledged.len())
}

pub(crate) fn resumed(entries: &[Entry]) -> usize {
    entries
        .iter()
        .filter(|entry| matches!(entry.body, Body::Resumed))
        .count()
}

pub(crate) async fn assert_nobody_is_exposed(network: &Network) -> anyhow::Result<()> {
    for (index, peer) in network.peers.iter().enumerate() {
        for seen in network.settled_view(index).await? {
            assert_eq!(seen.verdict(), Verdict::Clean, "{} of {seen:?}", peer.name);
        }
    }
    Ok(())
}

/// Asks a question, which is answered rightly by whoever is there: also the first one after a restart.
async fn ask_answered(client: &AdminClient, number: &mut u32) -> anyhow::Result<()> {
    let (question, sum) = sum_question(*number);
    *number += 1;
    let answered = ask(client, &question, 3, 3).await?;
    assert_eq!(answered.answer, Some(sum), "{answered:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_executor_killed_in_the_middle_is_routed_around_and_continues_its_log()
-> anyhow::Result<()> {
    let mut network = Network::start(vec![
        Role::asker("asker"),
        Role::answerer("ada", scripted(100, 20)),
        Role::answerer("bob", scripted(100, 20)),
        Role::answerer("cyd", scripted(100, 20)),
        Role::answerer("dan", scripted(100, 20)),
    ])
    .await?;
    let client = network.peers[0].client().await?;
    for number in 0..6 {
        let (question, sum) = sum_question(number);
        let answered = ask(&client, &question, 3, 4).await?;
        assert_eq!(answered.answer, Some(sum), "{answered:?}");
    }

    // Killed while it has something to do: these are under way when it dies.
    let mut under_way = tokio::task::JoinSet::new();
    for number in 6..10 {
        let (client, (question, sum)) = (client.clone(), sum_question(number));
        under_way.spawn(async move { (ask(&client, &question, 3, 4).await, sum) });
    }
    network.peers[1].kill().await?;
    while let Some(ended) = under_way.join_next().await {
        let (answered, sum) = ended?;
        assert_eq!(answered?.answer, Some(sum));
    }
    for number in 10..14 {
        let (question, sum) = sum_question(number);
        let answered = ask(&client, &question, 3, 3).await?;
        assert_eq!(answered.answer, Some(sum), "{answered:?}");
    }

    network.restart(1).await?;
    let ada = network.peers[1].did_key.clone();
    let mut asked_again = false;
    for number in 14..34 {
        let (question, sum) = sum_question(number);
        let answered = ask(&client, &question, 3, 4).await?;
        assert_eq!(answered.answer, Some(sum), "{answered:?}");
        asked_again |= answered.executors.contains(&ada);
    }
    assert!(asked_again, "nobody asked the peer that came back");

    assert_nobody_is_exposed(&network).await?;
    let files = network.export_all().await?;
    let audited = audit(&files).await?;
    audited.assert_clean();
    assert_eq!(resumed(&entries(&files[1])?), 1);
    let provable = assert_acknowledged_is_there(&network, 1, &files)?;
    assert!(provable > 0, "nobody holds an acknowledgement");
    network.assert_no_panic();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_killed_again_and_again_keeps_what_it_acknowledged_and_forks_nothing()
-> anyhow::Result<()> {
    const ROUNDS: u32 = 4;
    let mut network = Network::start(vec![
        Role::asker("asker"),
        Role::answerer("ada", scripted(100, 10)),
        Role::answerer("bob", scripted(100, 10)),
        Role::answerer("cyd", scripted(100, 10)),
    ])
    .await?;
    let mut number = 0;
    for round in 0..ROUNDS {
        let client = network.peers[0].client().await?;
        ask_answered(&client, &mut number).await?;
        let mut under_way = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let (client, (question, _)) = (client.clone(), sum_question(number));
            under_way.spawn(async move { ask(&client, &question, 3, 3).await });
            number += 1;
        }
        // Whenever this happens to be: between bids, orders, receipts or reveals.
        let moment = Duration::from_millis(u64::from(7 + round * 23));
        let first = tokio::time::timeout(moment, under_way.join_next()).await;
        network.peers[0].kill().await?;
        drop(first);
        // The clients see that the node is gone; nothing of theirs is left behind.
        tokio::time::timeout(TIME_MAX, async {
            while under_way.join_next().await.is_some() {}
        })
        .await?;
        network.restart(0).await?;
    }
    let client = network.peers[0].client().await?;
    ask_answered(&client, &mut number).await?;

    assert_nobody_is_exposed(&network).await?;
    let files = network.export_all().await?;
    let audited = audit(&files).await?;
    audited.assert_clean();
    let own = entries(&files[0])?;
    assert_eq!(resumed(&own), ROUNDS as usize);
    assert_every_step_is_settled(&own);
    for index in 0..network.peers.len() {
        let provable = assert_acknowledged_is_there(&network, index, &files)?;
        assert!(provable > 0, "nobody holds an acknowledgement of {index}");
    }
    network.assert_no_panic();
    Ok(())
}

/// Whatever was open at a kill was settled by the life after it, as void when its deadline could not be watched.
pub(crate) fn assert_every_step_is_settled(log: &[Entry]) {
    let (mut begun, mut settled) = (BTreeSet::new(), BTreeSet::new());
    for entry in log {
        match &entry.body {
            Body::BeaconIssued(_) => {
                begun.insert(entry.index);
            }
            Body::Settlement(settlement) => {
                settled.insert(settlement.beacon);
            }
            _ => {}
        }
    }
    assert_eq!(begun, settled, "steps begun, steps settled");
}
