//! Peers that sign what they like: framers convict nobody, and what contradicts itself convicts its signer.

use std::time::{SystemTime, UNIX_EPOCH};

use symphony_admin::v1;
use symphony_network::{RefusalCode, Response};
use symphony_protocol::{
    embedding::Embedding,
    records::{AnswerForm, Beacon, Origin, Reach, hop_anchor},
};
use symphony_transparency::{Checkpoint, Digest, SignedCheckpoint};

use crate::support::{Network, Role, Stranger, ask, scripted, sum_question, until};

const OBSERVER: usize = 0;
const VICTIM: usize = 1;

/// What the observer concluded of a stranger, once it is this.
async fn concluded(
    network: &Network,
    stranger: &Stranger,
    what: &str,
    is: impl Fn(&v1::Peer) -> bool,
) -> anyhow::Result<v1::Peer> {
    let key = stranger.did_key();
    until(what, || async {
        let seen = network.peers[OBSERVER].view_of(&key).await?;
        is(&seen).then_some(seen)
    })
    .await
}

/// Waits until the observer has evidence against a stranger, which is of this rule; the fault.
async fn convicted(
    network: &Network,
    stranger: &Stranger,
    rule: &str,
) -> anyhow::Result<v1::Fault> {
    let seen = concluded(network, stranger, "there is evidence", |seen| {
        seen.has_evidence
    })
    .await?;
    assert_eq!(seen.verdict(), v1::Verdict::Exposed, "{seen:?}");
    let fault = seen.fault.ok_or_else(|| anyhow::anyhow!("no fault"))?;
    assert_eq!(fault.rule, rule);
    network.assert_no_panic();
    Ok(fault)
}

/// Waits until the observer replayed so much of a stranger's log and calls it clean.
async fn clean(network: &Network, stranger: &Stranger, size: u64) -> anyhow::Result<v1::Peer> {
    concluded(network, stranger, "the log is clean", |seen| {
        seen.verdict() == v1::Verdict::Clean && seen.replayed_size == size
    })
    .await
}

/// A stranger shows these entries, and its checkpoint over all of them.
fn show_signed(stranger: &Stranger, entries: &[Vec<u8>]) -> anyhow::Result<()> {
    let note = stranger.sign(&stranger.checkpoint(entries)?).text();
    stranger.show(entries, note);
    Ok(())
}

async fn observer_alone() -> anyhow::Result<Network> {
    Network::start(vec![Role::asker("observer")]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_18_a_checkpoint_in_a_victims_name_under_a_framers_key_convicts_nobody()
-> anyhow::Result<()> {
    let network = Network::start(vec![
        Role::asker("observer"),
        Role::asker("victim"),
        Role::answerer("ada", scripted(100, 0)),
    ])
    .await?;
    let client = network.peers[VICTIM].client().await?;
    let (question, _) = sum_question(0);
    ask(&client, &question, 1, 1).await?;
    let export = network.export(VICTIM).await?;
    let (header, entries) = crate::support::read_export(&export)?;
    let note = header.checkpoint.unwrap_or_default();
    let honest = SignedCheckpoint::parse_unverified(&note)?;
    let victim = network.peers[VICTIM].did_key.clone();
    let observer = &network.peers[OBSERVER];
    until("the observer has the victim's log", || async {
        let seen = observer.view_of(&victim).await?;
        (seen.replayed_size >= entries.len() as u64).then_some(())
    })
    .await?;

    let mut framer = Stranger::meet(observer, 40).await?;
    for (size, state_root) in [
        (honest.size - 1, honest.state_root),
        (honest.size, honest.state_root),
        (honest.size + 1_000, Digest::from_bytes([3; 32])),
    ] {
        let forged = Checkpoint {
            size,
            root: [9; 32],
            state_root,
            ..honest
        };
        // Asked for the status of its own log, it answers with a note in the victim's name.
        framer.show(
            std::slice::from_ref(&framer.genesis.clone()),
            framer.sign(&forged).text(),
        );
        framer.asked_twice().await?;
    }
    let seen = observer
        .view_of(&victim)
        .await
        .ok_or_else(|| anyhow::anyhow!("the victim is known"))?;
    assert_eq!(seen.verdict(), v1::Verdict::Clean, "{seen:?}");
    assert!(seen.fault.is_none() && !seen.has_evidence, "{seen:?}");
    assert!(seen.log_size < honest.size + 1_000, "{seen:?}");
    network.assert_no_panic();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_46_two_state_roots_at_one_size_convict() -> anyhow::Result<()> {
    let network = observer_alone().await?;
    let mut stranger = Stranger::meet(&network.peers[OBSERVER], 50).await?;
    let entries = stranger.history(2, 0);
    show_signed(&stranger, &entries)?;
    clean(&network, &stranger, 3).await?;
    stranger.asked_twice().await?;
    let other = Checkpoint {
        state_root: Digest::from_bytes([7; 32]),
        ..stranger.checkpoint(&entries)?
    };
    stranger.show(&entries, stranger.sign(&other).text());
    convicted(&network, &stranger, "REPLAY-46").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_18_a_later_checkpoint_hides_no_earlier_one_that_is_wrong() -> anyhow::Result<()> {
    let network = observer_alone().await?;
    let mut stranger = Stranger::meet(&network.peers[OBSERVER], 60).await?;
    let entries = stranger.history(4, 0);
    let wrong = Checkpoint {
        state_root: Digest::from_bytes([7; 32]),
        ..stranger.checkpoint(&entries[..3])?
    };
    let right = stranger.checkpoint(&entries)?;
    // No entry yet: both checkpoints wait.
    stranger.asked_twice().await?;
    for (size, checkpoint) in [(3, wrong), (5, right)] {
        stranger.gossip(&stranger.sign(&checkpoint).text()).await?;
        concluded(&network, &stranger, "the checkpoint is heard", |seen| {
            seen.log_size == size
        })
        .await?;
    }
    stranger.show(&entries, stranger.sign(&right).text());
    convicted(&network, &stranger, "REPLAY-42").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_17_entries_that_nobody_signed_for_expose_nobody() -> anyhow::Result<()> {
    let network = observer_alone().await?;
    let mut stranger = Stranger::meet(&network.peers[OBSERVER], 70).await?;
    // Shown, never signed for, and lost.
    let lost = stranger.history(2, 0);
    stranger.show(&lost, String::new());
    concluded(&network, &stranger, "the entries are there", |seen| {
        seen.replayed_size == 3
    })
    .await?;
    let kept = stranger.history(3, 500);
    show_signed(&stranger, &kept[..3])?;
    stranger.asked_twice().await?;
    show_signed(&stranger, &kept)?;
    let seen = clean(&network, &stranger, 4).await?;
    assert!(seen.fault.is_none(), "{seen:?}");
    assert!(
        network.peers[OBSERVER].written().contains("fetched anew"),
        "the first copy was dropped"
    );
    network.assert_no_panic();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_17_entries_that_were_signed_for_twice_convict() -> anyhow::Result<()> {
    let network = observer_alone().await?;
    let stranger = Stranger::meet(&network.peers[OBSERVER], 80).await?;
    let first = stranger.history(2, 0);
    show_signed(&stranger, &first)?;
    clean(&network, &stranger, 3).await?;
    let second = stranger.history(3, 500);
    show_signed(&stranger, &second)?;
    convicted(&network, &stranger, "REPLAY-44").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_45_a_beacon_that_its_own_log_does_not_hold_convicts_live() -> anyhow::Result<()> {
    let network = Network::start(vec![Role::answerer("observer", scripted(100, 0))]).await?;
    let stranger = Stranger::meet(&network.peers[OBSERVER], 90).await?;
    // What stands there says nothing.
    let beacon = beacon(stranger.log)?;
    stranger.submit(stranger.statement(&beacon)).await?;
    let entries = stranger.history(2, 0);
    stranger.show(&entries[..2], String::new());
    let seen = concluded(&network, &stranger, "the entry is there", |seen| {
        seen.replayed_size == 2
    })
    .await?;
    assert!(seen.fault.is_none(), "nobody signed for it: {seen:?}");
    show_signed(&stranger, &entries)?;
    let fault = convicted(&network, &stranger, "REPLAY-45").await?;
    assert_eq!(fault.entry, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_22_a_statement_that_stands_in_another_peers_log_is_refused() -> anyhow::Result<()> {
    let network = Network::start(vec![Role::answerer("observer", scripted(100, 0))]).await?;
    let stranger = Stranger::meet(&network.peers[OBSERVER], 95).await?;
    let copied = beacon(Digest::from_bytes([8; 32]))?;
    let answer = stranger.submit(stranger.statement(&copied)).await?;
    assert!(
        matches!(&answer, Response::Refused(refusal) if refusal.code == RefusalCode::NotAccepted),
        "{answer:?}"
    );
    let own = beacon(stranger.log)?;
    let answer = stranger.submit(stranger.statement(&own)).await?;
    assert!(
        matches!(answer, Response::Acknowledged { .. }),
        "{answer:?}"
    );
    network.assert_no_panic();
    Ok(())
}

/// A beacon at index 1 of `log` that an answerer bids on.
fn beacon(log: Digest) -> anyhow::Result<Beacon> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Beacon {
        origin: Origin { log, index: 1 },
        task: 0,
        plan: 0,
        step: 0,
        tags: vec!["sums".to_owned()],
        embedding: Embedding::of_text("sums"),
        form: AnswerForm::Integer,
        close_bids: 1,
        close_deadline_ms: u64::try_from(now.as_millis())? + 60_000,
        execute_ms: 1_000,
        reveal_ms: 1_000,
        reach: Reach::Gossip,
        hop_limit: 0,
        asked: Vec::new(),
        shortlist: 1,
        executors: 1,
        policy: Digest::ZERO,
        own_bid: None,
        hop_anchor: hop_anchor(&Digest::ZERO, 0),
        secret_commitment: None,
    })
}
