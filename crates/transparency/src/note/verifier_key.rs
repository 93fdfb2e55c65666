//! Verifier keys ("vkeys"): a key, its name and what its signatures are, in one line of text.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};

use super::signature::check_name;
use super::{NOTE_NAME_LENGTH_MAX, NoteError};
use crate::{KeyError, PublicKey, base64};

/// Longest verifier key in bytes: name, key id, type and key.
pub const VERIFIER_KEY_LENGTH_MAX: usize = NOTE_NAME_LENGTH_MAX + 1 + 8 + 1 + 44;

/// What the signatures of a key are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerifierKeyType {
    /// The note's text: how logs sign (LOG-17).
    Ed25519,
    /// A time and the note's text: how witnesses sign (WITNESS-1).
    Cosignature,
}

impl VerifierKeyType {
    /// The byte that names the type in key ids and verifier keys; C2SP gives them out.
    const fn number(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    /// The short id of a key under a name: the first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key).
    ///
    /// Spec: LOG-17, WITNESS-1.
    pub(crate) fn key_id(self, name: &str, key: &PublicKey) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(name.as_bytes());
        hasher.update([b'\n', self.number()]);
        hasher.update(key.as_bytes());
        let hash: [u8; 32] = hasher.finalize().into();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// `name+key id in hexadecimal+base64(type ‖ key)`.
    pub(super) fn text(self, name: &str, key: &PublicKey) -> String {
        let mut typed = vec![self.number()];
        typed.extend_from_slice(key.as_bytes());
        format!(
            "{name}+{}+{}",
            HEXLOWER.encode(&self.key_id(name, key)),
            BASE64.encode(&typed)
        )
    }
}

/// Whose keys are of the type.
impl fmt::Display for VerifierKeyType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ed25519 => "a log (type 0x01)",
            Self::Cosignature => "a witness (type 0x04)",
        })
    }
}

/// A key under its name. `Display` writes the form that [`FromStr`] reads, and that Go's `note.NewVerifier` reads for keys of
/// the type [`VerifierKeyType::Ed25519`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key_type: VerifierKeyType,
    key: PublicKey,
}

/// Why a text is no verifier key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierKeyError {
    /// Not `name+key id+key`, or longer than [`VERIFIER_KEY_LENGTH_MAX`].
    #[error("a verifier key is written name+key id in hexadecimal+type and key in base64")]
    BadForm,
    /// The name cannot stand in a signature line.
    #[error(transparent)]
    Name(#[from] NoteError),
    /// A type of key that this software cannot check, and so must not pass over.
    #[error("keys of type {found:#04x} are not known here")]
    UnknownType {
        /// The type's byte.
        found: u8,
    },
    /// A key of the other type: a log's where a witness' is due, or the other way round.
    #[error("this is the key of {found}, not of {expected}")]
    WrongType {
        /// The type that is due.
        expected: VerifierKeyType,
        /// The type of the key.
        found: VerifierKeyType,
    },
    /// The key is not acceptable.
    #[error("verifier key: {0}")]
    Key(#[from] KeyError),
    /// The id is not that of name, type and key: a mistyped line.
    #[error("the key id is {found}, that of name and key {expected}")]
    KeyId {
        /// The id that follows from name, type and key, in hexadecimal.
        expected: String,
        /// The id that was given.
        found: String,
    },
}

impl VerifierKey {
    /// A key under a name.
    ///
    /// # Errors
    /// [`NoteError::BadName`].
    pub fn new(name: &str, key_type: VerifierKeyType, key: PublicKey) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            key_type,
            key,
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key's signatures are over.
    pub const fn key_type(&self) -> VerifierKeyType {
        self.key_type
    }

    /// The key itself.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The id that the key's signature lines bear.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_type.key_id(&self.name, &self.key)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.key_type.text(&self.name, &self.key))
    }
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > VERIFIER_KEY_LENGTH_MAX {
            return Err(VerifierKeyError::BadForm);
        }
        // Base64 has plus signs of its own.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VerifierKeyError::BadForm);
        };
        check_name(name)?;
        let typed = base64::decode(key).ok_or(VerifierKeyError::BadForm)?;
        let (number, key) = typed.split_first().ok_or(VerifierKeyError::BadForm)?;
        let key_type = [VerifierKeyType::Ed25519, VerifierKeyType::Cosignature]
            .into_iter()
            .find(|known| known.number() == *number)
            .ok_or(VerifierKeyError::UnknownType { found: *number })?;
        let key = PublicKey::from_slice(key)?;
        let expected = HEXLOWER.encode(&key_type.key_id(name, &key));
        if id != expected {
            return Err(VerifierKeyError::KeyId {
                expected,
                found: id.to_owned(),
            });
        }
        Ok(Self::new(name, key_type, key)?)
    }
}
