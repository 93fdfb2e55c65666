//! A peer takes in what another one measured, as an operator would let it. Spec: chapter 21.

use symphony_protocol::{PreparedEntry, records::Signatures, replay::Replay};
use symphony_transparency::SignedCheckpoint;

use super::{Simulation, SimulationError};

/// Claims of one import at most, so that several sources fit beside each other in small logs.
const CLAIMS_MAX: usize = 16;

impl Simulation<'_> {
    /// The rules may refuse it, as of a fifth source. Nothing happens where one of the two is down, or the source measured nobody.
    pub(super) fn take_in(
        &mut self,
        peer: usize,
        source: usize,
        weight_ppm: u32,
    ) -> Result<(), SimulationError> {
        let time_ms = self.now_ms;
        let importer = self.machines[peer].key;
        let Some(note) = self.checkpoint_for(source, peer) else {
            return Ok(());
        };
        let Some((signed, mut replay)) = self.replayed(source, &note) else {
            return Ok(());
        };
        let measured = replay
            .state_mut()
            .imports_for(&importer, &signed, weight_ppm, CLAIMS_MAX);
        let machine = &mut self.machines[peer];
        let clock_ms = machine.clock_ms(time_ms);
        let (Ok(imports), Some(running)) = (measured, machine.peer.as_mut()) else {
            return Ok(());
        };
        let (output, _refused) =
            running
                .import(imports, clock_ms)
                .map_err(|source| SimulationError::Propose {
                    peer,
                    time_ms,
                    source,
                })?;
        self.append(peer, output);
        Ok(())
    }

    /// What a peer's disk holds, up to this checkpoint of its own; nothing if it holds less.
    fn replayed(&self, source: usize, note: &str) -> Option<(SignedCheckpoint, Replay)> {
        let machine = &self.machines[source];
        let signed = SignedCheckpoint::parse_and_verify(note, &machine.key).ok()?;
        let size = usize::try_from(signed.checkpoint().size).ok()?;
        let entries = machine.disk.entries().get(..size)?;
        let mut replay = Replay::begin(entries.first()?, None).ok()?;
        for bytes in &entries[1..] {
            let prepared =
                PreparedEntry::new(bytes.to_vec(), &self.network, Signatures::AssumeVerified);
            replay.push_prepared(prepared).ok()?;
        }
        Some((signed, replay))
    }
}
