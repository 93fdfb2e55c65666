//! Signed notes (C2SP signed-note): a text, a blank line, and signature lines.
//!
//! Spec: LOG-14 to LOG-18.

mod error;
mod signature;
mod verifier_key;

use std::fmt;

pub use self::error::NoteError;
pub use self::signature::NoteSignature;
pub use self::verifier_key::{
    VERIFIER_KEY_LENGTH_MAX, VerifierKey, VerifierKeyError, VerifierKeyType,
};
use crate::{PublicKey, SecretKey, Signature};

/// Largest note in bytes. C2SP asks that 16 signatures be read, and post-quantum ones take nearly 5 kB each; the text of a
/// checkpoint is short.
pub const NOTE_SIZE_MAX: usize = 128 * 1024;

/// Most signature lines in a note, as in Go's reader.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// Longest name of a key in bytes. An origin (network and log id in hexadecimal) has 141.
pub const NOTE_NAME_LENGTH_MAX: usize = 256;

/// A well-formed note. That it was parsed says nothing about its signatures: see [`SignedNote::verify`].
///
/// `Display` gives the note's exact bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// The note with the signature lines of this name alone: what the others add says nothing to who needs that one.
    pub fn with_lines_of(&self, name: &str) -> String {
        let mut note = format!("{}\n", self.text());
        for line in self.signatures() {
            if line.name() == name {
                note.push_str(&format!("{line}\n"));
            }
        }
        note
    }

    /// Reads a note, whose base64 has one form only (CONV-3). There is one encoding of each note, so [`ToString`] gives back the same bytes.
    ///
    /// # Errors
    /// Any [`NoteError`] but the last two.
    ///
    /// Spec: LOG-14, LOG-15, LOG-16.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_SIZE_MAX {
            return Err(NoteError::TooLarge {
                limit: NOTE_SIZE_MAX,
                actual: bytes.len(),
            });
        }
        let note = std::str::from_utf8(bytes).map_err(|error| NoteError::NotUtf8 {
            offset: error.valid_up_to(),
        })?;
        check_characters(note)?;
        // The last blank line ends the text, which may itself hold blank lines.
        let blank = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, lines) = (&note[..=blank], &note[blank + 2..]);
        check_text(text)?;
        if lines.is_empty() {
            return Err(NoteError::NoSignatures);
        }
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Unterminated)?;
        let count = lines.split('\n').count();
        if count > NOTE_SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures {
                limit: NOTE_SIGNATURES_MAX,
                actual: count,
            });
        }
        let signatures = lines
            .split('\n')
            .enumerate()
            .map(|(line, text)| {
                NoteSignature::parse(text).ok_or(NoteError::MalformedSignature { line })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// Signs a text under a key's name.
    ///
    /// # Errors
    /// [`NoteError::TextUnterminated`], [`NoteError::ControlCharacter`], [`NoteError::TooLarge`] or
    /// [`NoteError::BadName`].
    ///
    /// Spec: LOG-17.
    pub fn sign(text: &str, name: &str, secret: &SecretKey) -> Result<Self, NoteError> {
        check_characters(text)?;
        check_text(text)?;
        let mut note = Self {
            text: text.to_owned(),
            signatures: Vec::new(),
        };
        note.add_signature(name, secret)?;
        Ok(note)
    }

    /// Adds a signature by another key.
    ///
    /// # Errors
    /// [`NoteError::BadName`], [`NoteError::TooManySignatures`] or [`NoteError::TooLarge`]; the note is then unchanged.
    pub fn add_signature(&mut self, name: &str, secret: &SecretKey) -> Result<(), NoteError> {
        let signature = secret.sign_raw(self.text.as_bytes());
        let key_id = key_id(name, &secret.public());
        self.push_line(NoteSignature::new(name, key_id, signature.as_bytes())?)
    }

    /// Adds a signature line, whatever it is worth; one that the note already has is not added again.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`] or [`NoteError::TooLarge`]; the note is then unchanged.
    pub fn add_line(&mut self, line: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.contains(&line) {
            return Ok(());
        }
        self.push_line(line)
    }

    fn push_line(&mut self, line: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.len() >= NOTE_SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures {
                limit: NOTE_SIGNATURES_MAX,
                actual: self.signatures.len() + 1,
            });
        }
        self.signatures.push(line);
        let size = self.to_string().len();
        if size > NOTE_SIZE_MAX {
            self.signatures.pop();
            return Err(NoteError::TooLarge {
                limit: NOTE_SIZE_MAX,
                actual: size,
            });
        }
        Ok(())
    }

    /// Accepts the note as signed by the key of this name. Signatures by other keys are ignored; if several lines name this
    /// key, each must hold.
    ///
    /// # Errors
    /// [`NoteError::UnsignedBy`] or [`NoteError::SignatureRefused`].
    ///
    /// Spec: LOG-18.
    pub fn verify(&self, name: &str, key: &PublicKey) -> Result<(), NoteError> {
        let expected = key_id(name, key);
        let mut found = false;
        for line in &self.signatures {
            if line.name() != name || line.key_id() != expected {
                continue;
            }
            found = true;
            Signature::from_slice(line.signature())
                .and_then(|signature| key.verify(self.text.as_bytes(), &signature))
                .map_err(|_| NoteError::SignatureRefused {
                    name: name.to_owned(),
                })?;
        }
        if found {
            Ok(())
        } else {
            Err(NoteError::UnsignedBy {
                name: name.to_owned(),
            })
        }
    }

    /// The text, which ends in a newline: what was signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in their order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.text)?;
        for signature in &self.signatures {
            writeln!(formatter, "{signature}")?;
        }
        Ok(())
    }
}

/// The short id of an Ed25519 key under a name: the first 4 bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key).
///
/// Spec: LOG-17.
pub fn key_id(name: &str, key: &PublicKey) -> [u8; 4] {
    VerifierKeyType::Ed25519.key_id(name, key)
}

/// The key as one line of text for other verifiers of notes (Go's `note.NewVerifier`):
/// `name+key id in hexadecimal+base64(0x01 ‖ key)`.
pub fn verifier_key(name: &str, key: &PublicKey) -> String {
    VerifierKeyType::Ed25519.text(name, key)
}

fn check_characters(note: &str) -> Result<(), NoteError> {
    let found = note
        .char_indices()
        .find(|(_, character)| *character < ' ' && *character != '\n');
    match found {
        Some((offset, character)) => Err(NoteError::ControlCharacter {
            character: u32::from(character),
            offset,
        }),
        None => Ok(()),
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    // A text of newlines only would begin with the blank line.
    if text.ends_with('\n') && text != "\n" {
        Ok(())
    } else {
        Err(NoteError::TextUnterminated)
    }
}
