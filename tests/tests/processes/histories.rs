//! A log with two histories, and one whose entries its author does not give.

use std::path::Path;

use symphony_admin::{LogName, v1};

use crate::{
    evidence::convicted,
    support::{Network, Role, ask, scripted, sum_question, until},
};

const AUTHOR: usize = 0;
const ADA: usize = 1;
const BOB: usize = 2;

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            // The permissions come along: keys are read only if nobody else may read them.
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Waits until a peer has replayed everything that stands in the author's log now.
async fn up_to_date(network: &Network, observer: usize) -> anyhow::Result<v1::Peer> {
    let author = &network.peers[AUTHOR].did_key;
    let client = network.peers[AUTHOR].client().await?;
    let size = client.log_status(LogName::Own).await?.size;
    until("the author's log is replayed", || async {
        let seen = network.peers[observer].view_of(author).await?;
        let is_all = seen.replayed_size == seen.log_size && seen.replayed_size >= size;
        (is_all && seen.verdict() == v1::Verdict::Clean).then_some(seen)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_46_two_groups_that_were_shown_different_histories_find_out_when_they_meet()
-> anyhow::Result<()> {
    let mut network = Network::prepare_apart(vec![
        Role::asker("author"),
        Role::answerer("ada", scripted(100, 0)),
        Role::answerer("bob", scripted(100, 0)),
    ])
    .await?;
    let backup = network.file("backup");
    copy_folder(&network.peers[AUTHOR].home, &backup)?;
    let mut number = 0;
    for observer in [ADA, BOB] {
        // Each history begins at the same entry; its signing record was restored with it, as only a liar does.
        let home = network.peers[AUTHOR].home.clone();
        std::fs::remove_dir_all(&home)?;
        copy_folder(&backup, &home)?;
        network.peers[AUTHOR].start(&[])?;
        let client = network.peers[AUTHOR].ready().await?;
        network.peers[observer].start(&[])?;
        network.peers[observer].ready().await?;
        for _ in 0..=observer {
            let (question, _) = sum_question(number);
            number += 1;
            ask(&client, &question, 1, 1).await?;
        }
        up_to_date(&network, observer).await?;
        network.peers[AUTHOR].kill().await?;
        if observer == ADA {
            network.peers[ADA].kill().await?;
        }
    }
    // Bob dials ada, whom he was told of; the author is gone.
    network.peers[ADA].start(&[])?;
    network.peers[ADA].ready().await?;
    for observer in [ADA, BOB] {
        convicted(&network, observer, AUTHOR).await?;
        let (observer, author) = (&network.peers[observer], &network.peers[AUTHOR].did_key);
        // Two checkpoints of one size are a fork; of two sizes, the smaller one is of another history. A beacon that one observer
        // logged, and that does not stand in the history that the other one shows, convicts as well: what comes first counts.
        let seen = until("the fork is shown", || async {
            observer.view_of(author).await?.fault
        })
        .await?;
        assert!(
            ["REPLAY-44", "REPLAY-45", "REPLAY-46"].contains(&seen.rule.as_str()),
            "{seen:?}"
        );
    }
    network.assert_no_panic();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_65_a_peer_whose_signed_entries_do_not_come_is_suspected_until_another_shows_them()
-> anyhow::Result<()> {
    const CYD: usize = 3;
    let mut network = Network::prepare_apart(vec![
        Role::asker("author"),
        Role::answerer("ada", scripted(100, 0)),
        Role::answerer("bob", scripted(100, 0)),
        Role::asker("cyd"),
    ])
    .await?;
    for peer in &mut network.peers {
        peer.start(&[])?;
        peer.ready().await?;
    }
    network.meet().await?;
    let client = network.peers[AUTHOR].client().await?;
    let (question, _) = sum_question(0);
    ask(&client, &question, 2, 2).await?;
    for observer in [ADA, BOB, CYD] {
        up_to_date(&network, observer).await?;
    }

    // Cyd leaves, the log grows, and its author leaves too.
    network.peers[CYD].kill().await?;
    for number in 1..4 {
        let (question, _) = sum_question(number);
        ask(&client, &question, 2, 2).await?;
    }
    for observer in [ADA, BOB] {
        up_to_date(&network, observer).await?;
    }
    network.peers[AUTHOR].kill().await?;

    // Cyd comes back, and hears only from the others that the author signed more. Spec: NET-38, EVIDENCE-15.
    let before = network.peers[BOB]
        .view_of(&network.peers[AUTHOR].did_key)
        .await;
    let size = before.map_or(0, |seen| seen.replayed_size);
    network.peers[CYD].start(&[])?;
    network.peers[CYD].ready().await?;
    let author = network.peers[AUTHOR].did_key.clone();
    let cyd = &network.peers[CYD];
    until("cyd suspects the author", || async {
        cyd.written().contains("suspected").then_some(())
    })
    .await?;
    let cleared = until("the entries came from another", || async {
        let seen = cyd.view_of(&author).await?;
        (seen.verdict() == v1::Verdict::Clean && seen.replayed_size >= size).then_some(seen)
    })
    .await?;
    assert!(!cleared.connected);
    assert!(
        cyd.written().contains("a challenge was answered"),
        "the entries came as an answer"
    );
    network.assert_no_panic();
    Ok(())
}
