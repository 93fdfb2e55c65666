//! Capabilities and revocations by gossip: which of them are news of somebody that is known here.
//!
//! A key costs nothing, so whoever is connected could gossip capabilities of any number of them, and each peer would pass them on. Only
//! those of peers that are connected, or whose logs are followed, are heard: whoever is asked for work is connected, and says
//! its capability itself when it comes. Spec: NET-44, NET-46 to NET-48, CAP-12.

use std::collections::BTreeMap;

use symphony_network::{Acceptance, IgnoreReason, RejectReason};
use symphony_protocol::records::{Capability, Received, Revocation};
use symphony_transparency::{Digest, PublicKey, StatementKind, VerifiedStatement};

/// Authors whose newest capability is remembered: more than are connected and followed at once.
const AUTHORS_MAX: usize = 4_096;

/// The numbers of the newest capabilities that were heard.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Newest(BTreeMap<PublicKey, Heard>);

/// What was heard under an author's highest number. Two under one number are a fault that all are to see (REPLAY-27); a third
/// adds nothing.
#[derive(Clone, Copy, Debug)]
struct Heard {
    sequence: u64,
    first: Digest,
    second: Option<Digest>,
}

impl Heard {
    /// What is known with this capability; nothing if it is no news.
    fn and(self, sequence: u64, digest: Digest) -> Option<Self> {
        if sequence > self.sequence {
            return Some(Self::of(sequence, digest));
        }
        let is_second = sequence == self.sequence && self.second.is_none() && digest != self.first;
        is_second.then_some(Self {
            second: Some(digest),
            ..self
        })
    }

    fn of(sequence: u64, first: Digest) -> Self {
        Self {
            sequence,
            first,
            second: None,
        }
    }
}

impl Newest {
    /// Judges a capability or a revocation, and remembers the number of a capability that is to be heard.
    ///
    /// # Errors
    /// The judgement on what is not to be heard.
    pub(super) fn hear(
        &mut self,
        statement: &VerifiedStatement,
        now_ms: u64,
        is_known: impl FnOnce(&PublicKey) -> bool,
    ) -> Result<(), Acceptance> {
        let malformed = Acceptance::Reject(RejectReason::Content);
        let unknown = Acceptance::Ignore(IgnoreReason::Unknown);
        let author = *statement.author();
        if statement.kind() == StatementKind::Revocation {
            Received::<Revocation>::from_statement(statement.clone()).map_err(|_| malformed)?;
            return if is_known(&author) {
                Ok(())
            } else {
                Err(unknown)
            };
        }
        let capability =
            Received::<Capability>::from_statement(statement.clone()).map_err(|_| malformed)?;
        if !capability.record.valid_at(now_ms) {
            return Err(Acceptance::Ignore(IgnoreReason::OutsideValidity));
        }
        let (sequence, digest) = (capability.record.sequence, capability.digest());
        let heard = match self.0.get(&author) {
            None => Heard::of(sequence, digest),
            Some(heard) => heard
                .and(sequence, digest)
                .ok_or(Acceptance::Ignore(IgnoreReason::Known))?,
        };
        if !is_known(&author) {
            return Err(unknown);
        }
        self.0.insert(author, heard);
        if self.0.len() > AUTHORS_MAX {
            // Whoever it is: what it says once more is passed on once more.
            let other = self.0.keys().find(|key| **key != author).copied();
            other.and_then(|other| self.0.remove(&other));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use symphony_protocol::{
        embedding::Embedding,
        records::{Origin, StatementRecord},
    };
    use symphony_transparency::{SecretKey, sign_statement};

    use super::*;

    const NOW_MS: u64 = 1_000;

    fn secret(number: usize) -> SecretKey {
        let mut bytes = [3; 32];
        bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
        SecretKey::from_bytes(bytes)
    }

    fn capability(peer: usize, sequence: u64, valid_ms: std::ops::Range<u64>) -> VerifiedStatement {
        let record = Capability {
            origin: Origin {
                log: Digest::ZERO,
                index: 1,
            },
            sequence,
            tags: vec!["sums".to_owned()],
            embedding: Embedding::of_text("sums"),
            models: Vec::new(),
            price_microunits: valid_ms.end,
            parallel_max: 1,
            valid_from_ms: valid_ms.start,
            valid_until_ms: valid_ms.end,
        };
        sign_statement(
            &secret(peer),
            &Digest::ZERO,
            Capability::KIND,
            record.write(),
        )
    }

    fn hear(newest: &mut Newest, statement: &VerifiedStatement) -> Result<(), Acceptance> {
        newest.hear(statement, NOW_MS, |_| true)
    }

    #[test]
    fn net_44_a_statement_that_is_no_capability_or_revocation_is_rejected() {
        for kind in [StatementKind::Capability, StatementKind::Revocation] {
            let statement = sign_statement(&secret(1), &Digest::ZERO, kind, vec![0xff; 9]);
            let judged = hear(&mut Newest::default(), &statement);
            assert_eq!(judged, Err(Acceptance::Reject(RejectReason::Content)));
        }
    }

    #[test]
    fn net_46_a_capability_outside_its_validity_is_ignored() {
        for (valid_ms, is_valid) in [
            (0..NOW_MS, false),
            (NOW_MS + 1..NOW_MS + 2, false),
            (NOW_MS..NOW_MS + 1, true),
        ] {
            let judged = hear(&mut Newest::default(), &capability(1, 1, valid_ms));
            let ignored = Err(Acceptance::Ignore(IgnoreReason::OutsideValidity));
            assert_eq!(judged, if is_valid { Ok(()) } else { ignored });
        }
    }

    #[test]
    fn net_47_a_capability_that_is_no_news_is_ignored() {
        let mut newest = Newest::default();
        let known = Err(Acceptance::Ignore(IgnoreReason::Known));
        for (sequence, end_ms, expected) in [
            (5, 2_000, Ok(())),
            (5, 2_000, known),
            (4, 2_000, known),
            (5, 3_000, Ok(())),
            (5, 3_000, known),
            (5, 4_000, known),
            (6, 2_000, Ok(())),
            (5, 5_000, known),
        ] {
            let judged = hear(&mut newest, &capability(1, sequence, 0..end_ms));
            assert_eq!(judged, expected, "number {sequence} until {end_ms} ms");
        }
    }

    #[test]
    fn net_48_capabilities_of_throwaway_keys_are_ignored_and_not_remembered() {
        let mut newest = Newest::default();
        let unknown = Err(Acceptance::Ignore(IgnoreReason::Unknown));
        for number in 0..100 {
            let statement = capability(number, 1, 0..u64::MAX);
            assert_eq!(newest.hear(&statement, NOW_MS, |_| false), unknown);
        }
        assert!(newest.0.is_empty());
        let statement = capability(0, 1, 0..u64::MAX);
        assert_eq!(hear(&mut newest, &statement), Ok(()), "once it has come");
    }

    #[test]
    fn net_47_the_authors_remembered_are_bounded() {
        let mut newest = Newest::default();
        for number in 0..AUTHORS_MAX + 9 {
            let statement = capability(number, 1, 0..u64::MAX);
            assert_eq!(hear(&mut newest, &statement), Ok(()));
            assert!(newest.0.contains_key(statement.author()));
        }
        assert_eq!(newest.0.len(), AUTHORS_MAX);
    }
}
