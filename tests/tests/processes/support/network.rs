//! A small network of real processes on loopback.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use symphony_admin::{LogName, v1};
use symphony_executor::ExecutorConfig;
use symphony_node::{
    config::{
        AdminSettings, Config, KademliaChoice, NetworkSettings, PolicySettings, ProfileSettings,
    },
    home::Home,
};
use tempfile::TempDir;

use super::{Peer, Program, free_port, until};

/// What a peer of a test is.
pub(crate) struct Role {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    /// What answers; nothing for one that only asks.
    pub(crate) executor: Option<ExecutorConfig>,
    pub(crate) tags: &'static [&'static str],
}

impl Role {
    /// Asks, and answers nothing.
    pub(crate) fn asker(name: &'static str) -> Self {
        Self {
            name,
            program: Program::Symphony,
            executor: None,
            tags: &[],
        }
    }

    /// Answers sums.
    pub(crate) fn answerer(name: &'static str, executor: ExecutorConfig) -> Self {
        Self {
            name,
            program: Program::Symphony,
            executor: Some(executor),
            tags: &["sums"],
        }
    }

    /// The same, played by another program.
    pub(crate) fn played_by(self, program: Program) -> Self {
        Self { program, ..self }
    }
}

/// The processes, and the folder in which everything lies.
pub(crate) struct Network {
    pub(crate) peers: Vec<Peer>,
    folder: TempDir,
    kademlia: KademliaChoice,
}

impl Network {
    /// Makes the homes, and starts nothing.
    pub(crate) async fn prepare(roles: Vec<Role>) -> anyhow::Result<Self> {
        Self::prepare_with(roles, KademliaChoice::Automatic).await
    }

    /// The same, where peers know only those that they are told of.
    pub(crate) async fn prepare_apart(roles: Vec<Role>) -> anyhow::Result<Self> {
        Self::prepare_with(roles, KademliaChoice::Off).await
    }

    async fn prepare_with(roles: Vec<Role>, kademlia: KademliaChoice) -> anyhow::Result<Self> {
        let mut network = Self {
            peers: Vec::new(),
            folder: tempfile::Builder::new().prefix("symphony-").tempdir()?,
            kademlia,
        };
        for role in roles {
            network.add(role).await?;
        }
        Ok(network)
    }

    /// Makes the homes, starts the processes, and waits until whoever asks knows whoever answers.
    pub(crate) async fn start(roles: Vec<Role>) -> anyhow::Result<Self> {
        let mut network = Self::prepare(roles).await?;
        for peer in &mut network.peers {
            peer.start(&[])?;
        }
        for peer in &mut network.peers {
            peer.ready().await?;
        }
        network.meet().await?;
        Ok(network)
    }

    /// A peer that comes later: its process runs when this returns.
    pub(crate) async fn join(&mut self, role: Role) -> anyhow::Result<usize> {
        self.add(role).await?;
        let index = self.peers.len() - 1;
        self.peers[index].start(&[])?;
        self.peers[index].ready().await?;
        Ok(index)
    }

    async fn add(&mut self, role: Role) -> anyhow::Result<()> {
        let home = self.folder.path().join(role.name);
        let port = free_port()?;
        let config = Config {
            network: NetworkSettings {
                name: "test".to_owned(),
                admission_difficulty_bits: 4,
            },
            listen: vec![
                format!("/ip4/127.0.0.1/tcp/{port}"),
                format!("/ip4/127.0.0.1/udp/{port}/quic-v1"),
            ],
            bootstrap: self.addresses_but(role.name),
            mdns: false,
            executor: role.executor,
            profile: ProfileSettings {
                tags: role.tags.iter().map(|tag| (*tag).to_owned()).collect(),
                ..ProfileSettings::default()
            },
            policy: PolicySettings::default(),
            admin: AdminSettings {
                socket: Some(home.join("admin.sock")),
                ..AdminSettings::default()
            },
            checkpoint_interval: Duration::from_millis(200),
            follow_interval: Duration::from_millis(200),
            suspect_after: Duration::from_secs(1),
            cosign_interval: Duration::from_millis(200),
            kademlia: self.kademlia,
            ..Config::default()
        };
        let (made, _) = Home::init(&home, &config, |_| {}).await?;
        self.peers.push(Peer {
            name: role.name,
            program: role.program,
            socket: home.join("admin.sock"),
            did_key: made.secret("log")?.public().to_string(),
            port,
            output: self.folder.path().join(format!("{}.output", role.name)),
            home,
            process: None,
        });
        Ok(())
    }

    fn addresses_but(&self, name: &str) -> Vec<String> {
        self.peers
            .iter()
            .filter(|peer| peer.name != name)
            .map(|peer| peer.address())
            .collect()
    }

    /// Waits until everybody knows the capability of everybody who answers and runs.
    pub(crate) async fn meet(&self) -> anyhow::Result<()> {
        let answerers = self
            .peers
            .iter()
            .filter(|peer| peer.process.is_some() && peer.answers())
            .count();
        for peer in self.peers.iter().filter(|peer| peer.process.is_some()) {
            until(
                &format!("{} knows {answerers} capabilities", peer.name),
                || async {
                    peer.capabilities()
                        .await
                        .filter(|known| *known >= answerers)
                },
            )
            .await?;
        }
        Ok(())
    }

    /// Starts a peer again, with further flags, and waits for nothing.
    pub(crate) fn start_again(&mut self, index: usize, flags: &[String]) -> anyhow::Result<()> {
        let bootstrap = self
            .addresses_but(self.peers[index].name)
            .into_iter()
            .flat_map(|address| ["--bootstrap".to_owned(), address]);
        let flags: Vec<String> = bootstrap.chain(flags.iter().cloned()).collect();
        self.peers[index].start(&flags)
    }

    /// Starts a peer again that was killed, and waits until it is back and connected with all who run.
    pub(crate) async fn restart(&mut self, index: usize) -> anyhow::Result<()> {
        self.start_again(index, &[])?;
        self.peers[index].ready().await?;
        let others = self
            .peers
            .iter()
            .filter(|peer| peer.process.is_some())
            .count()
            - 1;
        let peer = &self.peers[index];
        until("the peer is connected again", || async {
            let connected = peer.peers().await.ok()?;
            (connected.iter().filter(|peer| peer.connected).count() >= others).then_some(())
        })
        .await?;
        self.meet().await
    }

    /// Waits until a peer has replayed all that it knows of the others' logs, and gives what it sees.
    pub(crate) async fn settled_view(&self, index: usize) -> anyhow::Result<Vec<v1::Peer>> {
        let peer = &self.peers[index];
        until("the others' logs are replayed", || async {
            let peers = peer.peers().await.ok()?;
            peers
                .iter()
                .filter(|peer| peer.connected)
                .all(|peer| {
                    peer.verdict() == v1::Verdict::Exposed
                        || (peer.verdict() != v1::Verdict::Pending
                            && peer.replayed_size >= peer.log_size)
                })
                .then_some(peers)
        })
        .await
    }

    /// Exports the own log of a running peer into a file named after it.
    pub(crate) async fn export(&self, index: usize) -> anyhow::Result<PathBuf> {
        let file = self.file(&format!("{}.symlog", self.peers[index].name));
        self.peers[index].export(LogName::Own, &file).await?;
        Ok(file)
    }

    /// Exports the own log of every running peer.
    pub(crate) async fn export_all(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for (index, peer) in self.peers.iter().enumerate() {
            if peer.process.is_some() {
                files.push(self.export(index).await?);
            }
        }
        Ok(files)
    }

    /// A path in the network's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The network's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// No process ever panicked.
    pub(crate) fn assert_no_panic(&self) {
        for peer in &self.peers {
            let written = peer.written();
            assert!(!written.contains("panicked"), "{}: {written}", peer.name);
        }
    }
}

impl Peer {
    fn answers(&self) -> bool {
        std::fs::read_to_string(self.home.join("config.toml"))
            .is_ok_and(|text| text.contains("[executor]"))
    }
}
