//! Bearer tokens.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::role::Role;

/// Shortest token, in characters: 32 hexadecimal digits are 128 bits.
const TOKEN_LENGTH_MIN: usize = 32;
/// Longest token, in characters.
const TOKEN_LENGTH_MAX: usize = 512;

/// A secret that stands for a role. It is never printed, and leaves memory when dropped.
pub struct BearerToken(Zeroizing<String>);

/// A text or file that is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Too short or too long.
    #[error("a token has {TOKEN_LENGTH_MIN} to {TOKEN_LENGTH_MAX} characters, not {actual}")]
    Length {
        /// How many it has.
        actual: usize,
    },
    /// A character that HTTP does not allow in a token.
    #[error("a token holds letters, digits and the characters - . _ ~ + / = only")]
    Character,
    /// Others than its owner may read the file.
    #[error("{} has mode {mode:o}: others may read the token; make it 600", .path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file cannot be read.
    #[error("cannot read the token in {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Both roles have the same token, so it would be unclear which one a caller has.
    #[error("operator and auditor have the same token")]
    Same,
    /// Neither role has a token, so nobody could call.
    #[error("neither operator nor auditor has a token")]
    None,
}

impl BearerToken {
    /// Takes a text as token.
    ///
    /// # Errors
    ///
    /// [`TokenError::Length`] or [`TokenError::Character`].
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if !(TOKEN_LENGTH_MIN..=TOKEN_LENGTH_MAX).contains(&text.len()) {
            return Err(TokenError::Length {
                actual: text.chars().count(),
            });
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if !text.bytes().all(allowed) {
            return Err(TokenError::Character);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The token that 32 random bytes give, as 64 hexadecimal digits.
    pub fn from_entropy(entropy: [u8; 32]) -> Self {
        Self(Zeroizing::new(
            entropy.iter().map(|byte| format!("{byte:02x}")).collect(),
        ))
    }

    /// Reads a token from a file that only its owner may read; white space around it does not count.
    ///
    /// # Errors
    ///
    /// Any [`TokenError`] but the last two.
    pub fn read_file(path: &Path) -> Result<Self, TokenError> {
        use std::io::Read as _;
        use std::os::unix::fs::PermissionsExt as _;

        let io = |source| TokenError::Io {
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(TokenError::Readable {
                path: path.to_owned(),
                mode,
            });
        }
        let mut text = Zeroizing::new(String::new());
        // A little more than a token, so that a wrong file is refused for its length and not read whole.
        file.take(2 * TOKEN_LENGTH_MAX as u64)
            .read_to_string(&mut text)
            .map_err(io)?;
        Self::parse(text.trim())
    }

    /// The secret, to be written to a file or sent to a server.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn digest(&self) -> blake3::Hash {
        digest(self.0.as_bytes())
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BearerToken")
    }
}

/// The tokens that a server accepts. It holds their digests only.
#[derive(Clone)]
pub struct Tokens {
    operator: Option<blake3::Hash>,
    auditor: Option<blake3::Hash>,
}

impl Tokens {
    /// The tokens of the two roles. A role without a token cannot be had.
    ///
    /// # Errors
    ///
    /// [`TokenError::Same`] and [`TokenError::None`].
    pub fn new(
        operator: Option<&BearerToken>,
        auditor: Option<&BearerToken>,
    ) -> Result<Self, TokenError> {
        let tokens = Self {
            operator: operator.map(BearerToken::digest),
            auditor: auditor.map(BearerToken::digest),
        };
        match (tokens.operator, tokens.auditor) {
            (None, None) => Err(TokenError::None),
            (Some(operator), Some(auditor)) if operator == auditor => Err(TokenError::Same),
            _ => Ok(tokens),
        }
    }

    /// The role that an `authorization` header gives.
    pub(crate) fn role(&self, header: &[u8]) -> Option<Role> {
        let (scheme, token) = header.split_at_checked(BEARER.len())?;
        if !scheme.eq_ignore_ascii_case(BEARER) {
            return None;
        }
        // Digests are compared in constant time, and both always: how long this takes says nothing of a secret.
        let digest = digest(token);
        let operator = self.operator.is_some_and(|expected| expected == digest);
        let auditor = self.auditor.is_some_and(|expected| expected == digest);
        match (operator, auditor) {
            (true, _) => Some(Role::Operator),
            (false, true) => Some(Role::Auditor),
            (false, false) => None,
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tokens")
    }
}

const BEARER: &[u8] = b"Bearer ";

fn digest(token: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_derive_key("symphony v1 admin token");
    hasher.update(token);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{BearerToken, TokenError, Tokens};
    use crate::role::Role;

    fn token(byte: u8) -> BearerToken {
        BearerToken::from_entropy([byte; 32])
    }

    #[test]
    fn a_token_gives_its_role_and_nothing_else_gives_any() {
        let tokens = Tokens::new(Some(&token(1)), Some(&token(2))).unwrap();
        let role = |text: String| tokens.role(text.as_bytes());
        assert_eq!(
            role(format!("Bearer {}", token(1).expose())),
            Some(Role::Operator)
        );
        assert_eq!(
            role(format!("bearer {}", token(2).expose())),
            Some(Role::Auditor)
        );
        assert_eq!(role(format!("Bearer {}", token(3).expose())), None);
        assert_eq!(role(format!("Basic {}", token(1).expose())), None);
        assert_eq!(role(token(1).expose().to_owned()), None);
        assert_eq!(role(String::new()), None);
    }

    #[test]
    fn a_role_without_a_token_cannot_be_had() {
        let tokens = Tokens::new(None, Some(&token(2))).unwrap();
        assert_eq!(
            tokens.role(format!("Bearer {}", token(1).expose()).as_bytes()),
            None
        );
        assert!(matches!(Tokens::new(None, None), Err(TokenError::None)));
        assert!(matches!(
            Tokens::new(Some(&token(1)), Some(&token(1))),
            Err(TokenError::Same)
        ));
    }

    #[test]
    fn a_token_is_never_printed() {
        assert_eq!(format!("{:?}", token(1)), "BearerToken");
    }

    #[test]
    fn a_short_or_spaced_token_is_refused() {
        assert!(matches!(
            BearerToken::parse("short"),
            Err(TokenError::Length { actual: 5 })
        ));
        assert!(matches!(
            BearerToken::parse(&"a b".repeat(20)),
            Err(TokenError::Character)
        ));
    }

    #[test]
    fn a_token_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, format!("{}\n", token(1).expose())).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            BearerToken::read_file(&path),
            Err(TokenError::Readable { mode: 0o644, .. })
        ));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(
            BearerToken::read_file(&path).unwrap().expose(),
            token(1).expose()
        );
        assert!(matches!(
            BearerToken::read_file(&folder.path().join("none")),
            Err(TokenError::Io { .. })
        ));
    }
}
