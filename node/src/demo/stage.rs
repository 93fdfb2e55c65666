//! The stage: home folders, processes, admin sockets, exports and the separate auditor.

use std::{
    collections::BTreeMap,
    net::{TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use symphony_admin::{AdminClient, LogName, v1};
use symphony_executor::{EngineModel, EngineProcessConfig, ExecutorConfig};
use symphony_ledger::{ExportAbout, MissingRecord};
use symphony_transparency::PublicKey;
use tokio::{
    process::{Child, Command},
    sync::Mutex,
    time::{Instant, sleep},
};

use super::{
    DemoArgs,
    cast::{Part, Player, cast},
    show::Questions,
};
use crate::{
    config::{AdminSettings, Config, NetworkSettings, ProfileSettings},
    home::Home,
};

/// How often a process is asked whether it is ready, and peers what they see.
const POLL: Duration = Duration::from_millis(200);
/// Most peers that one answer lists.
const LIST_MAX: usize = 1_024;

/// A peer of the demo, with its process.
pub(super) struct Actor {
    pub(super) player: Player,
    pub(super) home: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) did_key: String,
    pub(super) log_id: String,
    process: Option<Child>,
}

/// Who saw which fault first.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    pub(super) seen_by: String,
    pub(super) accused: String,
    pub(super) rule: String,
    pub(super) entry: u64,
    pub(super) expected: String,
    pub(super) found: String,
    pub(super) after: Duration,
}

/// Everything that runs.
pub(super) struct Stage {
    pub(super) actors: Vec<Actor>,
    folder: PathBuf,
    /// Removed at the end, unless everything is kept.
    _temporary: Option<tempfile::TempDir>,
    engine: PathBuf,
    models: PathBuf,
    /// Most tokens of one answer.
    pub(super) output_tokens_max: u32,
    began: Instant,
    sightings: Arc<Mutex<Vec<Sighting>>>,
    watchers: Vec<tokio::task::JoinHandle<()>>,
}

impl Stage {
    /// Makes the homes and starts the processes.
    pub(super) async fn set(args: &DemoArgs, questions: &Questions) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program's own path")?;
        let beside = program.parent().map(Path::to_owned).unwrap_or_default();
        let engine = args
            .engine
            .clone()
            .unwrap_or_else(|| beside.join("symphony-engine"));
        let cheats = args.cheats.clone().unwrap_or(beside);
        require_file(&engine, "the model engine; build it with `./x engine cpu`")?;
        let (folder, temporary) = match &args.keep {
            Some(folder) => {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make {}", folder.display()))?;
                (std::fs::canonicalize(folder)?, None)
            }
            None => {
                let temporary = tempfile::Builder::new()
                    .prefix("symphony-demo-")
                    .tempdir()?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        if folder.join("homes").exists() {
            bail!(
                "{} holds an earlier demo; choose an empty folder",
                folder.display()
            );
        }
        for name in ["homes", "logs", "exports"] {
            std::fs::create_dir_all(folder.join(name))?;
        }
        std::fs::write(folder.join("tasks.jsonl"), questions.as_json_lines()?)?;
        let models = std::fs::canonicalize(&args.models)
            .with_context(|| format!("no folder of models at {}", args.models.display()))?;
        let mut stage = Self {
            actors: Vec::new(),
            folder,
            _temporary: temporary,
            engine,
            models,
            output_tokens_max: args.output_tokens_max(),
            began: Instant::now(),
            sightings: Arc::default(),
            watchers: Vec::new(),
        };
        let players: Vec<Player> = cast()
            .into_iter()
            .filter(|player| stage.playable(player))
            .collect();
        let meeting_points = [free_port()?, free_port()?];
        for player in players {
            stage
                .enter(player, &program, &cheats, &meeting_points)
                .await?;
        }
        Ok(stage)
    }

    /// A player whose model is not there stays at home.
    fn playable(&self, player: &Player) -> bool {
        player.model.is_none_or(|model| {
            let there = self.models.join(model).join("config.json").is_file();
            if !there {
                eprintln!("no model {model}: {} does not play", player.name);
            }
            there
        })
    }

    async fn enter(
        &mut self,
        player: Player,
        program: &Path,
        cheats: &Path,
        meeting_points: &[u16; 2],
    ) -> anyhow::Result<()> {
        let folder = self.folder.join("homes").join(player.name);
        // Socket paths have a limit of about 100 bytes: a short folder of their own.
        let socket = folder.join("admin.sock");
        let port = match player.part {
            Part::Asker => meeting_points[0],
            Part::Liar => meeting_points[1],
            _ => free_port()?,
        };
        let bootstrap = meeting_points
            .iter()
            .filter(|point| **point != port)
            .map(|point| format!("/ip4/127.0.0.1/tcp/{point}"))
            .collect();
        let config = Config {
            network: NetworkSettings {
                name: "demo".to_owned(),
                admission_difficulty_bits: 8,
            },
            listen: vec![
                format!("/ip4/127.0.0.1/tcp/{port}"),
                format!("/ip4/127.0.0.1/udp/{port}/quic-v1"),
            ],
            bootstrap,
            mdns: false,
            executor: player.model.map(|model| self.executor(model)),
            profile: ProfileSettings {
                tags: player.tags.iter().map(|tag| (*tag).to_owned()).collect(),
                ..ProfileSettings::default()
            },
            admin: AdminSettings {
                socket: Some(socket.clone()),
                ..AdminSettings::default()
            },
            output_tokens_max: self.output_tokens_max,
            ..Config::default()
        };
        let (_, log) = Home::init(&folder, &config, |_| {})
            .await
            .with_context(|| format!("home of {}", player.name))?;
        let mut command = match player.part.program() {
            Some(cheat) => {
                let cheat = cheats.join(cheat);
                require_file(
                    &cheat,
                    "a cheating peer of the tests; build it with `cargo build -p symphony-tests --bins`",
                )?;
                Command::new(cheat)
            }
            None => {
                let mut command = Command::new(program);
                command.args(["node", "run"]);
                command
            }
        };
        let log_file = std::fs::File::create(
            self.folder
                .join("logs")
                .join(format!("{}.log", player.name)),
        )?;
        let process = command
            .arg("--home")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(log_file.try_clone()?)
            .stderr(log_file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", player.name))?;
        let key = Home::open(&folder)?.secret("log")?.public();
        self.actors.push(Actor {
            player,
            home: folder,
            socket,
            did_key: key.to_string(),
            log_id: log.to_string(),
            process: Some(process),
        });
        Ok(())
    }

    fn executor(&self, model: &str) -> ExecutorConfig {
        ExecutorConfig::Engine(EngineProcessConfig {
            program: Some(self.engine.clone()),
            data_dir: Some(self.folder.join("engine")),
            ..EngineProcessConfig::new(EngineModel::Folder(self.models.join(model)))
        })
    }

    /// Waits until the coordinators know everybody's capability, then begins to watch what each peer sees.
    pub(super) async fn meet(&mut self, limit: Duration) -> anyhow::Result<()> {
        let skilled = self
            .actors
            .iter()
            .filter(|actor| actor.player.model.is_some())
            .count();
        let until = Instant::now() + limit;
        for index in 0..self.actors.len() {
            let coordinates = self.actors[index].player.model.is_none();
            loop {
                self.require_alive(index)?;
                if let Ok(client) = AdminClient::connect_unix(&self.actors[index].socket).await
                    && client.node_info().await.is_ok()
                {
                    let known = match client.capabilities().await {
                        Ok(stream) => stream
                            .collect_at_most(LIST_MAX)
                            .await
                            .map_or(0, |all| all.len()),
                        Err(_) => 0,
                    };
                    if !coordinates || known >= skilled {
                        break;
                    }
                }
                if Instant::now() > until {
                    bail!(
                        "{} did not come to life within {limit:?}; see {}",
                        self.actors[index].player.name,
                        self.log_file(index).display()
                    );
                }
                sleep(POLL).await;
            }
        }
        self.began = Instant::now();
        self.watch();
        Ok(())
    }

    fn require_alive(&mut self, index: usize) -> anyhow::Result<()> {
        let file = self.log_file(index);
        let actor = &mut self.actors[index];
        if let Some(process) = &mut actor.process
            && let Some(status) = process.try_wait()?
        {
            bail!(
                "{} ended with {status}; see {}",
                actor.player.name,
                file.display()
            );
        }
        Ok(())
    }

    fn log_file(&self, index: usize) -> PathBuf {
        self.folder
            .join("logs")
            .join(format!("{}.log", self.actors[index].player.name))
    }

    /// Asks every ordinary peer again and again whom it has exposed, while the show goes on.
    fn watch(&mut self) {
        let names: BTreeMap<String, String> = self
            .actors
            .iter()
            .map(|actor| (actor.did_key.clone(), actor.player.name.to_owned()))
            .collect();
        for actor in self
            .actors
            .iter()
            .filter(|actor| matches!(actor.player.part, Part::Honest | Part::Asker))
        {
            let (socket, seen_by, names) = (
                actor.socket.clone(),
                actor.player.name.to_owned(),
                names.clone(),
            );
            let (sightings, began) = (Arc::clone(&self.sightings), self.began);
            self.watchers.push(tokio::spawn(async move {
                loop {
                    for peer in exposed(&socket).await.unwrap_or_default() {
                        let accused = peer.name.map(|name| name.did_key).unwrap_or_default();
                        let accused = names.get(&accused).cloned().unwrap_or(accused);
                        let mut sightings = sightings.lock().await;
                        if sightings
                            .iter()
                            .any(|known| known.accused == accused && known.seen_by == seen_by)
                        {
                            continue;
                        }
                        if let Some(fault) = peer.fault {
                            sightings.push(Sighting {
                                seen_by: seen_by.clone(),
                                accused,
                                rule: fault.rule,
                                entry: fault.entry,
                                expected: fault.expected,
                                found: fault.found,
                                after: began.elapsed(),
                            });
                        }
                    }
                    sleep(POLL).await;
                }
            }));
        }
    }

    /// Waits until somebody has exposed every cheat, or the time is over. Returns who saw what, in order.
    pub(super) async fn await_judgement(&mut self, limit: Duration) -> Vec<Sighting> {
        let cheats: Vec<&str> = self
            .actors
            .iter()
            .filter(|actor| matches!(actor.player.part, Part::Liar | Part::FalseBidder))
            .map(|actor| actor.player.name)
            .collect();
        let until = Instant::now() + limit;
        loop {
            let sightings = self.sightings.lock().await.clone();
            let all = cheats
                .iter()
                .all(|cheat| sightings.iter().any(|sighting| sighting.accused == *cheat));
            if all || Instant::now() > until {
                for watcher in self.watchers.drain(..) {
                    watcher.abort();
                }
                return sightings;
            }
            sleep(POLL).await;
        }
    }

    /// The peer with this part.
    pub(super) fn actor(&self, part: Part) -> Option<&Actor> {
        self.actors.iter().find(|actor| actor.player.part == part)
    }

    /// The demo's name of a peer.
    pub(super) fn name_of(&self, did_key: &str) -> String {
        self.actors
            .iter()
            .find(|actor| actor.did_key == did_key)
            .map_or_else(|| did_key.to_owned(), |actor| actor.player.name.to_owned())
    }

    /// A client of a peer's admin API.
    pub(super) async fn client(&self, actor: &Actor) -> anyhow::Result<AdminClient> {
        AdminClient::connect_unix(&actor.socket)
            .await
            .with_context(|| format!("admin socket of {}", actor.player.name))
    }

    /// Kills a peer: no goodbye, no last checkpoint.
    pub(super) async fn kill(&mut self, part: Part) -> anyhow::Result<()> {
        if let Some(actor) = self
            .actors
            .iter_mut()
            .find(|actor| actor.player.part == part)
            && let Some(mut process) = actor.process.take()
        {
            process
                .kill()
                .await
                .with_context(|| format!("cannot kill {}", actor.player.name))?;
        }
        Ok(())
    }

    /// Exports every log: the living over gRPC, the dead from their folder.
    pub(super) async fn export(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut exports = Vec::new();
        for actor in &self.actors {
            let path = self
                .folder
                .join("exports")
                .join(format!("{}.symlog", actor.player.name));
            if actor.process.is_some() {
                export_alive(&self.client(actor).await?, &path)
                    .await
                    .with_context(|| format!("export of {}", actor.player.name))?;
            } else {
                export_dead(actor, &path)
                    .await
                    .with_context(|| format!("export of {} from its folder", actor.player.name))?;
            }
            exports.push(path);
        }
        Ok(exports)
    }

    /// Stops every node cleanly.
    pub(super) async fn close_nodes(&mut self) {
        for actor in &self.actors {
            if actor.process.is_some()
                && let Ok(client) = AdminClient::connect_unix(&actor.socket).await
            {
                let _ = client.shutdown().await;
            }
        }
        for actor in &mut self.actors {
            if let Some(mut process) = actor.process.take()
                && tokio::time::timeout(Duration::from_secs(10), process.wait())
                    .await
                    .is_err()
            {
                let _ = process.kill().await;
            }
        }
    }

    /// The folder that holds everything.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The settings under which a model is asked for the baselines: the engine that its peer used.
    pub(super) fn baseline_executor(&self, model: &str) -> ExecutorConfig {
        self.executor(model)
    }

    /// Stops what still runs.
    pub(super) async fn end(mut self) {
        for watcher in self.watchers.drain(..) {
            watcher.abort();
        }
        self.close_nodes().await;
    }
}

async fn exposed(socket: &Path) -> anyhow::Result<Vec<v1::Peer>> {
    let client = AdminClient::connect_unix(socket).await?;
    let peers = client.peers().await?.collect_at_most(LIST_MAX).await?;
    Ok(peers
        .into_iter()
        .filter(|peer| peer.verdict() == v1::Verdict::Exposed)
        .collect())
}

async fn export_alive(client: &AdminClient, path: &Path) -> anyhow::Result<()> {
    let mut chunks = client.export(LogName::Own).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        bytes.extend_from_slice(&chunk.bytes);
    }
    std::fs::write(path, bytes)?;
    Ok(())
}

async fn export_dead(actor: &Actor, path: &Path) -> anyhow::Result<()> {
    let home = Home::open(&actor.home)?;
    let params = home.config()?.params()?;
    let (ledger, _) = home.open_ledger(&params, MissingRecord::Refuse)?;
    let own = ledger.own().context("no log")?;
    let key: PublicKey = home.secret("log")?.public();
    let newest = ledger.latest_checkpoint(own.log())?;
    let size = newest
        .as_ref()
        .map_or(own.size()?, |stored| stored.checkpoint.size);
    let about = ExportAbout {
        network_id: params.network_id(),
        params: params.to_bytes(),
        log_key: key,
        checkpoint: newest.map(|stored| stored.text),
        size,
    };
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    own.export(about, file)?;
    ledger.close().await?;
    Ok(())
}

/// A port that is free for TCP and UDP now.
fn free_port() -> anyhow::Result<u16> {
    for _ in 0..64 {
        let tcp = TcpListener::bind(("127.0.0.1", 0))?;
        let port = tcp.local_addr()?.port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free for both TCP and UDP")
}

fn require_file(path: &Path, what: &str) -> anyhow::Result<()> {
    if path.is_file() {
        Ok(())
    } else {
        bail!("{} is missing: {what}", path.display())
    }
}
