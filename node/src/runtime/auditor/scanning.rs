//! Scanning: words that were stored before the log that they are about was followed, or in an earlier run. Whoever begins to follow
//! a log looks once through everything that is stored, away from the event loop. Spec: REPLAY-14.

use std::collections::{BTreeMap, BTreeSet};

use symphony_ledger::Ledger;
use symphony_protocol::{
    cross_check::Word,
    records::{Entry, Signatures},
};
use symphony_transparency::{Digest, PublicKey};
use tokio::sync::mpsc;

use super::{Auditor, AuditorCommand, words::Waiting};

/// Words handed over at once.
const BATCH_MAX: usize = 512;

/// What is looked for, and whether somebody looks: one scan at a time, so that who comes often costs no more than who comes once.
#[derive(Debug, Default)]
pub(super) struct Scanning {
    /// Logs that the next scan looks for, with their authors.
    wanted: BTreeMap<Digest, PublicKey>,
    pub(super) is_under_way: bool,
}

impl Auditor {
    /// Looks for the words that authors of these logs gave on them, in everything that is stored.
    pub(super) fn scan_for(&mut self, logs: &[Digest]) {
        for log in logs {
            if let Some(followed) = self.logs.get(log) {
                let author = followed.replay.author();
                self.scanning.wanted.insert(*log, author);
            }
        }
        self.scan_next();
    }

    fn scan_next(&mut self) {
        if self.scanning.is_under_way || self.scanning.wanted.is_empty() {
            return;
        }
        let Some(commands) = self.own_commands.upgrade() else {
            return;
        };
        self.scanning.is_under_way = true;
        let wanted = std::mem::take(&mut self.scanning.wanted);
        let (ledger, network) = (self.parts.ledger.clone(), self.parts.network_id);
        tokio::task::spawn_blocking(move || {
            scan(&ledger, &network, &wanted, &commands);
            // The auditor may have stopped.
            let _ = commands.blocking_send(AuditorCommand::Scanned);
        });
    }

    /// Takes what a scan found.
    pub(super) async fn heard_words(&mut self, found: Vec<Waiting>) {
        let logs: BTreeSet<Digest> = found.iter().map(|found| found.word.place.log).collect();
        for waiting in found {
            self.words.add(waiting);
        }
        for log in logs {
            self.judge_words(&log).await;
        }
    }

    /// A scan is over.
    pub(super) fn scanned(&mut self) {
        self.scanning.is_under_way = false;
        self.scan_next();
    }
}

/// Reads every stored log to its end, or until nobody listens.
fn scan(
    ledger: &Ledger,
    network: &Digest,
    wanted: &BTreeMap<Digest, PublicKey>,
    commands: &mpsc::Sender<AuditorCommand>,
) {
    let mut found = Vec::new();
    for log in ledger.logs().unwrap_or_default() {
        let Ok(Some(reader)) = ledger.log(&log) else {
            continue;
        };
        for entry in reader.entries(1..reader.size().unwrap_or(0)) {
            if commands.is_closed() {
                return;
            }
            let Ok((_, bytes)) = entry else { break };
            let entry = Entry::parse_with(&bytes, Some(network), Signatures::AssumeVerified);
            let Ok(entry) = entry else { break };
            let word = Word::in_entry(&entry.body)
                .filter(|word| wanted.get(&word.place.log) == Some(&word.signer));
            found.extend(word.map(|word| Waiting {
                word,
                said_in: log,
                said_at: entry.index,
            }));
            if found.len() >= BATCH_MAX {
                let found = std::mem::take(&mut found);
                let _ = commands.blocking_send(AuditorCommand::HeardWords(found));
            }
        }
    }
    let _ = commands.blocking_send(AuditorCommand::HeardWords(found));
}
