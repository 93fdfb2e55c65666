//! Bad input and bad surroundings: a clear error each, nothing lost, no panic.

use std::{
    fs::{File, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Stdio,
};

use symphony_admin::{AdminClient, BearerToken, ErrorKind};
use symphony_questions::TASK_FILE_SIZE_MAX;
use tokio::process::Command;

use crate::support::{
    Network, Peer, Role, TIME_MAX, ask, audit, engine, entries, free_port, scripted, sum_question,
    symphony,
};

/// Runs `symphony` to its end, which must be a failure that says so. Gives standard error.
async fn refused(arguments: &[&str]) -> anyhow::Result<String> {
    let child = Command::new(symphony())
        .args(arguments)
        .env_remove("SYMPHONY_HOME")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = tokio::time::timeout(TIME_MAX, child.wait_with_output()).await??;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!errors.contains("panicked"), "{errors}");
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{}: {errors}",
        output.status
    );
    assert!(errors.contains("error: "), "{errors}");
    Ok(errors)
}

async fn run_refused(home: &Path) -> anyhow::Result<String> {
    refused(&["node", "run", "--home", &home.to_string_lossy()]).await
}

fn edit(file: &Path, change: impl FnOnce(String) -> String) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)?;
    std::fs::write(file, change(text))?;
    Ok(())
}

fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} in {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_is_named() -> anyhow::Result<()> {
    let network = Network::prepare(vec![Role::asker("asker")]).await?;
    let port = network.peers[0].port;
    let taken = TcpListener::bind(("127.0.0.1", port))?;
    let said = run_refused(&network.peers[0].home).await?;
    assert_says(&said, &["in use", &port.to_string()]);
    drop(taken);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_a_home_is_refused_and_the_first_goes_on() -> anyhow::Result<()> {
    let network = Network::start(vec![Role::asker("asker")]).await?;
    let before = network.peers[0].client().await?.node_info().await?;
    let said = run_refused(&network.peers[0].home).await?;
    assert!(
        said.contains("in use") || said.contains("another"),
        "{said}"
    );
    let after = network.peers[0].client().await?.node_info().await?;
    assert_eq!(before.name, after.name);
    network.assert_no_panic();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tasks_file_without_tasks_is_refused() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tasks.json");
    let path = file.to_string_lossy().into_owned();
    for (bytes, word) in [
        (b"".as_slice(), "empty"),
        (b"this is no JSON", "JSON"),
        (b"{\"examples\": []}", "no task"),
        (b"{\"examples\": [{\"input\": 7}]}", "input"),
        (b"\xff\xfe\x00", "text"),
    ] {
        std::fs::write(&file, bytes)?;
        let said = refused(&["demo", "--tasks", &path]).await?;
        assert_says(&said.to_lowercase(), &[&word.to_lowercase()]);
    }
    File::create(&file)?.set_len(TASK_FILE_SIZE_MAX as u64 * 1_000)?;
    let said = refused(&["demo", "--tasks", &path]).await?;
    assert_says(&said, &[&TASK_FILE_SIZE_MAX.to_string()]);
    std::fs::remove_file(&file)?;
    refused(&["demo", "--tasks", &path]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_folder_without_weights_is_named() -> anyhow::Result<()> {
    let Some(program) = engine() else {
        return Ok(());
    };
    let empty = tempfile::tempdir()?;
    for file in ["config.json", "tokenizer.json"] {
        std::fs::write(empty.path().join(file), "{}")?;
    }
    let executor = crate::engine::executor(&program, empty.path().to_owned(), empty.path());
    let network = Network::prepare(vec![Role::answerer("ada", executor)]).await?;
    let said = run_refused(&network.peers[0].home).await?;
    assert_says(&said, &["weights"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admin_over_tcp_needs_a_token_file_and_the_token() -> anyhow::Result<()> {
    let mut network = Network::prepare(vec![Role::asker("asker")]).await?;
    let (home, port) = (network.peers[0].home.clone(), free_port()?);
    edit(&home.join("config.toml"), |text| {
        text.replace(
            "[admin]\n",
            &format!("[admin]\ntcp = \"127.0.0.1:{port}\"\n"),
        )
    })?;
    let said = run_refused(&home).await?;
    assert_says(&said, &["token"]);

    let token = home.join("auditor.token");
    std::fs::write(&token, "a".repeat(40))?;
    std::fs::set_permissions(&token, Permissions::from_mode(0o644))?;
    edit(&home.join("config.toml"), |text| {
        let line = format!("[admin]\nauditor_token_file = \"{}\"\n", token.display());
        text.replace("[admin]\n", &line)
    })?;
    let said = run_refused(&home).await?;
    assert_says(&said, &["auditor.token", "644"]);

    std::fs::set_permissions(&token, Permissions::from_mode(0o600))?;
    network.peers[0].start(&[])?;
    network.peers[0].ready().await?;
    let address = format!("127.0.0.1:{port}").parse()?;
    let other = home.join("other.token");
    std::fs::write(&other, "b".repeat(40))?;
    std::fs::set_permissions(&other, Permissions::from_mode(0o600))?;
    let stranger = AdminClient::connect_tcp(address, &BearerToken::read_file(&other)?).await?;
    let error = stranger.node_info().await.expect_err("a stranger");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    let auditor = AdminClient::connect_tcp(address, &BearerToken::read_file(&token)?).await?;
    auditor.node_info().await?;
    let error = auditor.shutdown().await.expect_err("only an operator may");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    network.assert_no_panic();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_others_can_read_and_a_key_that_is_none_are_refused() -> anyhow::Result<()> {
    let network = Network::prepare(vec![Role::asker("asker")]).await?;
    let key = network.peers[0].home.join("keys").join("log.key");
    std::fs::set_permissions(&key, Permissions::from_mode(0o644))?;
    let said = run_refused(&network.peers[0].home).await?;
    assert_says(&said, &["log.key", "chmod 600"]);
    std::fs::set_permissions(&key, Permissions::from_mode(0o600))?;
    std::fs::write(&key, "no key")?;
    let said = run_refused(&network.peers[0].home).await?;
    assert_says(&said, &["log.key", "64 hexadecimal digits"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_key_of_the_settings_is_named() -> anyhow::Result<()> {
    let network = Network::prepare(vec![Role::asker("asker")]).await?;
    let file = network.peers[0].home.join("config.toml");
    edit(&file, |text| format!("colour = \"red\"\n{text}"))?;
    let said = run_refused(&network.peers[0].home).await?;
    assert_says(&said, &["colour"]);
    Ok(())
}

/// Copies a folder with everything in it.
async fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copied = Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status()
        .await?;
    anyhow::ensure!(copied.success(), "cp ended with {copied}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_backup_of_the_data_is_refused_by_the_signing_record() -> anyhow::Result<()> {
    let mut network = Network::start(vec![
        Role::asker("asker"),
        Role::answerer("ada", scripted(100, 0)),
    ])
    .await?;
    let home = network.peers[0].home.clone();
    let (data, backup, newest) = (
        home.join("data"),
        network.file("backup"),
        network.file("newest"),
    );
    ask_some(&network, 0..2).await?;
    network.peers[0].terminate().await?;
    copy(&data, &backup).await?;
    network.restart(0).await?;
    ask_some(&network, 2..4).await?;
    network.peers[0].terminate().await?;

    std::fs::rename(&data, &newest)?;
    copy(&backup, &data).await?;
    let said = run_refused(&home).await?;
    assert_says(&said, &["signed"]);

    // With the newest data back, the log goes on.
    std::fs::remove_dir_all(&data)?;
    std::fs::rename(&newest, &data)?;
    network.restart(0).await?;
    ask_some(&network, 4..6).await?;
    audit(&[network.export(0).await?]).await?.assert_clean();
    network.assert_no_panic();
    Ok(())
}

async fn ask_some(network: &Network, numbers: std::ops::Range<u32>) -> anyhow::Result<()> {
    let client = network.peers[0].client().await?;
    for number in numbers {
        let (question, sum) = sum_question(number);
        let answered = ask(&client, &question, 1, 1).await?;
        assert_eq!(answered.answer, Some(sum), "{answered:?}");
    }
    Ok(())
}

/// Starts a peer that may write no file beyond this many blocks of 512 bytes: as on a full disk, writing fails.
fn start_on_a_full_disk(peer: &mut Peer, blocks: u32) -> anyhow::Result<()> {
    let errors = File::options()
        .append(true)
        .create(true)
        .open(&peer.output)?;
    let process = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f \"$1\"; exec \"$2\" node run --home \"$3\"",
            "sh",
        ])
        .arg(blocks.to_string())
        .arg(symphony())
        .arg(&peer.home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .kill_on_drop(true)
        .spawn()?;
    peer.process = Some(process);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_the_node_ends_with_an_error_and_loses_nothing() -> anyhow::Result<()> {
    let mut network = Network::start(vec![
        Role::asker("asker"),
        Role::answerer("ada", scripted(100, 0)),
    ])
    .await?;
    ask_some(&network, 0..2).await?;
    let asker = &mut network.peers[0];
    asker.terminate().await?;
    start_on_a_full_disk(asker, 200)?;
    asker.ready().await?;
    let client = asker.client().await?;
    let mut process = asker.process.take().expect("started");
    let asking = async {
        for number in 2..1_000 {
            let (question, _) = sum_question(number);
            // The node may end at any moment now.
            if ask(&client, &question, 1, 1).await.is_err() {
                break;
            }
        }
    };
    let status = tokio::time::timeout(TIME_MAX, async {
        tokio::select! {
            status = process.wait() => status,
            () = asking => process.wait().await,
        }
    })
    .await??;
    let written = network.peers[0].written();
    assert_eq!(status.code(), Some(1), "{status}: {written}");
    assert_says(&written, &["error: ", "ledger"]);

    network.restart(0).await?;
    ask_some(&network, 2_000..2_002).await?;
    let files = network.export_all().await?;
    audit(&files).await?.assert_clean();
    crate::kills::assert_acknowledged_is_there(&network, 0, &files)?;
    assert!(entries(&files[0])?.len() > 20);
    network.assert_no_panic();
    Ok(())
}
