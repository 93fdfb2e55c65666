//! Signed notes (C2SP signed-note): a text, a blank line, and signature lines.
//!
//! Spec: LOG-14 to LOG-18.

mod error;

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};

pub use self::error::NoteError;
use crate::{PublicKey, SecretKey, Signature};

/// Largest note in bytes. C2SP asks that 16 signatures be read, and post-quantum ones take nearly 5 kB each; the text of a
/// checkpoint is short.
pub const NOTE_SIZE_MAX: usize = 128 * 1024;

/// Most signature lines in a note, as in Go's reader.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// Longest name of a key in bytes. An origin (network and log id in hexadecimal) has 141.
pub const NOTE_NAME_LENGTH_MAX: usize = 256;

/// What a signature line begins with: em dash, space.
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// Signature type of plain Ed25519.
const TYPE_ED25519: u8 = 0x01;

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

impl NoteSignature {
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

    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
        check_name(name).ok()?;
        let bytes = BASE64.decode(encoded.as_bytes()).ok()?;
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

/// A well-formed note. That it was parsed says nothing about its signatures: see [`SignedNote::verify`].
///
/// `Display` gives the note's exact bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
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
        check_name(name)?;
        if self.signatures.len() >= NOTE_SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures {
                limit: NOTE_SIGNATURES_MAX,
                actual: self.signatures.len() + 1,
            });
        }
        self.signatures.push(NoteSignature {
            name: name.to_owned(),
            key_id: key_id(name, &secret.public()),
            signature: secret.sign_raw(self.text.as_bytes()).as_bytes().to_vec(),
        });
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
            if line.name != name || line.key_id != expected {
                continue;
            }
            found = true;
            Signature::from_slice(&line.signature)
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
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', TYPE_ED25519]);
    hasher.update(key.as_bytes());
    let hash: [u8; 32] = hasher.finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// The key as one line of text for other verifiers of notes (Go's `note.NewVerifier`):
/// `name+key id in hexadecimal+base64(0x01 ‖ key)`.
pub fn verifier_key(name: &str, key: &PublicKey) -> String {
    let mut typed = vec![TYPE_ED25519];
    typed.extend_from_slice(key.as_bytes());
    format!(
        "{name}+{}+{}",
        HEXLOWER.encode(&key_id(name, key)),
        BASE64.encode(&typed)
    )
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

fn check_name(name: &str) -> Result<(), NoteError> {
    let forbidden =
        |character: char| character.is_whitespace() || character.is_control() || character == '+';
    if name.is_empty() || name.len() > NOTE_NAME_LENGTH_MAX || name.contains(forbidden) {
        return Err(NoteError::BadName {
            limit: NOTE_NAME_LENGTH_MAX,
        });
    }
    Ok(())
}
