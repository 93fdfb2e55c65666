//! The envelope of everything that a peer signs and that stands on its own.
//!
//! A statement is only ever handled in one of two states: [`UnverifiedStatement`], whose author is a claim, and
//! [`VerifiedStatement`], which exists only after the signature was accepted for the expected network. Both keep the exact
//! bytes, since those are what logs hold.
//!
//! Spec: KEYS-8 to KEYS-14.

use std::ops::Range;

use symphony_proto::statement::v1 as wire;

use crate::canonical::{self, CanonicalError};
use crate::keys::{CheckedKey, KeyError, PublicKey, SecretKey, Signature, SignatureError};
use crate::{Digest, DigestError, Domain, StatementKind, digest, digest_parts};

/// Largest statement in bytes. The biggest payload is a capability with an embedding and its tags, below 16 KiB; four times
/// that leaves room, and bounds what one message can cost a receiver.
pub const STATEMENT_SIZE_MAX: usize = 64 * 1024;

/// First byte of everything that is signed as a statement. No UTF-8 text contains it, so no signed note's text can be
/// presented as a statement, nor the reverse.
pub(crate) const SIGNING_PREFIX: &[u8] = b"\xffsymphony/v1\x00";

/// Why bytes are no statement that this network accepts. Every case is the sender's fault.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Too large, malformed, or not the canonical encoding.
    #[error("envelope: {0}")]
    Envelope(#[from] CanonicalError),
    /// The network id does not have 32 bytes.
    #[error("network_id: {0}")]
    NetworkId(#[source] DigestError),
    /// The type is missing or one that this version does not know.
    #[error("type: {actual} is not a known statement type")]
    UnknownType {
        /// The number on the wire.
        actual: i32,
    },
    /// The author is no acceptable key.
    #[error("author: {0}")]
    Author(#[source] KeyError),
    /// The signature has a wrong length or was refused.
    #[error("signature: {0}")]
    Signature(#[source] SignatureError),
    /// A well-formed statement of another network.
    #[error("statement of network {actual}, expected {expected}")]
    ForeignNetwork {
        /// The network that was asked for.
        expected: Digest,
        /// The network that the statement names.
        actual: Digest,
    },
}

crate::canonical_views! {
    Envelope<'a> of wire::Statement {
        network_id: &'a [u8] = 1,
        r#type: i32 = 2,
        author: &'a [u8] = 3,
        payload: &'a [u8] = 4,
        signature: &'a [u8] = 5,
    }
}

/// The last field of an envelope: tag, length, signature.
const SIGNATURE_FIELD_SIZE: usize = 2 + Signature::LENGTH;

/// The fields of a statement, beside its exact bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fields {
    network: Digest,
    kind: StatementKind,
    author: PublicKey,
    /// Where it stands in the exact bytes.
    payload: Range<usize>,
}

/// Where the payload stands in an envelope with a signature: right before it.
fn payload_range(bytes: &[u8], payload_size: usize) -> Range<usize> {
    let end = bytes.len() - SIGNATURE_FIELD_SIZE;
    end - payload_size..end
}

/// A well-formed statement whose signature nobody has checked yet: its author is only a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedStatement {
    fields: Fields,
    key: CheckedKey,
    signature: Signature,
    bytes: Vec<u8>,
}

impl UnverifiedStatement {
    /// Reads an envelope: size limit, canonical encoding, lengths, known type, acceptable key. No signature is checked.
    ///
    /// # Errors
    /// Any [`StatementError`] but [`StatementError::ForeignNetwork`].
    ///
    /// Spec: KEYS-8, KEYS-9, KEYS-12, BYTES-4.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        let envelope: Envelope<'_> = canonical::read_canonical(bytes, STATEMENT_SIZE_MAX)?;
        let network = Digest::from_slice(envelope.network_id).map_err(StatementError::NetworkId)?;
        let kind = u32::try_from(envelope.r#type)
            .ok()
            .and_then(StatementKind::from_number)
            .ok_or(StatementError::UnknownType {
                actual: envelope.r#type,
            })?;
        let key = CheckedKey::from_slice(envelope.author).map_err(StatementError::Author)?;
        let signature =
            Signature::from_slice(envelope.signature).map_err(StatementError::Signature)?;
        Ok(Self {
            fields: Fields {
                network,
                kind,
                author: key.public(),
                payload: payload_range(bytes, envelope.payload.len()),
            },
            key,
            signature,
            bytes: bytes.to_vec(),
        })
    }

    /// Accepts the statement for one network.
    ///
    /// # Errors
    /// [`StatementError::ForeignNetwork`] (checked first: such a statement is no fault of its author) or
    /// [`StatementError::Signature`].
    ///
    /// Spec: KEYS-10, KEYS-13.
    pub fn verify(self, expected_network: &Digest) -> Result<VerifiedStatement, StatementError> {
        let Fields {
            network,
            kind,
            payload,
            ..
        } = &self.fields;
        if network != expected_network {
            return Err(StatementError::ForeignNetwork {
                expected: *expected_network,
                actual: *network,
            });
        }
        let payload_digest = payload_digest(*kind, &self.bytes[payload.clone()]);
        let signed = signing_bytes(network, *kind, &payload_digest);
        self.key
            .verify(&signed, &self.signature)
            .map_err(StatementError::Signature)?;
        Ok(VerifiedStatement {
            payload_digest,
            fields: self.fields,
            bytes: self.bytes,
        })
    }

    /// Takes the statement as verified without looking at its signature.
    ///
    /// The hazard: nothing stands behind the author's name but the caller. It is for bytes that the caller itself verified
    /// before and that nobody else could change since, such as those of its own log, and never for what came from a peer or
    /// a file.
    ///
    /// # Errors
    /// [`StatementError::ForeignNetwork`].
    pub fn assume_verified(
        self,
        expected_network: &Digest,
    ) -> Result<VerifiedStatement, StatementError> {
        if self.fields.network != *expected_network {
            return Err(StatementError::ForeignNetwork {
                expected: *expected_network,
                actual: self.fields.network,
            });
        }
        Ok(VerifiedStatement {
            payload_digest: payload_digest(
                self.fields.kind,
                &self.bytes[self.fields.payload.clone()],
            ),
            fields: self.fields,
            bytes: self.bytes,
        })
    }

    /// The network that the statement names.
    pub fn network(&self) -> &Digest {
        &self.fields.network
    }

    /// What the statement says it is.
    pub fn kind(&self) -> StatementKind {
        self.fields.kind
    }

    /// Who the statement says signed it.
    pub fn claimed_author(&self) -> &PublicKey {
        &self.fields.author
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Digest of the exact bytes of the envelope: see [`VerifiedStatement::digest`].
    ///
    /// Spec: KEYS-11.
    pub fn digest(&self) -> Digest {
        statement_digest(&self.bytes)
    }
}

/// A statement whose author did sign it, for the expected network. Nothing is said about what its payload means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedStatement {
    fields: Fields,
    payload_digest: Digest,
    bytes: Vec<u8>,
}

impl VerifiedStatement {
    /// The network that the statement belongs to.
    pub fn network(&self) -> &Digest {
        &self.fields.network
    }

    /// Which message the payload holds.
    pub fn kind(&self) -> StatementKind {
        self.fields.kind
    }

    /// The log key that signed.
    pub fn author(&self) -> &PublicKey {
        &self.fields.author
    }

    /// Bytes of the message that [`VerifiedStatement::kind`] names; not yet decoded, possibly not canonical.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.fields.payload.clone()]
    }

    /// Digest of the exact bytes of the envelope. An author can sign one payload twice with two such digests, so payloads,
    /// entries and acknowledgements name a statement by its [`VerifiedStatement::payload_digest`] (CAP-5).
    ///
    /// Spec: KEYS-11.
    pub fn digest(&self) -> Digest {
        statement_digest(&self.bytes)
    }

    /// Digest of type and payload: equal for two statements of one author exactly when they say the same. It is the name of
    /// the statement wherever another names it.
    ///
    /// Spec: KEYS-10, KEYS-14, CAP-5.
    pub fn payload_digest(&self) -> Digest {
        self.payload_digest
    }

    /// The exact bytes of the envelope: what is sent and logged.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The exact bytes, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// The digest of a statement's type and payload: the part of the signing bytes that depends on the content.
///
/// Spec: KEYS-10.
pub fn payload_digest(kind: StatementKind, payload: &[u8]) -> Digest {
    digest_parts(Domain::Payload, &[&kind.number().to_be_bytes(), payload])
}

/// The digest of an envelope's exact bytes.
///
/// Spec: KEYS-11.
pub fn statement_digest(bytes: &[u8]) -> Digest {
    digest(Domain::Statement, bytes)
}

/// What a statement's author signs: `0xFF ‖ "symphony/v1" ‖ 0x00 ‖ network id ‖ type (4 bytes, big-endian) ‖ payload digest`.
///
/// Spec: KEYS-10.
pub fn signing_bytes(network: &Digest, kind: StatementKind, payload_digest: &Digest) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SIGNING_PREFIX.len() + 2 * Digest::LENGTH + 4);
    bytes.extend_from_slice(SIGNING_PREFIX);
    bytes.extend_from_slice(network.as_bytes());
    bytes.extend_from_slice(&kind.number().to_be_bytes());
    bytes.extend_from_slice(payload_digest.as_bytes());
    bytes
}

/// Signs a payload. The signature is deterministic (RFC 8032): signing the same payload again gives the same bytes.
///
/// The payload is the canonical encoding of a record whose own limit lies well below [`STATEMENT_SIZE_MAX`]; a larger one
/// would be signed, and then refused by every receiver.
///
/// Spec: KEYS-10.
pub fn sign_statement(
    secret: &SecretKey,
    network: &Digest,
    kind: StatementKind,
    payload: Vec<u8>,
) -> VerifiedStatement {
    let payload_digest = payload_digest(kind, &payload);
    let signature = secret.sign_raw(&signing_bytes(network, kind, &payload_digest));
    assemble(secret.public(), signature, network, kind, payload)
}

/// A statement that nobody signed, taken as verified: 64 zero bytes stand where the signature would.
///
/// The hazard: it says in its author's name whatever the caller likes. It is for simulations, where the caller is every
/// author and only what follows from statements matters; no verifier accepts its bytes. `clippy.toml` bans it elsewhere.
pub fn statement_without_signature(
    author: PublicKey,
    network: &Digest,
    kind: StatementKind,
    payload: Vec<u8>,
) -> VerifiedStatement {
    let signature = Signature::from_bytes([0; Signature::LENGTH]);
    assemble(author, signature, network, kind, payload)
}

fn assemble(
    author: PublicKey,
    signature: Signature,
    network: &Digest,
    kind: StatementKind,
    payload: Vec<u8>,
) -> VerifiedStatement {
    let payload_digest = payload_digest(kind, &payload);
    let envelope = wire::Statement {
        network_id: network.as_bytes().to_vec(),
        r#type: i32::try_from(kind.number()).expect("the numbers of kinds are small"),
        author: author.as_bytes().to_vec(),
        payload,
        signature: signature.as_bytes().to_vec(),
    };
    let bytes = canonical::encode(&envelope);
    VerifiedStatement {
        payload_digest,
        fields: Fields {
            network: *network,
            kind,
            author,
            payload: payload_range(&bytes, envelope.payload.len()),
        },
        bytes,
    }
}
