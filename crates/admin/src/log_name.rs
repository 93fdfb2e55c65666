//! Which log a request means.

use std::fmt;

use crate::request::RequestError;

/// Which log a request means: the node's own, or one that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogName {
    /// The node's own.
    Own,
    /// The log with this id, the digest of its entry 0.
    Id([u8; LogName::LENGTH]),
}

impl LogName {
    /// Size of a log id, in bytes.
    pub const LENGTH: usize = 32;

    /// Reads the form that requests use: empty for the node's own, otherwise 64 lowercase hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`RequestError::LogId`] on any other text.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        if text.is_empty() {
            return Ok(Self::Own);
        }
        let error = RequestError::LogId {
            actual_size: text.len(),
        };
        let digits = text.as_bytes();
        if digits.len() != 2 * Self::LENGTH {
            return Err(error);
        }
        let mut id = [0; Self::LENGTH];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            match (digit(pair[0]), digit(pair[1])) {
                (Some(high), Some(low)) => *byte = high << 4 | low,
                _ => return Err(error),
            }
        }
        Ok(Self::Id(id))
    }
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => Ok(()),
            Self::Id(id) => id
                .iter()
                .try_for_each(|byte| write!(formatter, "{byte:02x}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LogName;

    #[test]
    fn a_log_id_is_64_lowercase_digits_or_nothing() {
        assert_eq!(LogName::parse("").unwrap(), LogName::Own);
        let text = "0123456789abcdef".repeat(4);
        assert_eq!(LogName::parse(&text).unwrap().to_string(), text);
        for wrong in [
            text.to_uppercase(),
            text[1..].to_owned(),
            format!("{text}0"),
            "g".repeat(64),
            "é".repeat(32),
        ] {
            assert!(LogName::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
