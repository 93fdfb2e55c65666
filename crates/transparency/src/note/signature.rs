//! Signature lines.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

use super::{NOTE_NAME_LENGTH_MAX, NOTE_SIZE_MAX, NoteError};
use crate::base64;

/// What a signature line begins with: em dash, space.
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// One signature line. `Display` writes the form that [`FromStr`] reads, without a newline.
///
/// Spec: LOG-16.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

impl NoteSignature {
    /// A line with these parts.
    ///
    /// # Errors
    /// [`NoteError::BadName`].
    pub(crate) fn new(name: &str, key_id: [u8; 4], signature: &[u8]) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            key_id,
            signature: signature.to_vec(),
        })
    }

    /// The name of the key, as claimed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The short id of the key, as claimed: a hint that anyone can collide, not an identity.
    pub const fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// The signature's bytes, whose length and meaning depend on the key.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    pub(super) fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
        check_name(name).ok()?;
        let bytes = base64::decode(encoded)?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            key_id: *key_id,
            signature: signature.to_vec(),
        })
    }
}

impl FromStr for NoteSignature {
    type Err = NoteError;

    /// Reads one line, without its newline.
    ///
    /// # Errors
    /// [`NoteError::TooLarge`] or [`NoteError::MalformedSignature`].
    fn from_str(line: &str) -> Result<Self, Self::Err> {
        if line.len() > NOTE_SIZE_MAX {
            return Err(NoteError::TooLarge {
                limit: NOTE_SIZE_MAX,
                actual: line.len(),
            });
        }
        Self::parse(line).ok_or(NoteError::MalformedSignature { line: 0 })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_vec();
        bytes.extend_from_slice(&self.signature);
        write!(
            formatter,
            "{SIGNATURE_PREFIX}{} {}",
            self.name,
            BASE64.encode(&bytes)
        )
    }
}

pub(super) fn check_name(name: &str) -> Result<(), NoteError> {
    let forbidden =
        |character: char| character.is_whitespace() || character.is_control() || character == '+';
    if name.is_empty() || name.len() > NOTE_NAME_LENGTH_MAX || name.contains(forbidden) {
        return Err(NoteError::BadName {
            limit: NOTE_NAME_LENGTH_MAX,
        });
    }
    Ok(())
}
