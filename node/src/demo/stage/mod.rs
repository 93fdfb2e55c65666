//! The stage: who plays, the processes and their admin sockets.

mod entrance;
mod exports;
mod watch;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use symphony_admin::AdminClient;
use tokio::{
    process::Child,
    sync::Mutex,
    time::{Instant, sleep},
};

pub(super) use watch::Sighting;

use self::entrance::{free_port, require_file};
use super::{
    DemoArgs,
    cast::{Part, Player, cast},
    show::Questions,
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
        if players.iter().all(|player| player.model.is_none()) {
            bail!(
                "{} holds no model of the demo: expected folders such as generalist/, each with a config.json",
                stage.models.display()
            );
        }
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

    /// Stops what still runs.
    pub(super) async fn end(mut self) {
        for watcher in self.watchers.drain(..) {
            watcher.abort();
        }
        self.close_nodes().await;
    }
}
