//! Why notes are refused.

/// Why bytes are no note, or a note is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// More bytes than [`NOTE_SIZE_MAX`](super::NOTE_SIZE_MAX).
    #[error("note of {actual} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// [`NOTE_SIZE_MAX`](super::NOTE_SIZE_MAX).
        limit: usize,
        /// The size that was given.
        actual: usize,
    },
    /// Not UTF-8.
    #[error("note is not UTF-8 at byte {offset}")]
    NotUtf8 {
        /// Index of the first wrong byte.
        offset: usize,
    },
    /// An ASCII control character other than newline.
    #[error("note holds control character {character:#04x} at byte {offset}")]
    ControlCharacter {
        /// The character.
        character: u32,
        /// Its index in bytes.
        offset: usize,
    },
    /// The text is empty or does not end in a newline.
    #[error("note text is empty or does not end in a newline")]
    TextUnterminated,
    /// No blank line between text and signatures.
    #[error("note has no blank line before its signatures")]
    NoSignatures,
    /// The last line does not end in a newline.
    #[error("note does not end in a newline")]
    Unterminated,
    /// A line after the blank line is no signature line.
    #[error("signature line {line} is malformed")]
    MalformedSignature {
        /// Counted from 0 after the blank line.
        line: usize,
    },
    /// More signature lines than [`NOTE_SIGNATURES_MAX`](super::NOTE_SIGNATURES_MAX).
    #[error("note has {actual} signatures, more than {limit}")]
    TooManySignatures {
        /// [`NOTE_SIGNATURES_MAX`](super::NOTE_SIGNATURES_MAX).
        limit: usize,
        /// The number of lines.
        actual: usize,
    },
    /// A key's name is empty, too long, or holds a space, plus or control character.
    #[error(
        "the name of a key is empty, longer than {limit} bytes, or holds a space, plus or control character"
    )]
    BadName {
        /// [`NOTE_NAME_LENGTH_MAX`](super::NOTE_NAME_LENGTH_MAX).
        limit: usize,
    },
    /// No signature by the key in question.
    #[error("note has no signature by {name}")]
    UnsignedBy {
        /// The name of the key.
        name: String,
    },
    /// A signature that names the key in question is not one of it.
    #[error("signature by {name} refused")]
    SignatureRefused {
        /// The name of the key.
        name: String,
    },
}
