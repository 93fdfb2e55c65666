//! Evidence: made by whoever finds a fault, passed on, kept, verified by a process that knows nothing else, and acted on.

use std::{path::Path, process::Stdio};

use serde_json::Value;
use symphony_admin::v1;
use tokio::process::Command;

use crate::support::{Network, Program, Role, ask, scripted, sum_question, symphony, until};

/// What a command said.
struct Said {
    code: Option<i32>,
    lines: Vec<Value>,
    errors: String,
}

/// Runs `symphony evidence …` in a process that sees nothing else.
async fn evidence(arguments: &[&str], paths: &[&Path]) -> anyhow::Result<Said> {
    let output = Command::new(symphony())
        .arg("evidence")
        .args(arguments)
        .args(paths)
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!errors.contains("panicked"), "{errors}");
    let lines = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect::<Result<_, _>>()?;
    Ok(Said {
        code: output.status.code(),
        lines,
        errors,
    })
}

/// Waits until a peer holds evidence against another, and gives what it sees of it.
pub(crate) async fn convicted(
    network: &Network,
    observer: usize,
    accused: usize,
) -> anyhow::Result<v1::Peer> {
    let (observer, accused) = (&network.peers[observer], &network.peers[accused]);
    until(
        &format!("{} holds evidence against {}", observer.name, accused.name),
        || async {
            let seen = observer.view_of(&accused.did_key).await?;
            (seen.verdict() == v1::Verdict::Exposed && seen.has_evidence).then_some(seen)
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_29_evidence_convicts_a_liar_to_who_never_met_it_and_after_a_restart()
-> anyhow::Result<()> {
    const LIAR: usize = 1;
    let mut network = Network::start(vec![
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
    let seen = convicted(&network, 0, LIAR).await?;
    let rule = seen.fault.map(|fault| fault.rule).unwrap_or_default();
    assert_eq!(rule, "REPLAY-40");
    let export = network.export(LIAR).await?;
    network.peers[LIAR].kill().await?;

    // Whoever comes now can follow no log of the liar, and is told all the same.
    let late = network.join(Role::asker("late")).await?;
    let told = convicted(&network, late, LIAR).await?;
    assert_eq!(told.fault.map(|fault| fault.rule), Some(rule.clone()));
    assert!(!told.connected);
    network.peers[late].kill().await?;
    network.restart(late).await?;
    convicted(&network, late, LIAR).await?;

    let folder = network.file("evidence");
    let socket = network.peers[late].socket.clone();
    let listed = evidence(
        &["list", "--json", "--out"],
        &[&folder, Path::new("--node"), &socket],
    )
    .await?;
    assert_eq!(listed.code, Some(0), "{}", listed.errors);
    assert_eq!(listed.lines.len(), 1, "{:?}", listed.lines);
    let size = listed.lines[0]["size"].as_u64().unwrap_or(u64::MAX);
    assert!(size <= 16 * 1024, "{size} bytes");
    let digest = listed.lines[0]["digest"].as_str().unwrap_or_default();
    let file = folder.join(format!("{digest}.evidence"));

    let verified = evidence(&["verify", "--json"], &[&file]).await?;
    assert_eq!(verified.code, Some(0), "{}", verified.errors);
    let said = &verified.lines[0];
    assert_eq!(said["peer"], network.peers[LIAR].did_key);
    assert_eq!(
        (&said["rule"], &said["valid"]),
        (&rule.into(), &true.into())
    );
    assert!(
        said["explanation"]
            .as_str()
            .is_some_and(|text| text.len() > 20)
    );
    let keys: Vec<&String> = said
        .as_object()
        .map(|map| map.keys().collect())
        .unwrap_or_default();
    assert_eq!(keys, ["explanation", "file", "peer", "rule", "valid"]);

    // With any byte changed it convicts nobody.
    let bytes = std::fs::read(&file)?;
    let forged = network.file("forged.evidence");
    for place in [2, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        std::fs::write(&forged, changed)?;
        let verified = evidence(&["verify", "--json"], &[&forged]).await?;
        assert!(
            matches!(verified.code, Some(1 | 2)),
            "byte {place}: {:?}",
            verified.code
        );
        assert!(verified.lines.iter().all(|line| line["valid"] == false));
    }
    std::fs::write(&forged, b"no evidence")?;
    let verified = evidence(&["verify", "--json"], &[&forged]).await?;
    assert_eq!(verified.code, Some(2));

    // The exported log gives evidence of the same fault.
    let made = network.file("made");
    let said = evidence(
        &["make", "--json", "--out"],
        &[&made, Path::new("--log"), &export],
    )
    .await?;
    assert_eq!(said.code, Some(3), "{}", said.errors);
    assert_eq!(said.lines[0]["peer"], network.peers[LIAR].did_key);
    let file = said.lines[0]["evidence"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let verified = evidence(&["verify", "--json"], &[Path::new(&file)]).await?;
    assert_eq!(verified.code, Some(0), "{}", verified.errors);

    // Of several files each is judged, and the worst decides how the command ends.
    let both = evidence(&["verify", "--json"], &[&forged, Path::new(&file)]).await?;
    assert_eq!(both.code, Some(2), "{}", both.errors);
    assert_eq!(both.lines.len(), 1, "{:?}", both.lines);
    assert_eq!(
        (&both.lines[0]["file"], &both.lines[0]["valid"]),
        (&file.into(), &true.into())
    );
    network.assert_no_panic();
    Ok(())
}
