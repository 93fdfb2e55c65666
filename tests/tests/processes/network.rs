//! An asker and four answerers, each a process of its own.

use std::collections::BTreeSet;

use symphony_admin::v1;

use crate::support::{Network, Role, ask, ask_within, audit, scripted, sum_question, sum_step};

/// Listening sockets of a process, over all protocols: inodes that it holds open and that are bound.
fn listening_ports(process: u32) -> anyhow::Result<BTreeSet<(String, u16)>> {
    let mut inodes = BTreeSet::new();
    for file in std::fs::read_dir(format!("/proc/{process}/fd"))? {
        // A file that was closed meanwhile is none.
        let Ok(target) = std::fs::read_link(file?.path()) else {
            continue;
        };
        if let Some(inode) = target
            .to_string_lossy()
            .strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'))
        {
            inodes.insert(inode.to_owned());
        }
    }
    let mut ports = BTreeSet::new();
    // State 0A is a TCP socket that listens, 07 a UDP socket that is bound and not connected.
    for (protocol, state) in [("tcp", "0A"), ("udp", "07")] {
        let table = std::fs::read_to_string(format!("/proc/{process}/net/{protocol}"))?;
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, local, _, found, _, _, _, _, _, inode, ..] = fields.as_slice() else {
                continue;
            };
            if *found == state
                && inodes.contains(*inode)
                && let Some((_, port)) = local.split_once(':')
            {
                ports.insert((protocol.to_owned(), u16::from_str_radix(port, 16)?));
            }
        }
    }
    Ok(ports)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_processes_answer_twenty_questions_and_every_log_audits_clean_from_its_file_alone()
-> anyhow::Result<()> {
    let network = Network::start(vec![
        Role::asker("asker"),
        Role::answerer("ada", scripted(100, 0)),
        Role::answerer("bob", scripted(100, 0)),
        Role::answerer("cyd", scripted(100, 0)),
        Role::answerer("dan", scripted(0, 0)),
    ])
    .await?;

    let mut processes = BTreeSet::new();
    for peer in &network.peers {
        let id = peer.id()?;
        assert!(processes.insert(id), "two peers in one process");
        let program = std::fs::read_link(format!("/proc/{id}/exe"))?;
        assert!(program.ends_with("symphony"), "{}", program.display());
        let ports = listening_ports(id)?;
        for protocol in ["tcp", "udp"] {
            let expected = (protocol.to_owned(), peer.port);
            assert!(ports.contains(&expected), "{}: {ports:?}", peer.name);
        }
    }
    assert_eq!(processes.len(), 5);

    let client = network.peers[0].client().await?;
    for number in 0..20 {
        let (question, sum) = sum_question(number);
        let answered = ask(&client, &question, 3, 4).await?;
        assert_eq!(answered.failure, None, "{question}");
        assert_eq!(
            answered.answer.as_deref(),
            answered.majority(),
            "{question}"
        );
        assert_eq!(answered.answer, Some(sum), "{question}");
        assert_eq!(answered.executors.len(), 3, "{question}");
    }

    // The same by gossip: everybody is a neighbour, and bids on what came in a message of its own.
    for number in 20..22 {
        let (question, sum) = sum_question(number);
        let settings = v1::TaskSettings {
            executors: 3,
            close_bids: 4,
            bid_window_ms: 1_000,
            execute_ms: 4_000,
            reach: v1::Reach::Gossip.into(),
            ..v1::TaskSettings::default()
        };
        let answered = ask_within(&client, sum_step(&question), settings).await?;
        assert_eq!(answered.failure, None, "{question}");
        assert_eq!(answered.answer, Some(sum), "{question}");
        assert_eq!(answered.executors.len(), 3, "{question}");
    }

    for (index, peer) in network.peers.iter().enumerate() {
        for seen in network.settled_view(index).await? {
            assert_eq!(
                seen.verdict(),
                symphony_admin::v1::Verdict::Clean,
                "{} of {seen:?}",
                peer.name
            );
        }
    }

    let files = network.export_all().await?;
    assert_eq!(files.len(), 5);
    let folder = tempfile::tempdir()?;
    for (number, file) in files.iter().enumerate() {
        // Alone in a folder of its own, under a name that says nothing.
        let alone = folder.path().join(format!("{number}"));
        std::fs::rename(file, &alone)?;
        let audited = audit(std::slice::from_ref(&alone)).await?;
        audited.assert_clean();
        assert_eq!(audited.reports.len(), 1);
        assert_eq!(audited.reports[0]["peer"], network.peers[number].did_key);
        if number == 0 {
            // Each question settles each of its three selections.
            assert_eq!(audited.reports[0]["selections"], 66);
            assert_eq!(audited.reports[0]["settlements"], 66);
            assert_eq!(audited.reports[0]["void"], 0);
        }
    }
    network.assert_no_panic();
    Ok(())
}
