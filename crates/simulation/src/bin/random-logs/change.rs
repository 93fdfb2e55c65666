//! What a cheat could have published in place of an honest log.

use symphony_simulation::Random;

use crate::{
    checkpoints::{changed_checkpoint, signed_all_the_same},
    entries::{TIME_MS, chain, resumed, statement_of, time_of, with_changed_statement},
    log::{Log, Secrets, checkpoint_of},
    messages::{changed, flip},
    scenario::below,
    wire::{Value, with_field},
};

/// What a cheat would publish.
pub(crate) struct Changed {
    /// What was changed.
    pub(crate) kind: &'static str,
    pub(crate) file: Vec<u8>,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) checkpoint: Option<String>,
}

pub(crate) fn change(log: &Log, secrets: &Secrets, random: &mut Random) -> Changed {
    let mut entries = log.entries.clone();
    // Entry 0 is the file's name for everything else: changed now and then only.
    let least = usize::from(entries.len() > 1 && !random.chance(30_000));
    let index = least + below(random, entries.len() - least);
    let kind = match random.within(0, 99) {
        0..=4 => {
            let checkpoint = log.honest_checkpoint().map(|end| log.sign(&end));
            let mut file = log.file(&entries, checkpoint.as_deref());
            let place = below(random, file.len());
            file[place] ^= 1 << random.within(0, 7);
            return Changed {
                kind: "damaged",
                file,
                entries,
                checkpoint,
            };
        }
        5..=14 => {
            let checkpoint = changed_checkpoint(log, random);
            return Changed {
                kind: "checkpoint",
                file: log.file(&entries, checkpoint.as_deref()),
                entries,
                checkpoint,
            };
        }
        15..=22 => {
            flip(&mut entries[index], random);
            "byte"
        }
        23..=27 => {
            flip(&mut entries[index], random);
            chain(&mut entries, index + 1);
            "byte-chained"
        }
        28..=64 => {
            entries[index] = changed(&entries[index], random, 0);
            chain(&mut entries, index + 1);
            "number"
        }
        65..=84 => {
            let received: Vec<usize> = (0..entries.len())
                .filter(|index| statement_of(&entries[*index]).is_some())
                .collect();
            if !received.is_empty() {
                let index = received[below(random, received.len())];
                if let Some(entry) = with_changed_statement(&entries[index], log, secrets, random) {
                    entries[index] = entry;
                    chain(&mut entries, index + 1);
                }
            }
            "statement"
        }
        85..=92 => {
            let other = least + below(random, entries.len() - least);
            let from = index.max(1).min(entries.len() - 1);
            match random.within(0, 2) {
                0 if entries.len() > 2 => drop(entries.remove(index.max(1))),
                1 => entries.insert(index.max(1), log.entries[other].clone()),
                _ => entries.swap(from, other.max(least)),
            }
            chain(&mut entries, 1);
            "order"
        }
        _ => {
            let mut entry = entries[index].clone();
            if random.chance(300_000) {
                entry = changed(&entry, random, 0);
            }
            let last_ms = time_of(&entries[entries.len() - 1]);
            let later_ms = [0, 1, random.within(0, 2_000), random.within(0, 200_000)];
            entry = with_field(
                &entry,
                TIME_MS,
                Value::Number(last_ms.saturating_add(later_ms[below(random, 4)])),
            );
            if random.chance(300_000) {
                entry = resumed(&entry);
            }
            entries.push(entry);
            let last = entries.len() - 1;
            chain(&mut entries, last);
            "appended"
        }
    };
    let checkpoint = checkpoint_of(&entries)
        .or_else(|| {
            Some(signed_all_the_same(
                log,
                &entries,
                &log.honest_checkpoint()?,
            ))
        })
        .map(|end| log.sign(&end));
    Changed {
        kind,
        file: log.file(&entries, checkpoint.as_deref()),
        entries,
        checkpoint,
    }
}
