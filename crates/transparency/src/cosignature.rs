//! Cosignatures (C2SP tlog-cosignature, `cosignature/v1`): what a witness says of another peer's checkpoint.
//!
//! A cosignature says one thing: at that time, the largest tree of this log that the witness had seen to grow consistently had
//! this size and root. It says nothing of what the entries mean, nor of the state root in the checkpoint's fourth line: that
//! a log was *replayed* clean is a statement of its own.
//!
//! Spec: WITNESS-1 to WITNESS-3, WITNESS-8.

use crate::note::{NoteSignature, SignedNote, VerifierKey, VerifierKeyError, VerifierKeyType};
use crate::{Digest, NoteError, PublicKey, SecretKey, Signature};

/// Latest time of a cosignature, in seconds since 1970-01-01 UTC: it fits a signed 64-bit integer.
///
/// Spec: WITNESS-1.
pub const COSIGNATURE_TIME_MAX_S: u64 = i64::MAX as u64;

/// Bytes of a cosignature: time, then signature.
const COSIGNATURE_SIZE: usize = 8 + Signature::LENGTH;

/// First line of what is signed: no checkpoint begins with it, since every origin begins with another word.
const HEADER: &str = "cosignature/v1\n";

/// Who cosigns: a witness key under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigner(VerifierKey);

/// Why a cosignature cannot be made, or is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CosignatureError {
    /// A time beyond [`COSIGNATURE_TIME_MAX_S`].
    #[error("cosignature time {actual} s exceeds {limit} s")]
    Time {
        /// [`COSIGNATURE_TIME_MAX_S`].
        limit: u64,
        /// The time in seconds.
        actual: u64,
    },
    /// The secret key is not the cosigner's.
    #[error("the secret key is not that of {name}")]
    OtherKey {
        /// Name of the cosigner.
        name: String,
    },
    /// The note has no line by the cosigner.
    #[error("no cosignature by {name}")]
    Missing {
        /// Name of the cosigner.
        name: String,
    },
    /// A line that names the cosigner does not hold.
    #[error("cosignature by {name} refused")]
    Refused {
        /// Name of the cosigner.
        name: String,
    },
    /// The note has no room for another line.
    #[error("note: {0}")]
    Note(#[from] NoteError),
}

impl Cosigner {
    /// The cosigner of this name and key.
    ///
    /// # Errors
    /// [`NoteError::BadName`].
    pub fn new(name: &str, key: PublicKey) -> Result<Self, NoteError> {
        VerifierKey::new(name, VerifierKeyType::Cosignature, key).map(Self)
    }

    /// The cosigner that a peer of a network is, by the id of its own log and its witness key (KEYS-6).
    ///
    /// Spec: WITNESS-2.
    pub fn of_peer(network: &Digest, log: &Digest, witness: PublicKey) -> Self {
        Self::new(&format!("symphony/v1/{network}/{log}/witness"), witness)
            .expect("hexadecimal digits and slashes, below the limit of a name")
    }

    /// The name under which it cosigns.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The witness key.
    pub const fn key(&self) -> &PublicKey {
        self.0.key()
    }

    /// Name and key in one line of text, of type 0x04: what stands in a policy file.
    pub const fn verifier_key(&self) -> &VerifierKey {
        &self.0
    }

    /// Makes a cosignature over the text of a checkpoint. The caller has stored, by one atomic step, that this is the newest
    /// tree it saw (WITNESS-6).
    ///
    /// # Errors
    /// [`CosignatureError::Time`], [`CosignatureError::OtherKey`].
    ///
    /// Spec: WITNESS-1.
    pub fn cosign(
        &self,
        text: &str,
        time_s: u64,
        secret: &SecretKey,
    ) -> Result<NoteSignature, CosignatureError> {
        if secret.public() != *self.key() {
            return Err(CosignatureError::OtherKey {
                name: self.name().to_owned(),
            });
        }
        let signature = secret.sign_raw(&cosigned_bytes(text, time_s)?);
        let mut bytes = time_s.to_be_bytes().to_vec();
        bytes.extend_from_slice(signature.as_bytes());
        Ok(NoteSignature::new(self.name(), self.0.key_id(), &bytes)?)
    }

    /// Accepts one line as this cosigner's over a checkpoint's text. Returns its time in seconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// [`CosignatureError::Missing`] if the line names another cosigner; [`CosignatureError::Refused`] if it does not hold.
    ///
    /// Spec: WITNESS-1.
    pub fn verify_line(&self, text: &str, line: &NoteSignature) -> Result<u64, CosignatureError> {
        let name = || self.name().to_owned();
        if !self.is_named_by(line) {
            return Err(CosignatureError::Missing { name: name() });
        }
        let refused = || CosignatureError::Refused { name: name() };
        let bytes: &[u8; COSIGNATURE_SIZE] = line.signature().try_into().map_err(|_| refused())?;
        let (time_s, signature) = bytes.split_first_chunk::<8>().ok_or_else(refused)?;
        let time_s = u64::from_be_bytes(*time_s);
        let signature = Signature::from_slice(signature).map_err(|_| refused())?;
        let signed = cosigned_bytes(text, time_s).map_err(|_| refused())?;
        self.key()
            .verify(&signed, &signature)
            .map_err(|_| refused())?;
        Ok(time_s)
    }

    /// Accepts a note as cosigned, and returns the latest time of this cosigner's lines that hold. A line that does not hold
    /// takes nothing from one that does: anyone could have added it.
    ///
    /// # Errors
    /// [`CosignatureError::Missing`] without a line by the cosigner, [`CosignatureError::Refused`] if none holds.
    ///
    /// Spec: WITNESS-3.
    pub fn verify(&self, note: &SignedNote) -> Result<u64, CosignatureError> {
        let mut lines = note
            .signatures()
            .iter()
            .filter(|line| self.is_named_by(line))
            .peekable();
        if lines.peek().is_none() {
            return Err(CosignatureError::Missing {
                name: self.name().to_owned(),
            });
        }
        lines
            .filter_map(|line| self.verify_line(note.text(), line).ok())
            .max()
            .ok_or_else(|| CosignatureError::Refused {
                name: self.name().to_owned(),
            })
    }

    fn is_named_by(&self, line: &NoteSignature) -> bool {
        line.name() == self.name() && line.key_id() == self.0.key_id()
    }
}

impl TryFrom<VerifierKey> for Cosigner {
    type Error = VerifierKeyError;

    /// # Errors
    /// [`VerifierKeyError::WrongType`] for a key that does not cosign.
    fn try_from(key: VerifierKey) -> Result<Self, Self::Error> {
        match key.key_type() {
            VerifierKeyType::Cosignature => Ok(Self(key)),
            VerifierKeyType::Ed25519 => Err(VerifierKeyError::WrongType {
                expected: VerifierKeyType::Cosignature,
                found: VerifierKeyType::Ed25519,
            }),
        }
    }
}

/// What a witness signs: `cosignature/v1`, the time, and the whole text of the checkpoint, extension lines included.
///
/// # Errors
/// [`CosignatureError::Time`].
///
/// Spec: WITNESS-1.
pub fn cosigned_bytes(text: &str, time_s: u64) -> Result<Vec<u8>, CosignatureError> {
    if time_s > COSIGNATURE_TIME_MAX_S {
        return Err(CosignatureError::Time {
            limit: COSIGNATURE_TIME_MAX_S,
            actual: time_s,
        });
    }
    Ok(format!("{HEADER}time {time_s}\n{text}").into_bytes())
}
