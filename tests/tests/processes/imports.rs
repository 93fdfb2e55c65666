//! A node takes in what a peer that it follows has measured, and anyone can replay it. Spec: chapter 21.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;
use symphony_admin::v1;
use symphony_protocol::records::Body;

use crate::support::{
    Network, Role, ask, audit, entries, read_export, scripted, sum_question, symphony, until,
};

/// Runs the command line of a peer; gives its exit code and the last line of what it printed.
async fn command(home: &Path, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let output = tokio::process::Command::new(symphony())
        .args(arguments)
        .arg("--home")
        .arg(home)
        .output()
        .await?;
    let text = [output.stdout, output.stderr].concat();
    Ok((
        output.status.code(),
        String::from_utf8_lossy(&text).trim().to_owned(),
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn import_1_a_newcomer_takes_in_what_another_peer_measured() -> anyhow::Result<()> {
    let network = Network::start(vec![
        Role::asker("old"),
        Role::asker("new"),
        Role::answerer("ada", scripted(100, 0)),
        Role::answerer("bob", scripted(100, 0)),
    ])
    .await?;
    let old = network.peers[0].client().await?;
    for number in 0..4 {
        let (question, _) = sum_question(number);
        ask(&old, &question, 2, 2).await?;
    }
    let (header, _) = read_export(&network.export(0).await?)?;
    let log = header.log_id.to_string();
    let home = network.peers[1].home.clone();
    // Until the newcomer has replayed what its checkpoint covers, there is nothing to take in.
    let taken = until(
        "the newcomer follows the old log up to a settlement",
        || async {
            let (code, text) = command(
                &home,
                &["policy", "import", &log, "--weight", "0.5", "--json"],
            )
            .await
            .ok()?;
            (code == Some(0)).then_some(text)
        },
    )
    .await?;
    let taken: Value = serde_json::from_str(&taken)?;
    assert_eq!(taken["source"], network.peers[0].did_key, "{taken}");
    assert_eq!(taken["claims"], 2, "{taken}");
    let (_, state) = command(&home, &["policy", "state", "--json"]).await?;
    let state: Value = serde_json::from_str(&state)?;
    assert_eq!(state["sources"][0]["odds"], 0.5, "{state}");

    // What it foretold comes true, so it weighs more than at first.
    let new = network.peers[1].client().await?;
    for number in 4..8 {
        let (question, sum) = sum_question(number);
        let answered = ask(&new, &question, 2, 2).await?;
        assert_eq!(answered.answer, Some(sum), "{question}");
    }
    let (_, state) = command(&home, &["policy", "state", "--json"]).await?;
    let state: Value = serde_json::from_str(&state)?;
    let odds = state["sources"][0]["odds"].as_f64().context("odds")?;
    assert!(odds > 0.5, "{state}");

    let source = &network.peers[0].did_key;
    let (code, text) = command(&home, &["policy", "import", source]).await?;
    assert_eq!(code, Some(2), "{text}");
    let (code, text) = command(&home, &["policy", "import", source, "--leave-out"]).await?;
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = command(&home, &["policy", "import", &log, "--leave-out"]).await?;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("a source that is taken in"), "{text}");
    let own = {
        let (header, _) = read_export(&network.export(1).await?)?;
        header.log_id.to_string()
    };
    let (code, text) = command(&home, &["policy", "import", &own]).await?;
    assert_eq!(code, Some(1), "{text}");
    let unknown = "ab".repeat(32);
    let (code, text) = command(&home, &["policy", "import", &unknown]).await?;
    assert_eq!(code, Some(1), "{text}");

    let file = network.export(1).await?;
    let imports = entries(&file)?
        .iter()
        .filter(|entry| matches!(entry.body, Body::MeasuresImported(_)))
        .count();
    assert_eq!(imports, 2);
    audit(&[file]).await?.assert_clean();
    for seen in network.settled_view(0).await? {
        assert_eq!(seen.verdict(), v1::Verdict::Clean, "{seen:?}");
    }
    network.assert_no_panic();
    Ok(())
}
