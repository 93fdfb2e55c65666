//! The logs of a network, for tests that do more with them than replay.

use super::Simulation;

impl Simulation<'_> {
    /// Every peer's durable entries with the seed of its log key: whoever changes a log can sign it anew.
    pub fn logs(&self) -> impl Iterator<Item = ([u8; 32], &[Vec<u8>])> {
        self.machines
            .iter()
            .map(|machine| (machine.secret, machine.disk.entries()))
    }
}
