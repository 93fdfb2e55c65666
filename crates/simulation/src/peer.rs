//! A simulated machine: a real peer in memory, its log on a simulated disk, a clock that is somewhat off.

use std::collections::{BTreeMap, VecDeque};

use symphony_coordination::{OpenBids, Output, Peer, PeerConfig, Profile, plan::PLAN_TAG};
use symphony_protocol::{
    records::{Genesis, Params},
    replay::{Replay, Stop},
};
use symphony_transparency::{
    Digest, PeerSecrets, PublicKey, SecretKey, SignedCheckpoint, VerifiedStatement, log_id,
};

use crate::{
    audit::{Auditor, foreign},
    disk::{Disk, SigningRecord},
    random::Random,
    scenario::{Character, Scenario},
    zoo::{Doctor, Framer},
};

/// The start of virtual time, in milliseconds since 1970: 2026-01-01.
pub(crate) const START_MS: u64 = 1_767_225_600_000;
/// Validity of capabilities, in milliseconds: short, so that renewals happen in every run.
const CAPABILITY_MS: u64 = 90_000;
/// Numbers tried for a stamp: far more than the difficulties of a simulation need.
pub(crate) const STAMP_ATTEMPTS_MAX: u64 = 1 << 24;

/// How a machine behaves towards others.
pub(crate) enum Role {
    Honest,
    Cheat(Box<Doctor>),
    Framer(Box<Framer>),
}

/// What a machine is up to while no peer runs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Nothing: the peer runs, or will again.
    None,
    /// It asks others for what its log lacks; so often yet.
    Healing(u32),
    /// Its log was retired.
    Retired,
}

/// One machine.
pub(crate) struct Machine {
    pub(crate) secret: [u8; 32],
    pub(crate) key: PublicKey,
    pub(crate) log: Digest,
    pub(crate) role: Role,
    pub(crate) auditor: Auditor,
    pub(crate) recovery: Recovery,
    /// The end of an outage, in milliseconds of virtual time.
    pub(crate) out_until_ms: u64,
    /// Size of the newest checkpoint that everyone was shown.
    pub(crate) shown_size: u64,
    /// The newest checkpoint that was signed.
    pub(crate) note: Option<SignedCheckpoint>,
    config: PeerConfig,
    /// What runs; nothing while the machine is down.
    pub(crate) peer: Option<Peer>,
    /// How often the machine was started: what was scheduled before a crash does not happen after it.
    pub(crate) epoch: u64,
    pub(crate) skew_ms: i64,
    /// Durable entries.
    pub(crate) disk: Disk,
    /// Lies apart from the disk.
    pub(crate) signing: SigningRecord,
    /// Appended, not yet durable; in order.
    pub(crate) writes: VecDeque<Output>,
    /// When the last of the writes is durable.
    pub(crate) sync_ms: u64,
    /// Who awaits an answer.
    pub(crate) tokens: BTreeMap<u64, usize>,
    next_token: u64,
    /// When this machine is next woken.
    pub(crate) wake_ms: Option<u64>,
    /// When each of the places for executions is free again.
    pub(crate) free_ms: Vec<u64>,
}

impl Machine {
    /// A machine with fresh keys and a log that holds entry 0. Nothing if no stamp was found.
    pub(crate) fn new(
        scenario: &Scenario,
        (number, params): (u32, &Params),
        random: &mut Random,
    ) -> Option<Self> {
        let secret = random.bytes();
        let secrets = PeerSecrets {
            log: SecretKey::from_bytes(secret),
            transport: SecretKey::from_bytes(random.bytes()),
            witness: SecretKey::from_bytes(random.bytes()),
        };
        let entry_0 =
            Genesis::bind(&secrets, params.clone()).search_stamp(START_MS, STAMP_ATTEMPTS_MAX)?;
        let character = scenario
            .characters
            .iter()
            .find(|(known, _)| *known == number)
            .map(|(_, character)| *character);
        let role = match character {
            None => Role::Honest,
            Some(Character::Cheat { cheat, patience }) => {
                Role::Cheat(Box::new(Doctor::new(cheat, secret, &entry_0, patience)?))
            }
            Some(Character::Framer) => Role::Framer(Box::new(Framer::new(
                secret,
                params.network_id(),
                random.bits(),
            ))),
        };
        let mut tags = scenario.skills.clone();
        let planner_every = scenario.workers.planner_every;
        if planner_every > 0 && number.is_multiple_of(planner_every) {
            tags.push(PLAN_TAG.to_owned());
        }
        tags.sort_unstable();
        tags.dedup();
        Some(Self {
            secret,
            key: secrets.log.public(),
            log: log_id(&entry_0),
            role,
            auditor: Auditor::new(std::iter::empty()),
            recovery: Recovery::None,
            out_until_ms: 0,
            shown_size: 0,
            note: None,
            config: PeerConfig {
                profile: Some(Profile {
                    description: tags.join(" "),
                    tags,
                    models: Vec::new(),
                    price_microunits: 0,
                    parallel_max: scenario.workers.parallel.clamp(1, 1024),
                }),
                policy: scenario.policy.clone(),
                capability_ms: CAPABILITY_MS,
                queue_max: 2,
                tasks_max: 64,
            },
            peer: None,
            epoch: 0,
            skew_ms: 0,
            disk: Disk::new(entry_0),
            signing: SigningRecord::default(),
            writes: VecDeque::new(),
            sync_ms: 0,
            tokens: BTreeMap::new(),
            next_token: 0,
            wake_ms: None,
            free_ms: vec![0; scenario.workers.parallel.clamp(1, 1024) as usize],
        })
    }

    /// What this machine's clock shows, in milliseconds since 1970.
    pub(crate) fn clock_ms(&self, now_ms: u64) -> u64 {
        (START_MS + now_ms).saturating_add_signed(self.skew_ms)
    }

    /// The virtual time at which this machine's clock shows `clock_ms`.
    pub(crate) fn virtual_ms(&self, clock_ms: u64) -> u64 {
        clock_ms
            .saturating_add_signed(-self.skew_ms)
            .saturating_sub(START_MS)
    }

    pub(crate) fn is_honest(&self) -> bool {
        matches!(self.role, Role::Honest)
    }

    /// Replays the stored log into a peer that is yet to be started. Returns the statements of others that it holds.
    pub(crate) fn boot(
        &mut self,
        network: &Digest,
        skew_ms: i64,
    ) -> Result<Vec<VerifiedStatement>, Stop> {
        self.epoch += 1;
        self.skew_ms = skew_ms;
        let mut entries = self.disk.entries().iter();
        let mut held = Vec::new();
        let entry_0 = entries.next().expect("a machine is made with entry 0");
        let mut replay = Replay::begin(entry_0, Some(network))?;
        let mut bids = OpenBids::default();
        for bytes in entries {
            let (entry, _) = replay.push(bytes).map_err(Stop::Exposed)?;
            bids.note(&entry);
            held.extend(foreign(&entry.body).cloned());
        }
        let secret = SecretKey::from_bytes(self.secret);
        self.peer = Some(Peer::new(secret, replay, self.config.clone()).with_bids(bids));
        Ok(held)
    }

    /// Loses the memory and what is not durable, but for the first `survivors` of the entries on their way to the disk, and
    /// the first `torn_size` bytes of the one after them.
    pub(crate) fn crash(&mut self, survivors: usize, torn_size: usize) {
        let mut entries: Vec<Vec<u8>> = self
            .writes
            .drain(..)
            .flat_map(|output| output.entries)
            .collect();
        let rest = entries.split_off(survivors.min(entries.len()));
        if let Role::Cheat(doctor) = &mut self.role {
            doctor.append(&entries);
        }
        self.disk.extend(entries);
        if let (Some(torn), Role::Honest | Role::Framer(_)) = (rest.first(), &self.role) {
            self.disk.tear(torn, torn_size);
        }
        self.auditor.crash();
        self.note = None;
        self.shown_size = 0;
        self.peer = None;
        self.epoch += 1;
        self.tokens.clear();
        self.wake_ms = None;
        self.sync_ms = 0;
        self.free_ms.fill(0);
    }

    /// Notes that `from` awaits an answer.
    pub(crate) fn token(&mut self, from: usize) -> u64 {
        self.next_token += 1;
        self.tokens.insert(self.next_token, from);
        self.next_token
    }
}
