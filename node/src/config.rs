//! Local settings of a node: TOML, then environment (`SYMPHONY_…`), then flags. Nothing in here can change a verdict.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use symphony_executor::ExecutorConfig;
use symphony_network::Multiaddr;
use symphony_protocol::{
    policy::{PolicyKind, PolicyParameters},
    records::{Params, Policy, RecordError},
    state::OPEN_TASKS_MAX,
};

use crate::tiles::TilesSettings;

/// Tasks open at once by default: as many as a log may hold open, and more are not opened whatever the setting says.
const TASKS_MAX: u32 = 128;
const _: () = assert!(TASKS_MAX as usize == OPEN_TASKS_MAX, "BEACON-2");

/// Settings of a node. Every field has a default that suits a laptop.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The network.
    pub network: NetworkSettings,
    /// Where to listen: QUIC or TCP multiaddresses; port 0 takes any free one.
    pub listen: Vec<String>,
    /// Peers to dial at the start: multiaddresses.
    pub bootstrap: Vec<String>,
    /// Whether peers on the local network are found by multicast DNS.
    pub mdns: bool,
    /// Whether the node takes part in the distributed table of peers.
    pub kademlia: KademliaChoice,
    /// What answers; nothing for a peer that only asks and audits.
    pub executor: Option<ExecutorConfig>,
    /// What the peer offers.
    pub profile: ProfileSettings,
    /// How the peer learns.
    pub policy: PolicySettings,
    /// The admin API.
    pub admin: AdminSettings,
    /// Logs over HTTP, for standard tools.
    pub tiles: TilesSettings,
    /// How long after the start the first tasks wait for peers that can hear them; as soon as all who are there can, the
    /// tasks begin.
    #[serde(with = "humantime_serde")]
    pub gather_timeout: Duration,
    /// How often a grown log gets a new signed checkpoint, such as `"500ms"`.
    #[serde(with = "humantime_serde")]
    pub checkpoint_interval: Duration,
    /// How often a followed log that is quiet is asked for its size.
    #[serde(with = "humantime_serde")]
    pub follow_interval: Duration,
    /// How long entries that a peer signed may fail to come before the peer is suspected and others are asked for them.
    #[serde(with = "humantime_serde")]
    pub suspect_after: Duration,
    /// How often, at most, a checkpoint of one followed log is cosigned.
    #[serde(with = "humantime_serde")]
    pub cosign_interval: Duration,
    /// Validity of a capability; it is renewed when a quarter is left.
    #[serde(with = "humantime_serde")]
    pub capability_validity: Duration,
    /// Text put before every question, for general models; specialists need none.
    pub instruction: Option<String>,
    /// Text put before a question that is to be taken apart into steps (skill `plan`), in place of the one built in.
    pub plan_instruction: Option<String>,
    /// Most tokens of an answer.
    pub output_tokens_max: u32,
    /// Tasks that may be open at once.
    pub tasks_max: u32,
}

/// Which network. Peers agree on all of it: its digest is the network id.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkSettings {
    /// Name, 1 to 64 bytes of a-z, 0-9 and '-'.
    pub name: String,
    /// Proof of work on admission: leading zero bits of a log id, 0 to 40. 20 bits cost a few seconds.
    pub admission_difficulty_bits: u32,
}

/// What the peer offers.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileSettings {
    /// Skills: words of a-z, 0-9 and '-'.
    pub tags: Vec<String>,
    /// Text whose embedding describes the skills; the tags if absent.
    pub description: Option<String>,
    /// Answers computed at the same time, 1 to 1024.
    pub parallel_max: u32,
    /// Orders that may wait beyond those.
    pub queue_max: u32,
    /// Price of one answer, in microunits.
    pub price_microunits: u64,
}

/// How the peer learns.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct PolicySettings {
    /// `shared`, `paper`, `disjoint`, `hybrid`, `strongest`, `screening`, or, by chance, `random`, `random-top`,
    /// `epsilon-greedy` or `thompson`.
    pub kind: PolicyChoice,
    /// Width of the exploration, in parts per million of the theory's; the kind's default if absent.
    pub exploration_ppm: Option<u32>,
    /// Bonus for an answer that won, in parts per million of a valid answer's worth; the paper's if absent.
    pub winner_bonus_ppm: Option<u32>,
    /// Worth of a passed check of the answer, in parts per million; 0 switches the checker off.
    pub checker_ppm: u32,
    /// How much of its weight a choice keeps with each later one, in parts per million (500000 to 1000000); nothing is
    /// forgotten if absent. For `shared`, `paper` and `disjoint`.
    pub discount_ppm: Option<u32>,
    /// After how many settlements the policy learns no more; it never stops if absent.
    pub frozen_after: Option<u64>,
    /// How far rewards of a peer must stray in sum from their mean until it is measured anew at that kind of step, in parts per
    /// million (0: never); the kind's default if absent.
    pub change_threshold_ppm: Option<u32>,
    /// How far a single reward may stray for nothing, in parts per million; the kind's default if absent.
    pub change_drift_ppm: Option<u32>,
    /// Closes of a log up to which executors are picked in turn, whoever is better, so that everybody becomes known (at most 1000000); not
    /// for kinds that pick by chance.
    pub warm_up_closes: u32,
    /// Largest latency penalty, in parts per million of a valid answer's worth; the kind's default if absent.
    pub latency_penalty_ppm: Option<u32>,
    /// Largest price penalty, in parts per million of a valid answer's worth (0: prices do not matter); the kind's default if absent.
    pub price_ppm: Option<u32>,
    /// Price at which that penalty is whole, in microunits; the kind's default if absent.
    pub price_scale_microunits: Option<u64>,
}

/// Which learning rule.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyChoice {
    /// One LinUCB for all peers; pending choices count.
    #[default]
    Shared,
    /// As published.
    Paper,
    /// A LinUCB for each peer.
    Disjoint,
    /// One LinUCB for all peers, and a small one for each beside it.
    Hybrid,
    /// The candidate with the best measured success; learns nothing else.
    Strongest,
    /// The first of the ranking; learns nothing else.
    Screening,
    /// By chance, evenly among all candidates; learns as `shared`, as do the three that follow.
    Random,
    /// By chance, evenly among those that screening keeps.
    RandomTop,
    /// The best by LinUCB, and by chance now and then any.
    EpsilonGreedy,
    /// The best by weights that chance draws from what LinUCB holds possible.
    Thompson,
}

impl From<PolicyChoice> for PolicyKind {
    fn from(choice: PolicyChoice) -> Self {
        match choice {
            PolicyChoice::Shared => Self::Shared,
            PolicyChoice::Paper => Self::Paper,
            PolicyChoice::Disjoint => Self::Disjoint,
            PolicyChoice::Hybrid => Self::Hybrid,
            PolicyChoice::Strongest => Self::Strongest,
            PolicyChoice::Screening => Self::Screening,
            PolicyChoice::Random => Self::Random,
            PolicyChoice::RandomTop => Self::RandomTop,
            PolicyChoice::EpsilonGreedy => Self::EpsilonGreedy,
            PolicyChoice::Thompson => Self::Thompson,
        }
    }
}

/// How a node takes part in the distributed table of peers.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum KademliaChoice {
    /// Answers look-ups if it can be reached from outside, or listens on loopback only.
    #[default]
    Automatic,
    /// Answers look-ups.
    Server,
    /// Only looks up.
    Client,
    /// Takes no part.
    Off,
}

/// The admin API.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct AdminSettings {
    /// The Unix socket (mode 0600); `admin.sock` in the home folder if absent.
    pub socket: Option<PathBuf>,
    /// Listens on TCP too, with bearer tokens.
    pub tcp: Option<SocketAddr>,
    /// File with the operator's token, mode 0600.
    pub operator_token_file: Option<PathBuf>,
    /// File with the auditor's token, mode 0600.
    pub auditor_token_file: Option<PathBuf>,
    /// Serves Prometheus metrics over HTTP here.
    pub metrics: Option<SocketAddr>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            network: NetworkSettings::default(),
            listen: vec![
                "/ip4/0.0.0.0/udp/0/quic-v1".to_owned(),
                "/ip4/0.0.0.0/tcp/0".to_owned(),
            ],
            bootstrap: Vec::new(),
            mdns: true,
            kademlia: KademliaChoice::Automatic,
            executor: None,
            profile: ProfileSettings::default(),
            policy: PolicySettings::default(),
            admin: AdminSettings::default(),
            tiles: TilesSettings::default(),
            gather_timeout: Duration::from_secs(3),
            checkpoint_interval: Duration::from_secs(2),
            follow_interval: Duration::from_secs(2),
            suspect_after: Duration::from_secs(30),
            cosign_interval: Duration::from_secs(5),
            capability_validity: Duration::from_secs(24 * 3600),
            instruction: None,
            plan_instruction: None,
            output_tokens_max: 512,
            tasks_max: TASKS_MAX,
        }
    }
}

impl Default for NetworkSettings {
    fn default() -> Self {
        Self {
            name: "symphony".to_owned(),
            admission_difficulty_bits: 20,
        }
    }
}

impl Default for ProfileSettings {
    fn default() -> Self {
        Self {
            tags: Vec::new(),
            description: None,
            parallel_max: 1,
            queue_max: 8,
            price_microunits: 0,
        }
    }
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            kind: PolicyChoice::Shared,
            exploration_ppm: None,
            winner_bonus_ppm: None,
            checker_ppm: 0,
            discount_ppm: None,
            frozen_after: None,
            change_threshold_ppm: None,
            change_drift_ppm: None,
            warm_up_closes: 0,
            latency_penalty_ppm: None,
            price_ppm: None,
            price_scale_microunits: None,
        }
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A key is unknown, or a value has another type.
    #[error("configuration: {0}")]
    Read(#[from] Box<figment::Error>),
    /// The network's name or difficulty is out of range.
    #[error("network: {0}")]
    Network(#[from] RecordError),
    /// A value is out of range.
    #[error("{key}: expected {expected}, found {actual}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it may hold.
        expected: &'static str,
        /// What it holds.
        actual: String,
    },
    /// The executor's settings are out of range.
    #[error("executor: {0}")]
    Executor(#[from] symphony_executor::BuildError),
}

impl Config {
    /// Reads a file (if there is one), then the environment.
    ///
    /// # Errors
    /// [`ConfigError`], naming the key.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let environment = Env::prefixed("SYMPHONY_CONFIG_").split("__");
        let config: Self = figment.merge(environment).extract().map_err(Box::new)?;
        config.validate()?;
        Ok(config)
    }

    /// What is wrong with what this node offers, if nobody would ever ask it: with neither tag nor description an answerer matches no
    /// question (SELECT-8, BEACON-9).
    pub fn offers_nothing(&self) -> Option<&'static str> {
        let described = |text: &String| !text.trim().is_empty();
        let offers =
            !self.profile.tags.is_empty() || self.profile.description.iter().any(described);
        (self.executor.is_some() && !offers).then_some(
            "this node can answer, but offers nothing: without a tag or a description no question is for it; say what it can do in \
             profile.tags, as with --tag general",
        )
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`ConfigError`], naming the key.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let value = |key, expected, actual: &dyn ToString| {
            Err(ConfigError::Value {
                key,
                expected,
                actual: actual.to_string(),
            })
        };
        self.params()?;
        if let Some(executor) = &self.executor {
            executor.validate()?;
        }
        for tag in &self.profile.tags {
            let word = (1..=64).contains(&tag.len())
                && tag
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if !word {
                return value(
                    "profile.tags",
                    "words of 1 to 64 bytes of a-z, 0-9 and '-'",
                    tag,
                );
            }
        }
        if self.profile.tags.len() > symphony_protocol::records::CAPABILITY_TAGS_MAX {
            return value("profile.tags", "at most 32 tags", &self.profile.tags.len());
        }
        if !(1..=1024).contains(&self.profile.parallel_max) {
            return value(
                "profile.parallel_max",
                "1 to 1024",
                &self.profile.parallel_max,
            );
        }
        if self.profile.queue_max > 4096 {
            return value("profile.queue_max", "at most 4096", &self.profile.queue_max);
        }
        for (key, duration) in [
            ("gather_timeout", self.gather_timeout),
            ("checkpoint_interval", self.checkpoint_interval),
            ("follow_interval", self.follow_interval),
            ("suspect_after", self.suspect_after),
            ("cosign_interval", self.cosign_interval),
            ("capability_validity", self.capability_validity),
        ] {
            if duration < Duration::from_millis(10)
                || duration > Duration::from_secs(366 * 24 * 3600)
            {
                return value(key, "10ms to 366days", &format!("{duration:?}"));
            }
        }
        for (key, addresses) in [("listen", &self.listen), ("bootstrap", &self.bootstrap)] {
            for address in addresses {
                if address.parse::<Multiaddr>().is_err() {
                    return value(
                        key,
                        "multiaddresses, such as /ip4/192.0.2.7/tcp/4791",
                        address,
                    );
                }
            }
        }
        if !(1..=131_072).contains(&self.output_tokens_max) {
            return value(
                "output_tokens_max",
                "1 to 131072 tokens",
                &self.output_tokens_max,
            );
        }
        if !(1..=4096).contains(&self.tasks_max) {
            return value("tasks_max", "1 to 4096 tasks", &self.tasks_max);
        }
        if !(1..=4096).contains(&self.tiles.connections_max) {
            return value(
                "tiles.connections_max",
                "1 to 4096 connections",
                &self.tiles.connections_max,
            );
        }
        let policy = &self.policy;
        // CAP-4: the log would refuse an entry with more, when the node has already begun to run.
        for (key, most, expected, actual) in [
            (
                "policy.exploration_ppm",
                100_000_000,
                "at most 100000000",
                policy.exploration_ppm.unwrap_or(0),
            ),
            (
                "policy.winner_bonus_ppm",
                10_000_000,
                "at most 10000000",
                policy.winner_bonus_ppm.unwrap_or(0),
            ),
            (
                "policy.checker_ppm",
                10_000_000,
                "at most 10000000",
                policy.checker_ppm,
            ),
            (
                "policy.change_threshold_ppm",
                100_000_000,
                "at most 100000000",
                policy.change_threshold_ppm.unwrap_or(0),
            ),
            (
                "policy.change_drift_ppm",
                1_000_000,
                "at most 1000000",
                policy.change_drift_ppm.unwrap_or(0),
            ),
            (
                "policy.warm_up_closes",
                if PolicyKind::from(policy.kind).uses_chance() {
                    0
                } else {
                    1_000_000
                },
                "at most 1000000, and 0 for a kind that picks by chance",
                policy.warm_up_closes,
            ),
            (
                "policy.latency_penalty_ppm",
                1_000_000,
                "at most 1000000",
                policy.latency_penalty_ppm.unwrap_or(0),
            ),
            (
                "policy.price_ppm",
                1_000_000,
                "at most 1000000",
                policy.price_ppm.unwrap_or(0),
            ),
        ] {
            if actual > most {
                return value(key, expected, &actual);
            }
        }
        if let Some(scale) = self.policy.price_scale_microunits
            && !(1..=1_000_000_000_000_000).contains(&scale)
        {
            return value(
                "policy.price_scale_microunits",
                "1 to 1000000000000000 microunits",
                &scale,
            );
        }
        let range = PolicyParameters::discounts(self.policy.kind.into());
        if let Some(discount_ppm) = self.policy.discount_ppm
            && !range.contains(&discount_ppm)
        {
            return value(
                "policy.discount_ppm",
                "500000 to 1000000, for shared, paper and disjoint alone",
                &discount_ppm,
            );
        }
        Ok(())
    }

    /// The agreed parameters that these settings name.
    ///
    /// # Errors
    /// A name or difficulty out of range.
    pub fn params(&self) -> Result<Params, RecordError> {
        Params::standard(&self.network.name, self.network.admission_difficulty_bits)
    }

    /// The policy that these settings name.
    pub fn policy(&self) -> Policy {
        let mut policy = Policy::of_kind(self.policy.kind.into());
        if let Some(discount_ppm) = self.policy.discount_ppm {
            policy.parameters.discount_ppm = discount_ppm;
        }
        policy.parameters.frozen_after = self.policy.frozen_after;
        policy.warm_up_closes = self.policy.warm_up_closes.into();
        for (number, own) in [
            (
                &mut policy.change_threshold_ppm,
                self.policy.change_threshold_ppm,
            ),
            (&mut policy.change_drift_ppm, self.policy.change_drift_ppm),
            (
                &mut policy.latency_penalty_ppm,
                self.policy.latency_penalty_ppm,
            ),
            (&mut policy.price_ppm, self.policy.price_ppm),
        ] {
            *number = own.unwrap_or(*number);
        }
        policy.price_scale_microunits = self
            .policy
            .price_scale_microunits
            .unwrap_or(policy.price_scale_microunits);
        if let Some(exploration_ppm) = self.policy.exploration_ppm {
            policy.parameters.exploration_ppm = exploration_ppm;
        }
        if let Some(winner_bonus_ppm) = self.policy.winner_bonus_ppm {
            policy.winner_bonus_ppm = winner_bonus_ppm;
        }
        policy.checker_ppm = self.policy.checker_ppm;
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_is_named_with_its_key() {
        let config = Config {
            bootstrap: vec![
                "/ip4/127.0.0.1/tcp/4791".to_owned(),
                "peer-1:4791".to_owned(),
            ],
            ..Config::default()
        };
        let refused = config.validate().expect_err("no multiaddress").to_string();
        assert!(
            refused.contains("bootstrap") && refused.contains("peer-1:4791"),
            "{refused}"
        );
        let config = Config {
            listen: vec!["nowhere".to_owned()],
            ..Config::default()
        };
        let refused = config.validate().expect_err("no multiaddress").to_string();
        assert!(
            refused.contains("listen") && refused.contains("nowhere"),
            "{refused}"
        );
    }
}
