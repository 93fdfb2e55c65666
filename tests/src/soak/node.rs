//! The same of the real program: `symphony node run`, killed while it works and while it starts.
//!
//! The killer submits tasks, keeps what the node's own log showed over the admin API in a list of its own, kills, and compares.
//! Now and then the whole log is replayed: whatever was open at a kill is settled as the rules say.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::Context as _;
use symphony_admin::{AdminClient, LogName, v1};
use symphony_ledger::MissingRecord;
use symphony_node::{
    config::{AdminSettings, Config, NetworkSettings},
    home::Home,
};
use symphony_protocol::replay::Replay;
use symphony_transparency::entry_digest;
use tokio::process::{Child, Command};

use super::{
    acknowledged::{Acknowledged, Said},
    numbers::Numbers,
};

/// Longest life of a node that is killed while it works, in milliseconds.
const LIFE_MS_MAX: u64 = 300;
/// Longest life of one that is killed while it starts.
const START_MS_MAX: u64 = 120;
/// One of so many lives ends while it starts.
const STARTS: u64 = 4;
/// Tasks under way at once.
const TASKS: u32 = 6;
/// Time for a start.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// Between two looks at whether a node is up.
const LOOK: Duration = Duration::from_millis(5);
/// Every so many rounds, the whole log is replayed.
const ROUNDS_PER_REPLAY: u64 = 10;

/// What was done to nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NodeCounts {
    /// Kills while it worked.
    pub kills: u64,
    /// Kills while it started.
    pub starts: u64,
    /// Entries that it showed.
    pub shown: u64,
    /// Comparisons of a shown entry with the stored one.
    pub compared: u64,
    /// Replays of the whole log.
    pub replays: u64,
}

/// Kills a node again and again.
///
/// # Errors
/// The first entry that was shown and is gone, or a log that breaks a rule.
pub fn kill_nodes(
    program: &Path,
    folder: &Path,
    rounds: u64,
    seed: u64,
) -> anyhow::Result<NodeCounts> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(run(program, folder, rounds, seed))
}

struct Killed {
    program: PathBuf,
    home: Home,
    socket: PathBuf,
    acknowledged: Acknowledged,
    numbers: Numbers,
    counts: NodeCounts,
}

async fn run(program: &Path, folder: &Path, rounds: u64, seed: u64) -> anyhow::Result<NodeCounts> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join("home");
    let socket = path.join("admin.sock");
    let config = Config {
        network: NetworkSettings {
            name: "soak".to_owned(),
            admission_difficulty_bits: 1,
        },
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        mdns: false,
        admin: AdminSettings {
            socket: Some(socket.clone()),
            ..AdminSettings::default()
        },
        // Nobody else is there.
        gather_timeout: Duration::from_millis(10),
        checkpoint_interval: Duration::from_millis(50),
        ..Config::default()
    };
    let (home, _) = Home::init(&path, &config, |_| {}).await?;
    let mut killed = Killed {
        program: program.to_owned(),
        home,
        socket,
        acknowledged: Acknowledged::create(&folder.join("acknowledged"))?,
        numbers: Numbers::new(seed),
        counts: NodeCounts::default(),
    };
    for round in 1..=rounds {
        killed
            .round(round)
            .await
            .with_context(|| format!("node round {round}, seed {seed}, {}", folder.display()))?;
    }
    killed.counts.shown = killed.acknowledged.count();
    Ok(killed.counts)
}

impl Killed {
    async fn round(&mut self, round: u64) -> anyhow::Result<()> {
        let mut process = self.start()?;
        if self.numbers.below(STARTS) == 0 {
            self.counts.starts += 1;
            let life = Duration::from_millis(self.numbers.below(START_MS_MAX));
            tokio::time::sleep(life).await;
        } else {
            self.counts.kills += 1;
            let client = self.ready(&mut process).await?;
            let life = Duration::from_millis(self.numbers.below(LIFE_MS_MAX));
            // The end of the time is the end of whatever is under way.
            let _ = tokio::time::timeout(life, self.work(&client, round)).await;
        }
        process.kill().await?;
        self.acknowledged.sync()?;
        self.compare(round.is_multiple_of(ROUNDS_PER_REPLAY)).await
    }

    fn start(&self) -> anyhow::Result<Child> {
        Command::new(&self.program)
            .args(["node", "run", "--home"])
            .arg(self.home.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the node")
    }

    async fn ready(&self, process: &mut Child) -> anyhow::Result<AdminClient> {
        let up = async {
            loop {
                if let Ok(client) = AdminClient::connect_unix(&self.socket).await
                    && client.node_info().await.is_ok()
                {
                    return client;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            ended = process.wait() => anyhow::bail!("the node ended with {}", ended?),
            up = tokio::time::timeout(START_TIME_MAX, up) => up.context("the node does not start"),
        }
    }

    /// Submits tasks that nobody bids for, and notes what the log shows.
    async fn work(&mut self, client: &AdminClient, round: u64) -> anyhow::Result<()> {
        let mut shown = client.tail(LogName::Own, Some(0)).await?;
        let mut tasks = Vec::new();
        for number in 0..TASKS {
            tasks.push(client.submit(task(round, number)).await?);
        }
        while let Some(entry) = shown.message().await? {
            self.acknowledged.note(&Said::Released {
                size: entry.index + 1,
                first: entry.index,
                digests: vec![entry_digest(&entry.bytes)],
            })?;
        }
        Ok(())
    }

    /// Everything that was shown is there; the log is one that an auditor finds clean.
    async fn compare(&mut self, replays: bool) -> anyhow::Result<()> {
        let params = self.home.config()?.params()?;
        let (ledger, recovered) = self.home.open_ledger(&params, MissingRecord::Refuse)?;
        anyhow::ensure!(
            recovered.standing == symphony_ledger::Standing::Good,
            "{:?}",
            recovered.standing
        );
        let own = ledger.own().context("the whole log is gone")?;
        for (index, expected) in self.acknowledged.iter() {
            let entry = own.entry(index)?;
            let entry = entry.with_context(|| format!("entry {index} was shown and is gone"))?;
            anyhow::ensure!(
                entry_digest(&entry) == expected,
                "entry {index} was shown with other bytes"
            );
            self.counts.compared += 1;
        }
        if replays {
            let entry_0 = own.entry(0)?.context("entry 0 is gone")?;
            let mut replay = Replay::begin(&entry_0, Some(&params.network_id()))?;
            for entry in own.entries(1..own.size()?) {
                replay
                    .push(&entry?.1)
                    .map_err(|fault| anyhow::anyhow!("the log breaks a rule: {fault}"))?;
            }
            self.counts.replays += 1;
        }
        drop(own);
        Ok(ledger.close().await?)
    }
}

fn task(round: u64, number: u32) -> v1::SubmitRequest {
    let step = v1::Step {
        text: format!("What is {round} plus {number}?"),
        tags: vec!["sums".to_owned()],
        form: v1::AnswerForm::Integer.into(),
    };
    v1::SubmitRequest {
        work: Some(v1::submit_request::Work::Question(step)),
        settings: Some(v1::TaskSettings {
            executors: 3,
            close_bids: 3,
            bid_window_ms: 40 + number * 15,
            execute_ms: 1_000,
            ..v1::TaskSettings::default()
        }),
        ..v1::SubmitRequest::default()
    }
}
