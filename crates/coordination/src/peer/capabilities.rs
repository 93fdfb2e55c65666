//! Capabilities: of others, as heard and relied on; and the own one. Spec: CAP-6 to CAP-9.

use symphony_protocol::{
    embedding::Embedding,
    records::{Body, Capability, Issued, Received, Revocation},
};
use symphony_transparency::VerifiedStatement;

use crate::event::Effect;

use super::{Peer, ProposeError, RENEWAL_PART, statements::Taken};

impl Peer {
    /// Logs the revocation of a capability that this log relies on; forgets one that it does not.
    pub(super) fn revocation_heard(
        &mut self,
        statement: VerifiedStatement,
    ) -> Result<Taken, String> {
        let received =
            Received::<Revocation>::from_statement(statement).map_err(|error| error.to_string())?;
        let peer = *received.statement.author();
        let sequence = received.record.sequence;
        let known = self
            .known
            .get(&peer)
            .is_some_and(|known| known.record.sequence == sequence);
        if known {
            self.known.forget(&peer);
        }
        let logged = self
            .state()
            .capabilities()
            .get(&peer)
            .is_some_and(|logged| logged.capability.sequence == sequence && !logged.revoked);
        if logged {
            return self.log_received(Body::RevocationReceived(received));
        }
        if known {
            Ok(Taken::Noted)
        } else {
            Err("a revocation of a capability that is not relied on".to_owned())
        }
    }

    /// Remembers the newest capability of a peer; it is logged when first relied on.
    pub(super) fn capability_heard(
        &mut self,
        statement: VerifiedStatement,
    ) -> Result<Taken, String> {
        let received =
            Received::<Capability>::from_statement(statement).map_err(|error| error.to_string())?;
        let peer = *received.statement.author();
        if received.record.valid_until_ms <= self.now_ms {
            return Err(format!(
                "a capability that expired at {} ms",
                received.record.valid_until_ms
            ));
        }
        let number = received.record.sequence;
        let logged = self.state().capabilities().get(&peer);
        if logged.is_some_and(|logged| logged.revoked && logged.capability.sequence >= number) {
            return Err("a capability that was revoked".to_owned());
        }
        if logged.is_some_and(|logged| {
            logged.capability.sequence == number && logged.statement != received.digest()
        }) {
            // Two capabilities under one number: the log holds the first, and so shall it hold the fault.
            return self.log_received(Body::CapabilityReceived(received));
        }
        let (now_ms, standing) = (self.now_ms, self.standing_of(&peer));
        let kept = match self.known.get(&peer) {
            Some(known) if known.record.sequence > number => {
                return Err("an older capability than the one known".to_owned());
            }
            // What is kept beside it stays.
            Some(known) if known.digest() == received.digest() => return Ok(Taken::Noted),
            // The log relies on neither, and is none the worse for it: a throwaway key must not fill it with both.
            Some(known) if known.record.sequence == number => {
                self.known.keep_second(received, now_ms)
            }
            _ => self.known.keep(received, standing, now_ms),
        };
        kept.map_err(|error| error.to_string())?;
        Ok(Taken::Noted)
    }

    /// Logs a capability at first reliance, and with it another one under its number, if there was one: then its author is exposed.
    /// Spec: CAP-8.
    pub(crate) fn rely_on(&mut self, received: &Received<Capability>) -> Result<(), String> {
        let peer = *received.statement.author();
        let logged = self.state().capabilities().get(&peer);
        if logged.is_some_and(|known| {
            known.statement == received.digest()
                || known.capability.sequence >= received.record.sequence
        }) {
            return Ok(());
        }
        self.log_received(Body::CapabilityReceived(received.clone()))?;
        if let Some(second) = self.known.take_second(&peer) {
            self.log_received(Body::CapabilityReceived(second))?;
        }
        Ok(())
    }

    pub(super) fn renew_capability(&mut self) -> Result<(), ProposeError> {
        let Some(profile) = self.config.profile.clone() else {
            return Ok(());
        };
        if self.state().duty().is_some() {
            return Ok(());
        }
        let embedding = Embedding::of_text(&profile.description);
        let known = self.state().capabilities().get(&self.author());
        let renewal_ms = self
            .now_ms
            .saturating_add(self.config.capability_ms / RENEWAL_PART);
        if known.is_some_and(|known| {
            let capability = &known.capability;
            !known.revoked
                && capability.valid_until_ms > renewal_ms
                && capability.tags == profile.tags
                && capability.embedding == embedding
                && capability.models == profile.models
                && capability.price_microunits == profile.price_microunits
                && capability.parallel_max == profile.parallel_max
        }) {
            return Ok(());
        }
        let issued = Issued::new(Capability {
            origin: self.next_origin(),
            sequence: known.map_or(1, |known| known.capability.sequence.saturating_add(1)),
            tags: profile.tags,
            embedding,
            models: profile.models,
            price_microunits: profile.price_microunits,
            parallel_max: profile.parallel_max,
            valid_from_ms: self.now_ms,
            valid_until_ms: self.now_ms.saturating_add(self.config.capability_ms.max(1)),
        });
        let statement = self.sign(&issued).into_bytes();
        self.propose(Body::CapabilityIssued(issued))?;
        self.effect(Effect::Publish { statement });
        Ok(())
    }
}
