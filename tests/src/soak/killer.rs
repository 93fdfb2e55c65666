//! The rounds, and whoever kills.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context as _;
use tempfile::TempDir;

use super::{
    acknowledged::Acknowledged,
    boundary::Boundary,
    counts::Counts,
    damage::{self, Damage},
    healing::{export, heal},
    inspect::{self, Stands},
    numbers::Numbers,
    process::Writer,
    scarcity::{Scarcity, SmallDevice, limited},
};

/// Rounds on one log: then another begins, so that comparing all of it stays cheap.
const ROUNDS_PER_LOG: u64 = 100;
/// Every so many rounds, the whole folder is checked (`fsck`).
const ROUNDS_PER_CHECK: u64 = 10;
/// Every so many rounds of kills, copies of the folder are damaged, this often.
const ROUNDS_PER_DAMAGE: u64 = 5;
const DAMAGES_PER_ROUND: usize = 4;
/// Every so many rounds, something is scarce.
const ROUNDS_PER_SCARCITY: u64 = 50;
/// Longest life of a writer that is killed at a random moment, in microseconds.
const LIFE_US_MAX: u64 = 60_000;
/// Longest life of one that is killed while it opens.
const OPENING_US_MAX: u64 = 15_000;
/// What a soak is asked for.
#[derive(Debug, Clone)]
pub struct SoakSettings {
    /// Kills.
    pub rounds: u64,
    /// Decides everything but the exact moment of a signal.
    pub seed: u64,
    /// Where to work; a folder that is removed afterwards, if nothing failed, if absent.
    pub folder: Option<PathBuf>,
    /// The program `ledger-writer`.
    pub writer: PathBuf,
}

/// The killer.
#[derive(Debug)]
pub struct Soak {
    settings: SoakSettings,
    folder: PathBuf,
    /// Removes the folder when all went well.
    temporary: Option<TempDir>,
    numbers: Numbers,
    runtime: tokio::runtime::Runtime,
    /// Lives that ended at a boundary.
    ended: usize,
    counts: Counts,
}

/// One log, and what is known of it.
struct Home {
    folder: PathBuf,
    acknowledged: Acknowledged,
}

impl Soak {
    /// Prepares the folder.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(settings: SoakSettings) -> anyhow::Result<Self> {
        let temporary = match &settings.folder {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new()
                    .prefix("symphony-soak-")
                    .tempdir()?,
            ),
        };
        let folder = match (&settings.folder, &temporary) {
            (Some(folder), _) => folder.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => anyhow::bail!("no folder"),
        };
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            numbers: Numbers::new(settings.seed),
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?,
            settings,
            folder,
            temporary,
            ended: 0,
            counts: Counts::default(),
        })
    }

    /// Runs all rounds; `report` hears of progress.
    ///
    /// # Errors
    /// The first property that failed, with its round; then the folder stays as it is.
    pub fn run(mut self, report: &mut dyn FnMut(&str)) -> anyhow::Result<Counts> {
        let mut home = self.home(0)?;
        for round in 1..=self.settings.rounds {
            let done = self.round(&mut home, round);
            if let Err(error) = done {
                let folder = self.folder.clone();
                if let Some(temporary) = self.temporary.take() {
                    // The folder is what shows the failure.
                    let _ = temporary.keep();
                }
                return Err(error.context(format!(
                    "round {round}, seed {}, folder {}",
                    self.settings.seed,
                    folder.display()
                )));
            }
            if round.is_multiple_of(ROUNDS_PER_LOG) || round == self.settings.rounds {
                self.counts.acknowledged += home.acknowledged.count();
                report(&format!(
                    "round {round}: {} entries acknowledged, nothing lost",
                    self.counts.acknowledged
                ));
                if round < self.settings.rounds {
                    let ended = home.folder.clone();
                    home = self.home(round)?;
                    std::fs::remove_dir_all(ended)?;
                }
            }
        }
        Ok(self.counts)
    }

    fn home(&self, number: u64) -> anyhow::Result<Home> {
        let folder = self.folder.join(format!("log-{number}"));
        std::fs::create_dir_all(&folder)?;
        Ok(Home {
            acknowledged: Acknowledged::create(&folder.join("acknowledged"))?,
            folder,
        })
    }

    fn round(&mut self, home: &mut Home, round: u64) -> anyhow::Result<()> {
        self.kill(home)?;
        home.acknowledged.sync()?;
        let damages = round.is_multiple_of(ROUNDS_PER_DAMAGE) && home.acknowledged.count() > 0;
        let crashed = self.folder.join("crashed");
        if damages {
            // As the kill left it: opening it moves the write-ahead log into tables.
            damage::copy(&home.folder, &crashed)?;
        }
        self.runtime
            .block_on(inspect::whole(&home.folder, &home.acknowledged))?;
        self.counts.compared += home.acknowledged.count();
        if round.is_multiple_of(ROUNDS_PER_CHECK) {
            let report = inspect::check(&home.folder)?;
            anyhow::ensure!(report.is_clean(), "{:?}", inspect::names(&report));
            self.counts.checks += 1;
        }
        if damages {
            self.damage(home, &crashed)?;
            std::fs::remove_dir_all(&crashed)?;
        }
        if round.is_multiple_of(ROUNDS_PER_SCARCITY) {
            self.starve()?;
        }
        Ok(())
    }

    /// One life of the writer, and its end.
    fn kill(&mut self, home: &mut Home) -> anyhow::Result<()> {
        let seed = self.numbers.next();
        let choice = self.numbers.below(10);
        let boundary = match choice {
            0..5 => None,
            // One after another, so that a short soak comes to all of them.
            5..8 => Some(Boundary::ALL[self.ended % Boundary::ALL.len()]),
            _ => None,
        };
        let mut writer = Writer::start(
            Command::new(&self.settings.writer),
            &home.folder,
            seed,
            boundary,
        )?;
        match boundary {
            Some(boundary) => {
                self.ended += 1;
                *self.counts.boundaries.entry(boundary).or_default() += 1;
                writer.listen(&mut home.acknowledged, None)?;
            }
            None if choice < 5 => {
                self.counts.kills += 1;
                let life = Duration::from_micros(self.numbers.below(LIFE_US_MAX));
                writer.wait_until_open(&mut home.acknowledged)?;
                writer.listen(&mut home.acknowledged, Some(life))?;
            }
            None => {
                // Twice in a row: a recovery that was cut short is recovered from, too.
                self.counts.openings += 2;
                let life = Duration::from_micros(self.numbers.below(OPENING_US_MAX));
                writer.listen(&mut home.acknowledged, Some(life))?;
                let again = Command::new(&self.settings.writer);
                let mut writer = Writer::start(again, &home.folder, seed, None)?;
                let life = Duration::from_micros(self.numbers.below(OPENING_US_MAX));
                writer.listen(&mut home.acknowledged, Some(life))?;
            }
        }
        Ok(())
    }

    /// Damages copies, and heals them from what a peer holds.
    fn damage(&mut self, home: &Home, crashed: &Path) -> anyhow::Result<()> {
        let earlier = self.folder.join("earlier");
        let peers = self.folder.join("peers.symlog");
        for _ in 0..DAMAGES_PER_ROUND {
            let copy = self.folder.join("copy");
            damage::copy(crashed, &copy)?;
            let way = Damage::ALL[self.numbers.place(Damage::ALL.len())];
            let planted = damage::plant(&copy, &earlier, way, &mut self.numbers)?;
            if let Some(file) = planted {
                self.runtime.block_on(export(&home.folder, &peers))?;
                let stands = self
                    .runtime
                    .block_on(inspect::damaged(&copy, &home.acknowledged))
                    .with_context(|| format!("{way:?}: {file}"))?;
                let healed = self
                    .runtime
                    .block_on(heal(&copy, &peers, stands, &home.acknowledged))
                    .with_context(|| {
                        format!("{way:?}: {file}, which stood {stands:?}, is not healed")
                    })?;
                let standing = match (stands, healed) {
                    (Stands::Whole, _) => "harmless",
                    (Stands::Named, true) => "entry named, healed",
                    (Stands::Behind, true) => "behind, healed",
                    (Stands::Refused, true) => "refused, healed",
                    (_, false) => "refused, to be retired",
                };
                self.counts.healed += u64::from(healed);
                *self
                    .counts
                    .damages
                    .entry((way, file))
                    .or_default()
                    .entry(standing)
                    .or_default() += 1;
            }
            std::fs::remove_dir_all(&copy)?;
        }
        if earlier.exists() {
            std::fs::remove_dir_all(&earlier)?;
        }
        damage::copy(crashed, &earlier)
    }

    /// Takes away room, or the right to write.
    fn starve(&mut self) -> anyhow::Result<()> {
        for scarcity in Scarcity::available(&self.folder) {
            let folder = self.folder.join("scarce");
            std::fs::create_dir_all(&folder)?;
            let list = self.folder.join("scarce-acknowledged");
            let mut acknowledged = Acknowledged::create(&list)?;
            match scarcity {
                Scarcity::FileLimit => self.fill_file(&folder, &mut acknowledged)?,
                Scarcity::FullDevice => self.fill_device(&folder, &mut acknowledged)?,
                Scarcity::ReadOnlyDevice => self.forbid_writes(&folder, &mut acknowledged)?,
            }
            self.counts.compared += acknowledged.count();
            self.counts.acknowledged += acknowledged.count();
            *self.counts.scarcities.entry(scarcity).or_default() += 1;
            std::fs::remove_dir_all(&folder)?;
            std::fs::remove_file(&list)?;
        }
        Ok(())
    }

    fn fill_file(&mut self, folder: &Path, acknowledged: &mut Acknowledged) -> anyhow::Result<()> {
        let command = limited(&self.settings.writer);
        let mut writer = Writer::start(command, folder, self.numbers.next(), None)?;
        writer.listen_until_stopped(acknowledged)?;
        self.compare(folder, acknowledged)
    }

    fn fill_device(
        &mut self,
        folder: &Path,
        acknowledged: &mut Acknowledged,
    ) -> anyhow::Result<()> {
        let device = SmallDevice::mount(folder).context("the small device is gone")?;
        self.writer(folder)?.listen_until_stopped(acknowledged)?;
        anyhow::ensure!(device.grow(), "the small device does not grow");
        self.compare(folder, acknowledged)
    }

    fn forbid_writes(
        &mut self,
        folder: &Path,
        acknowledged: &mut Acknowledged,
    ) -> anyhow::Result<()> {
        let device = SmallDevice::mount(folder).context("the small device is gone")?;
        let mut writer = self.writer(folder)?;
        writer.wait_until_open(acknowledged)?;
        writer.listen(acknowledged, Some(Duration::from_millis(20)))?;
        anyhow::ensure!(device.remount("ro"), "the device does not become read-only");
        self.writer(folder)?.refused(acknowledged)?;
        anyhow::ensure!(
            device.remount("rw") && device.grow(),
            "the device stays read-only"
        );
        self.compare(folder, acknowledged)
    }

    fn writer(&mut self, folder: &Path) -> anyhow::Result<Writer> {
        let command = Command::new(&self.settings.writer);
        Writer::start(command, folder, self.numbers.next(), None)
    }

    fn compare(&self, folder: &Path, acknowledged: &Acknowledged) -> anyhow::Result<()> {
        acknowledged.sync()?;
        self.runtime
            .block_on(inspect::whole(folder, acknowledged))
            .map(|_| ())
    }
}
