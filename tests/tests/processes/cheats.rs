//! Peers that misbehave, seen live by ordinary peers and afterwards by the auditor of files.

use symphony_admin::v1;

use crate::support::{
    Network, Program, Role, ask, audit, audit_with, scripted, sum_question, until,
};

/// What an ordinary peer holds against another, once it does.
async fn exposure(network: &Network, observer: usize, accused: usize) -> anyhow::Result<v1::Fault> {
    let (observer, accused) = (&network.peers[observer], &network.peers[accused]);
    until(
        &format!("{} exposes {}", observer.name, accused.name),
        || async {
            let seen = observer.view_of(&accused.did_key).await?;
            (seen.verdict() == v1::Verdict::Exposed).then_some(seen.fault)?
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_40_a_wrong_reward_is_exposed_live_at_the_entry_that_the_auditor_names()
-> anyhow::Result<()> {
    const LIAR: usize = 1;
    let network = Network::start(vec![
        Role::asker("watcher"),
        Role::asker("liar").played_by(Program::LyingCoordinator),
        Role::answerer("ada", scripted(100, 0)),
        Role::answerer("bob", scripted(100, 0)),
        Role::answerer("cyd", scripted(0, 0)),
    ])
    .await?;
    let client = network.peers[LIAR].client().await?;
    for number in 0..8 {
        let (question, _) = sum_question(number);
        ask(&client, &question, 3, 3).await?;
    }
    // The watcher took no part in any task: it judges the log alone.
    let live = exposure(&network, 0, LIAR).await?;
    assert_eq!(live.rule, "REPLAY-40", "{live:?}");
    for executor in 2..5 {
        let seen = exposure(&network, executor, LIAR).await?;
        assert_eq!((seen.rule, seen.entry), (live.rule.clone(), live.entry));
    }

    let file = network.export(LIAR).await?;
    let audited = audit(&[file]).await?;
    assert_eq!(audited.code, Some(3), "{audited:?}");
    let fault = &audited.reports[0]["fault"];
    assert_eq!(audited.reports[0]["verdict"], "exposed");
    assert_eq!(fault["peer"], network.peers[LIAR].did_key);
    assert_eq!(fault["rule"], live.rule);
    assert_eq!(fault["entry"], live.entry);
    assert_eq!(fault["expected"], live.expected);
    assert_eq!(fault["found"], live.found);
    assert_ne!(fault["expected"], fault["found"]);
    assert_eq!(
        (&live.name, live.signed),
        (&"wrong reward".to_owned(), true)
    );
    // A node that holds the log says the same of it.
    let socket = network.peers[LIAR].socket.display().to_string();
    let asked = audit_with(&["--node", &socket], &[]).await?;
    assert_eq!(asked.code, Some(3), "{asked:?}");
    assert_eq!(&asked.reports[0]["fault"], fault);

    // Nobody else is blamed.
    for seen in network.settled_view(0).await? {
        let name = seen.name.clone().unwrap_or_default();
        if name.did_key != network.peers[LIAR].did_key {
            assert_eq!(seen.verdict(), v1::Verdict::Clean, "{seen:?}");
        }
    }
    network.assert_no_panic();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_30_a_false_bid_is_exposed_by_its_own_log_and_by_the_coordinators_alone()
-> anyhow::Result<()> {
    const FIBBER: usize = 1;
    let network = Network::start(vec![
        Role::asker("asker"),
        Role {
            tags: &["general", "poetry", "sums"],
            ..Role::answerer("fibber", scripted(100, 0)).played_by(Program::FalseBidder)
        },
        Role::answerer("ada", scripted(100, 0)),
        Role::answerer("bob", scripted(100, 0)),
    ])
    .await?;
    let client = network.peers[0].client().await?;
    for number in 0..4 {
        let (question, sum) = sum_question(number);
        let answered = ask(&client, &question, 2, 3).await?;
        assert_eq!(answered.answer, Some(sum), "{answered:?}");
    }
    let live = exposure(&network, 2, FIBBER).await?;
    assert_eq!(live.rule, "REPLAY-30", "{live:?}");

    let fibber = network.peers[FIBBER].did_key.as_str();
    let own = network.export(FIBBER).await?;
    let audited = audit(&[own]).await?;
    assert_eq!(audited.code, Some(3), "{audited:?}");
    assert_eq!(audited.reports[0]["peer"], fibber);
    assert_eq!(audited.reports[0]["fault"]["rule"], "REPLAY-30");

    // The coordinator's log holds the signed bid and the signed capability: no more is needed, and it is not to blame.
    let coordinator = network.export(0).await?;
    let audited = audit(&[coordinator]).await?;
    assert_eq!(audited.code, Some(3), "{audited:?}");
    for report in &audited.reports {
        if report["peer"] == fibber {
            assert_eq!(report["verdict"], "exposed", "{report}");
            assert_eq!(report["fault"]["rule"], "REPLAY-30", "{report}");
            assert_eq!(report["fault"]["peer"], fibber, "{report}");
        } else {
            assert_eq!(report["peer"], network.peers[0].did_key);
            assert_eq!(report["verdict"], "clean", "{report}");
        }
    }
    assert!(
        audited
            .reports
            .iter()
            .any(|report| report["peer"] == fibber)
    );

    network.assert_no_panic();
    Ok(())
}
