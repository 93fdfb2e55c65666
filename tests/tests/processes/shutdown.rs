//! A clean end.

use std::time::{Duration, Instant};

use symphony_transparency::SignedCheckpoint;

use crate::support::{Network, Role, ask, audit, read_export, scripted, sum_question, symphony};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_a_node_within_ten_seconds_with_a_checkpoint_over_its_whole_log()
-> anyhow::Result<()> {
    let mut network = Network::start(vec![
        Role::asker("asker"),
        Role::answerer("ada", scripted(100, 0)),
    ])
    .await?;
    let client = network.peers[0].client().await?;
    for number in 0..3 {
        let (question, sum) = sum_question(number);
        let answered = ask(&client, &question, 1, 1).await?;
        assert_eq!(answered.answer, Some(sum), "{answered:?}");
    }
    for index in 0..2 {
        let began = Instant::now();
        let status = network.peers[index].terminate().await?;
        assert!(
            status.success(),
            "{status}: {}",
            network.peers[index].written()
        );
        assert!(began.elapsed() < Duration::from_secs(10));
        assert!(!network.peers[index].socket.exists(), "the socket is left");
    }
    for index in 0..2 {
        let file = network.file(&format!("{index}.symlog"));
        let exported = tokio::process::Command::new(symphony())
            .args(["log", "export"])
            .arg(&file)
            .arg("--home")
            .arg(&network.peers[index].home)
            .output()
            .await?;
        assert!(exported.status.success(), "{exported:?}");
        let (header, entries) = read_export(&file)?;
        let note = header.checkpoint.expect("a checkpoint");
        let signed = SignedCheckpoint::parse_and_verify(&note, &header.log_key)?;
        assert_eq!(signed.checkpoint().size, entries.len() as u64);
        let audited = audit(&[file]).await?;
        audited.assert_clean();
    }
    network.assert_no_panic();
    Ok(())
}
