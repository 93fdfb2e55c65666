//! Writes random logs, and changed ones, for the comparison of two verifiers (`tests/reference/README.md`).
//!
//! `random-logs DIR NETWORKS CHANGES SEED` simulates so many networks, and writes each peer's log into `DIR/logs` as the
//! portable file of STORE-20. Then it changes so many of these logs: one byte, one number, one foreign statement, the order of
//! entries, or the checkpoint; chains the entries to each other anew, signs the statement or the checkpoint with its author's
//! key, and writes the result into `DIR/changed`. So a file in `changed` is what a cheat could have published. Of what replay
//! finds in it, evidence is made and written into `DIR/evidence`, as it is and with something in it changed. Nothing here says what
//! a verifier should find. Equal arguments give equal files.

mod change;
mod checkpoints;
mod entries;
mod evidence;
mod log;
mod messages;
mod scenario;
mod wire;

use std::{fs, path::Path};

use symphony_simulation::{Random, Simulation};

use change::change;
use evidence::evidence;
use log::{Log, Secrets};
use scenario::{below, scenario};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, networks, changes, seed] = arguments.as_slice() else {
        return Err("usage: random-logs DIR NETWORKS CHANGES SEED".into());
    };
    let (networks, changes): (u64, u64) = (networks.parse()?, changes.parse()?);
    let mut random = Random::new(seed.parse()?);
    let folder = Path::new(folder);
    let (logs_folder, changed_folder) = (folder.join("logs"), folder.join("changed"));
    fs::create_dir_all(&logs_folder)?;
    let evidence_folder = folder.join("evidence");
    fs::create_dir_all(&changed_folder)?;
    fs::create_dir_all(&evidence_folder)?;
    let mut written = 0;
    for number in 0..networks {
        let scenario = scenario(&mut random);
        let mut simulation = Simulation::new(&scenario)?;
        simulation.run()?;
        let logs: Vec<Log> = simulation
            .logs()
            .map(|(secret, entries)| Log::new(secret, entries.to_vec()))
            .collect();
        for (peer, log) in logs.iter().enumerate() {
            let end = log.honest_checkpoint().ok_or("an honest log is at fault")?;
            let name = format!("{number:05}-{peer:02}.symlog");
            fs::write(
                logs_folder.join(name),
                log.file(&log.entries, Some(&log.sign(&end))),
            )?;
        }
        let secrets: Secrets = logs
            .iter()
            .map(|log| (log.secret().public(), log.secret))
            .collect();
        // Evenly spread over the networks.
        while written < changes * (number + 1) / networks {
            let log = &logs[below(&mut random, logs.len())];
            let changed = change(log, &secrets, &mut random);
            let name = format!("{written:05}-{}", changed.kind);
            fs::write(changed_folder.join(format!("{name}.symlog")), &changed.file)?;
            for (number, bytes) in evidence(log, &changed, &mut random).iter().enumerate() {
                fs::write(
                    evidence_folder.join(format!("{name}-{number}.evidence")),
                    bytes,
                )?;
            }
            written += 1;
        }
    }
    println!("{networks} networks, {written} changed logs");
    Ok(())
}
