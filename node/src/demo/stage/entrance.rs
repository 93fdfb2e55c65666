//! How a peer comes on stage: its home folder, its settings, its process.

use std::{
    net::{TcpListener, UdpSocket},
    path::Path,
    process::Stdio,
};

use anyhow::{Context as _, bail};
use symphony_executor::{EngineModel, EngineProcessConfig, ExecutorConfig};
use tokio::process::Command;

use super::{Actor, Stage};
use crate::{
    config::{AdminSettings, Config, NetworkSettings, ProfileSettings},
    demo::cast::{Part, Player},
    home::Home,
};

impl Stage {
    /// Makes the home of `player` and starts its process.
    pub(super) async fn enter(
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

    /// The engine under `model`, as its peer uses it and the baselines do.
    pub(in crate::demo) fn executor(&self, model: &str) -> ExecutorConfig {
        ExecutorConfig::Engine(EngineProcessConfig {
            program: Some(self.engine.clone()),
            data_dir: Some(self.folder.join("engine")),
            ..EngineProcessConfig::new(EngineModel::Folder(self.models.join(model)))
        })
    }
}

/// A port that is free for TCP and UDP now.
pub(super) fn free_port() -> anyhow::Result<u16> {
    for _ in 0..64 {
        let tcp = TcpListener::bind(("127.0.0.1", 0))?;
        let port = tcp.local_addr()?.port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free for both TCP and UDP")
}

pub(super) fn require_file(path: &Path, what: &str) -> anyhow::Result<()> {
    if path.is_file() {
        Ok(())
    } else {
        bail!("{} is missing: {what}", path.display())
    }
}
