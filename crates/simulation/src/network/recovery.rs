//! Disks that were put back, clocks that jump, long outages, and strangers.

use std::rc::Rc;

use symphony_coordination::Event;
use symphony_transparency::Digest;

use crate::{disk::Standing, peer::Recovery};

use super::{Happening, Message, Simulation, SimulationError};

/// Time between two tries to heal a log, in milliseconds.
const HEAL_MS: u64 = 5_000;
/// Tries to heal a log before it is retired.
const HEAL_COUNT_MAX: u32 = 24;
/// How long an outage lasts, in milliseconds: an hour.
pub(super) const OUTAGE_MS: u64 = 3_600_000;
/// Time between two introductions of strangers, in milliseconds.
const STRANGERS_MS: u64 = 5_000;

impl Simulation<'_> {
    /// Whether the signing record lets this machine go on. Otherwise it asks others for what its log lacks, or retires it.
    /// Spec: STORE-14.
    pub(super) fn may_sign(&mut self, peer: usize) -> bool {
        let machine = &mut self.machines[peer];
        match machine.signing.standing(&machine.disk) {
            Standing::Sound => {
                machine.recovery = Recovery::None;
                return true;
            }
            Standing::Other => machine.recovery = Recovery::Retired,
            Standing::Short(_) => {
                if machine.recovery == Recovery::None {
                    machine.recovery = Recovery::Healing(0);
                    self.ask_to_heal(peer);
                }
            }
        }
        false
    }

    fn ask_to_heal(&mut self, peer: usize) {
        let machine = &mut self.machines[peer];
        let Recovery::Healing(count) = machine.recovery else {
            return;
        };
        if count >= HEAL_COUNT_MAX {
            machine.recovery = Recovery::Retired;
            self.retired += 1;
            return;
        }
        machine.recovery = Recovery::Healing(count + 1);
        let (log, epoch) = (machine.log, machine.epoch);
        let start = machine.disk.entries().len();
        for other in (0..self.machines.len()).filter(|other| *other != peer) {
            self.send(
                peer,
                other,
                &Message::AskLog {
                    from: peer,
                    log,
                    start,
                },
            );
        }
        self.queue
            .push(self.now_ms + HEAL_MS, Happening::Heal { peer, epoch });
    }

    pub(super) fn heal_again(&mut self, peer: usize, epoch: u64) {
        if self.machines[peer].epoch == epoch {
            self.ask_to_heal(peer);
        }
    }

    /// Takes what others have of the own log, if it leads to exactly what was signed for.
    pub(super) fn heal_with(
        &mut self,
        peer: usize,
        log: &Digest,
        start: usize,
        entries: &[Vec<u8>],
    ) -> Result<(), SimulationError> {
        let machine = &mut self.machines[peer];
        let Standing::Short(size) = machine.signing.standing(&machine.disk) else {
            return Ok(());
        };
        let missing = usize::try_from(size)
            .unwrap_or(usize::MAX)
            .saturating_sub(start);
        let Some(entries) = entries.get(..missing) else {
            return Ok(());
        };
        if *log != machine.log
            || start != machine.disk.entries().len()
            || !machine.signing.heals(&machine.disk, entries)
        {
            return Ok(());
        }
        machine.disk.extend(entries.iter().cloned());
        self.healed += 1;
        self.restart(peer)
    }

    pub(super) fn restore(&mut self, peer: usize) {
        if self.machines[peer].recovery != Recovery::None {
            return;
        }
        self.crash(peer, usize::MAX);
        if self.machines[peer].disk.restore() {
            self.restored += 1;
        }
    }

    pub(super) fn outage(&mut self, peer: usize) {
        self.crash(peer, usize::MAX);
        let until_ms = self.now_ms + OUTAGE_MS;
        self.machines[peer].out_until_ms = until_ms;
        self.queue.push(until_ms, Happening::Restart { peer });
    }

    pub(super) fn jump(&mut self, peer: usize, by_ms: i64) -> Result<(), SimulationError> {
        let machine = &mut self.machines[peer];
        machine.skew_ms = machine.skew_ms.saturating_add(by_ms);
        machine.wake_ms = None;
        self.handle(peer, Event::Tick)
    }

    /// Peers of another revision introduce themselves to everyone.
    pub(super) fn strangers(&mut self) {
        for entry_0 in &self.strangers {
            for to in 0..self.machines.len() {
                let entry_0 = Rc::clone(entry_0);
                self.queue.push(
                    self.now_ms + 1,
                    Happening::Arrives {
                        to,
                        message: Message::Hello { entry_0 },
                    },
                );
            }
        }
        self.queue
            .push(self.now_ms + STRANGERS_MS, Happening::Strangers);
    }
}
