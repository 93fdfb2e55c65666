//! Setting a network up: who is there, who knows whom, and what will go wrong when.

use std::rc::Rc;

use symphony_protocol::records::{Genesis, Params};
use symphony_transparency::{Digest, PeerSecrets, PublicKey, SecretKey};

use crate::{
    audit::Auditor,
    peer::{STAMP_ATTEMPTS_MAX, START_MS},
    random::Random,
};

use super::{Happening, Simulation, SimulationError, WARM_UP_MS};

/// The byte before the revision in the encoding of parameters: field 2, a varint.
const REVISION_TAG: u8 = 2 << 3;

impl Simulation<'_> {
    pub(super) fn schedule(&mut self) {
        for peer in 0..self.machines.len() {
            let time_ms = self.random.within(0, 500);
            self.queue.push(time_ms, Happening::Restart { peer });
        }
        let mut last_ms = WARM_UP_MS;
        for task in 0..self.tasks.len() {
            self.queue.push(last_ms, Happening::Submit { task });
            last_ms += self.scenario.task_interval_ms;
        }
        let most = u64::try_from(self.machines.len() - 1).unwrap_or(0);
        for _ in 0..self.scenario.troubles.crashes {
            let time_ms = self.random.within(WARM_UP_MS, last_ms);
            let peer = usize::try_from(self.random.within(0, most)).unwrap_or(0);
            self.queue.push(time_ms, Happening::Crash { peer });
        }
        for _ in 0..self.scenario.imports {
            let (peer, time_ms) = self.someone(WARM_UP_MS, last_ms);
            let (source, _) = self.someone(0, 0);
            let weight_ppm = u32::try_from(self.random.within(1, 1_000_000)).unwrap_or(1);
            self.queue.push(
                time_ms,
                Happening::TakeIn {
                    peer,
                    source,
                    weight_ppm,
                },
            );
        }
        let (from_ms, until_ms) = self.scenario.troubles.partition_ms;
        if until_ms > from_ms {
            self.queue.push(from_ms, Happening::Partition);
            self.queue.push(until_ms, Happening::Partition);
        }
        self.schedule_troubles(last_ms);
    }

    /// Everyone knows whose log is whose.
    pub(super) fn introduce(&mut self) {
        let authors: Vec<(Digest, PublicKey, Rc<[u8]>)> = self
            .machines
            .iter()
            .map(|machine| {
                let entry_0 = machine.disk.entries()[0].as_slice();
                (machine.log, machine.key, Rc::from(entry_0))
            })
            .collect();
        for machine in &mut self.machines {
            machine.auditor = Auditor::new(authors.iter().cloned());
        }
    }

    fn schedule_troubles(&mut self, last_ms: u64) {
        let troubles = &self.scenario.troubles;
        let end_ms = last_ms + troubles.afterwards_ms;
        let (jumps, most_ms) = (troubles.clock_jumps, troubles.clock_jump_ms);
        let (restored, outages) = (troubles.restored_backups, troubles.outages);
        for _ in 0..jumps {
            let (peer, time_ms) = self.someone(WARM_UP_MS, end_ms);
            let by_ms = i64::try_from(self.random.within(0, 2 * most_ms))
                .unwrap_or(0)
                .saturating_sub_unsigned(most_ms);
            self.queue.push(time_ms, Happening::Jump { peer, by_ms });
        }
        for _ in 0..restored {
            let (peer, time_ms) = self.someone(0, last_ms);
            self.queue.push(time_ms, Happening::BackUp { peer });
            let later_ms = self.random.within(time_ms, end_ms + 1);
            self.queue.push(later_ms, Happening::Restore { peer });
        }
        for _ in 0..outages {
            let (peer, time_ms) = self.someone(WARM_UP_MS, end_ms);
            self.queue.push(time_ms, Happening::Outage { peer });
        }
        if !self.strangers.is_empty() {
            self.queue.push(WARM_UP_MS, Happening::Strangers);
        }
    }

    fn someone(&mut self, from_ms: u64, until_ms: u64) -> (usize, u64) {
        let most = u64::try_from(self.machines.len() - 1).unwrap_or(0);
        let peer = usize::try_from(self.random.within(0, most)).unwrap_or(0);
        (peer, self.random.within(from_ms, until_ms))
    }
}

/// Entry 0 of a peer that follows another revision of the rules than anyone here knows.
pub(super) fn stranger(params: &Params, number: u32) -> Result<Rc<[u8]>, SimulationError> {
    let mut bytes = params.to_bytes();
    let known = [REVISION_TAG, 1];
    let place = bytes.windows(2).position(|pair| pair == known);
    let scenario = || SimulationError::Scenario {
        expected: "parameters that name their revision",
    };
    bytes[place.ok_or_else(scenario)? + 1] = 2;
    let params = Params::from_bytes(&bytes)?;
    let mut random = Random::new(u64::from(number) ^ u64::MAX);
    let secrets = PeerSecrets {
        log: SecretKey::from_bytes(random.bytes()),
        transport: SecretKey::from_bytes(random.bytes()),
        witness: SecretKey::from_bytes(random.bytes()),
    };
    let entry_0 = Genesis::bind(&secrets, params).search_stamp(START_MS, STAMP_ATTEMPTS_MAX);
    Ok(Rc::from(entry_0.ok_or_else(scenario)?))
}
