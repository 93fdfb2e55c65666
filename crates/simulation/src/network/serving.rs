//! What peers show of logs, and what framers make of it.

use std::rc::Rc;

use symphony_transparency::Digest;

use crate::{peer::Role, zoo::Mischief};

use super::{Awaited, Message, Simulation};

impl Simulation<'_> {
    /// The newest checkpoint that a peer shows another one.
    pub(super) fn checkpoint_for(&mut self, peer: usize, to: usize) -> Option<String> {
        let machine = &mut self.machines[peer];
        if let Role::Cheat(doctor) = &mut machine.role {
            return doctor.checkpoint(to).map(|signed| signed.text());
        }
        let fresh = machine.writes.is_empty()
            && machine
                .note
                .as_ref()
                .is_none_or(|signed| signed.checkpoint().size < machine.disk.size());
        if fresh && let Some(running) = machine.peer.as_mut() {
            let checkpoint = running.checkpoint();
            machine.signing.advance(&machine.disk);
            machine.note = Some(running.sign_checkpoint(&checkpoint));
            if machine.is_honest() {
                let root = self
                    .signed
                    .entry((peer, checkpoint.size))
                    .or_insert(checkpoint.root);
                if *root != checkpoint.root {
                    let size = checkpoint.size;
                    self.violations
                        .push(format!("peer {peer} signed two roots at size {size}"));
                }
            }
        }
        machine.note.as_ref().map(|signed| signed.text())
    }

    /// Serves a log: the own one, or another one as far as it is known here.
    pub(super) fn serve(&mut self, peer: usize, to: usize, log: Digest, start: usize) {
        let (entries, note) = if log == self.machines[peer].log {
            let Some(note) = self.checkpoint_for(peer, to) else {
                return;
            };
            let machine = &self.machines[peer];
            match &machine.role {
                Role::Cheat(doctor) => {
                    let face = doctor.face(to);
                    (face.entries.get(start..).map(<[_]>::to_vec), note)
                }
                _ => {
                    let size = machine
                        .note
                        .as_ref()
                        .map_or(0, |signed| signed.checkpoint().size);
                    let end = usize::try_from(size).unwrap_or(usize::MAX);
                    let entries = machine.disk.entries().get(start..end);
                    (entries.map(<[_]>::to_vec), note)
                }
            }
        } else {
            let machine = &mut self.machines[peer];
            let Some((position, signed)) = machine.auditor.copy(&log) else {
                return;
            };
            let entries = self.memo.entries(position).get(start..).map(|entries| {
                entries
                    .iter()
                    .map(|learned| learned.bytes.clone())
                    .collect::<Vec<_>>()
            });
            let note = signed.text();
            let entries = match (&mut machine.role, entries) {
                (Role::Framer(framer), Some(entries)) => Some(framer.serve(entries)),
                (_, entries) => entries,
            };
            (entries, note)
        };
        let Some(entries) = entries else { return };
        let message = Message::Log {
            from: peer,
            log,
            start,
            entries: Rc::from(entries),
            note: Rc::from(note),
        };
        self.send(peer, to, &message);
    }

    /// A framer sends something to someone.
    pub(super) fn frame(&mut self, peer: usize) {
        let most = u64::try_from(self.machines.len() - 1).unwrap_or(0);
        let to = usize::try_from(self.random.within(0, most)).unwrap_or(0);
        let Role::Framer(framer) = &mut self.machines[peer].role else {
            return;
        };
        match framer.mischief() {
            Some(Mischief::Statement(bytes, private)) if to != peer => {
                self.send_bytes(peer, to, &bytes, private, Awaited::Yes);
            }
            Some(Mischief::Evidence(bytes)) if to != peer => {
                let bytes = Rc::from(bytes);
                self.send(peer, to, &Message::Evidence { bytes });
            }
            Some(Mischief::Checkpoint(note)) if to != peer => {
                let notes = Rc::from([note]);
                self.send(peer, to, &Message::Checkpoints { from: peer, notes });
            }
            _ => {}
        }
    }
}
