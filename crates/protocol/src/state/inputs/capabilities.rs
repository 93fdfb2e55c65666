//! Capabilities and their revocations. Spec: CAP-7, CAP-8.

use symphony_transparency::PublicKey;

use crate::{
    fault::{Breach, Fault, Rule},
    records::{Capability, Entry, Issued, Received, Revocation},
    state::{Key, KnownCapability, State},
};

impl State {
    pub(in crate::state) fn apply_capability_issued(
        &mut self,
        entry: &Entry,
        issued: &Issued<Capability>,
    ) -> Result<(), Breach> {
        if let Some(known) = self.capabilities.get(&self.author)
            && issued.record.sequence <= known.capability.sequence
        {
            let expected = format_args!("a number above {}", known.capability.sequence).to_string();
            return Err(Breach::new(
                Rule::CapabilitySequence,
                expected,
                issued.record.sequence,
            ));
        }
        let author = self.author;
        self.charge_capability(&author);
        self.know_capability(
            author,
            KnownCapability {
                entry: entry.index,
                statement: issued.digest,
                capability: issued.record.clone(),
                size: issued.payload.len() as u64,
                revoked: false,
            },
        );
        Ok(())
    }

    pub(in crate::state) fn apply_revocation_issued(
        &mut self,
        issued: &Issued<Revocation>,
    ) -> Result<(), Breach> {
        self.revoke(self.author, issued.record.sequence);
        Ok(())
    }

    pub(in crate::state) fn apply_capability_received(
        &mut self,
        entry: &Entry,
        received: &Received<Capability>,
        findings: &mut Vec<Fault>,
    ) -> Result<(), Breach> {
        let peer = *received.statement.author();
        self.charge_capability(&peer);
        match self.capabilities.get(&peer) {
            Some(known)
                if known.capability.sequence == received.record.sequence
                    && known.statement != received.digest() =>
            {
                let breach = Breach::new(
                    Rule::CapabilitySequence,
                    format_args!(
                        "capability {} under number {}",
                        known.statement, known.capability.sequence
                    ),
                    format_args!("capability {}", received.digest()),
                );
                findings.push(breach.at(peer, entry.index));
                return Ok(());
            }
            Some(known) if known.capability.sequence >= received.record.sequence => {
                let expected =
                    format_args!("a number above {}", known.capability.sequence).to_string();
                return Err(Breach::new(
                    Rule::Reliance,
                    expected,
                    received.record.sequence,
                ));
            }
            Some(_) | None => {}
        }
        self.know_capability(
            peer,
            KnownCapability {
                entry: entry.index,
                statement: received.digest(),
                capability: received.record.clone(),
                size: received.statement.payload().len() as u64,
                revoked: false,
            },
        );
        Ok(())
    }

    pub(in crate::state) fn apply_revocation_received(
        &mut self,
        received: &Received<Revocation>,
    ) -> Result<(), Breach> {
        let peer = *received.statement.author();
        self.revoke(peer, received.record.sequence);
        Ok(())
    }

    fn know_capability(&mut self, peer: PublicKey, known: KnownCapability) {
        self.capabilities.insert(peer, known);
        self.touch(Key::Capability(peer));
    }

    fn revoke(&mut self, peer: PublicKey, sequence: u64) {
        self.charge_capability(&peer);
        if let Some(known) = self.capabilities.get_mut(&peer)
            && known.capability.sequence == sequence
        {
            known.revoked = true;
            self.touch(Key::Capability(peer));
        }
    }
}
