//! The real program: a running node serves its log, and stops doing so when it ends.

use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use symphony_ledger::MissingRecord;
use symphony_node::{config::Config, home::Home};
use symphony_transparency::SignedCheckpoint;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use crate::files::symphony;

/// Longest wait for what a node does by itself.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Starts the node of a home folder; gives its log and the address at which it serves.
async fn start(home: &Home) -> Result<(Child, Lines<BufReader<ChildStderr>>, String)> {
    let mut node = Command::new(symphony())
        .args([
            "node",
            "run",
            "--log-format",
            "json",
            "--log",
            "info",
            "--home",
        ])
        .arg(home.folder())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut log = BufReader::new(node.stderr.take().context("its log")?).lines();
    let said = async {
        while let Some(line) = log.next_line().await? {
            let said: Value = serde_json::from_str(&line)?;
            if said["fields"]["message"] == "serving logs as tiles" {
                let address = said["fields"]["address"].as_str().context("an address")?;
                return Ok(address.to_owned());
            }
        }
        anyhow::bail!("the node ended")
    };
    let address = timeout(TIME_MAX, said).await??;
    Ok((node, log, address))
}

async fn get(address: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn tile_6_a_running_node_serves_its_own_log() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut config = Config::default();
    config.network.admission_difficulty_bits = 0;
    config.mdns = false;
    config.listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    config.tiles.listen = Some("127.0.0.1:0".parse()?);
    let (home, log) = Home::init(&folder.path().join("home"), &config, |_| {}).await?;
    let (mut node, _log, address) = start(&home).await?;

    // The first checkpoint is signed within an interval of the start.
    let mut interval = tokio::time::interval(Duration::from_millis(50));
    let signed = async {
        loop {
            let answer = get(&address, "/checkpoint").await?;
            if let Some((head, text)) = answer.split_once("\r\n\r\n")
                && head.starts_with("HTTP/1.0 200")
            {
                let key = home.secret("log")?.public();
                return Ok::<_, anyhow::Error>(SignedCheckpoint::parse_and_verify(text, &key)?);
            }
            interval.tick().await;
        }
    };
    let signed = timeout(TIME_MAX, signed).await??;
    assert_eq!(signed.checkpoint().log, log);
    assert!(
        get(&address, "/").await?.contains("\n/ "),
        "the list of logs"
    );

    let id = node.id().context("it runs")?;
    let status = std::process::Command::new("kill")
        .arg(id.to_string())
        .status()?;
    ensure!(status.success());
    let ended = timeout(TIME_MAX, node.wait()).await??;
    assert!(ended.success(), "{ended}");
    assert!(TcpStream::connect(&address).await.is_err());
    // Nobody holds the ledger any more.
    home.open_ledger(&config.params()?, MissingRecord::Refuse)?;
    Ok(())
}
