//! Followers cosign what they replayed, the author collects it, and a policy says what counts.

use symphony_node::home::Home;
use symphony_transparency::Cosigner;

use crate::support::{Network, Role, ask, audit_with, read_export, scripted, sum_question, until};

/// The line of a policy that names a peer's witness key.
async fn witness_line(network: &Network, index: usize) -> anyhow::Result<String> {
    let peer = &network.peers[index];
    let file = network.export(index).await?;
    let (header, _) = read_export(&file)?;
    let key = Home::open(&peer.home)?.secret("witness")?.public();
    let cosigner = Cosigner::of_peer(&header.network_id, &header.log_id, key);
    Ok(format!(
        "witness {} {}\n",
        peer.name,
        cosigner.verifier_key()
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_35_an_export_carries_the_cosignatures_of_its_followers_and_a_policy_counts_them()
-> anyhow::Result<()> {
    let network = Network::start(vec![
        Role::asker("asker"),
        Role::answerer("ada", scripted(100, 0)),
        Role::answerer("bob", scripted(100, 0)),
    ])
    .await?;
    let client = network.peers[0].client().await?;
    for number in 0..3 {
        let (question, _) = sum_question(number);
        ask(&client, &question, 2, 2).await?;
    }
    let witnesses = [
        witness_line(&network, 1).await?,
        witness_line(&network, 2).await?,
    ];
    let policy = network.file("policy");
    std::fs::write(
        &policy,
        format!(
            "{}{}group both all ada bob\nquorum both\n",
            witnesses[0], witnesses[1]
        ),
    )?;
    let flag = policy.to_string_lossy().into_owned();
    let report = until("both followers cosigned the newest checkpoint", || async {
        let file = network.export(0).await.ok()?;
        let audited = audit_with(&["--trust-policy", &flag], &[file]).await.ok()?;
        audited.assert_clean();
        let report = audited.reports.into_iter().next()?;
        (report["witnessed"]["size"].as_u64() > Some(0)).then_some(report)
    })
    .await?;
    let by = report["witnessed"]["by"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let names: Vec<&str> = by.iter().filter_map(|by| by["witness"].as_str()).collect();
    assert_eq!(names, ["ada", "bob"], "{report}");
    assert_eq!(report["witnessed"]["size"], report["checkpoint_size"]);

    // Whom a policy does not name does not count, however many cosigned.
    let stranger = witness_line(&network, 0).await?;
    std::fs::write(&policy, format!("{stranger}quorum asker\n"))?;
    let file = network.export(0).await?;
    let audited = audit_with(&["--trust-policy", &flag], &[file]).await?;
    assert_eq!(audited.reports[0]["witnessed"]["size"], 0, "{audited:?}");
    network.assert_no_panic();
    Ok(())
}
