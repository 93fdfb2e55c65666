//! Integer embeddings: 64 whole numbers that stand for a text, so that likeness is the same on every machine.
//!
//! Anyone can compute the default embedding of a text, without a model: signed feature hashing of its character 3-grams and
//! 4-grams. An embedding made by a model is carried in the same 128 bytes.
//!
//! Spec: SELECT-4 to SELECT-7.

use symphony_transparency::{Domain, digest};

use crate::number::unit;

/// 64 signed 16-bit numbers. Their meaning is only in comparison with another embedding made in the same way.
///
/// Spec: SELECT-4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Embedding([i16; Embedding::DIMENSION]);

/// Bytes that are no embedding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddingError {
    /// Not exactly [`Embedding::LENGTH`] bytes.
    #[error("an embedding has {expected} bytes, not {actual}")]
    WrongLength {
        /// [`Embedding::LENGTH`].
        expected: usize,
        /// The length that was given.
        actual: usize,
    },
}

/// The sizes of the character n-grams, in this order at each place of a word.
const GRAM_SIZES: [usize; 2] = [3, 4];

/// Stands before the first letter of a word. It separates words, so it occurs in none.
const WORD_START: char = '<';

/// Stands after the last letter of a word.
const WORD_END: char = '>';

impl Embedding {
    /// How many numbers an embedding has.
    pub const DIMENSION: usize = 64;

    /// Size in bytes: two for each number.
    pub const LENGTH: usize = 2 * Self::DIMENSION;

    /// The embedding that says nothing: all zero, equally (un)like every other.
    pub const ZERO: Self = Self([0; Self::DIMENSION]);

    /// Takes 64 numbers as an embedding; every value is allowed.
    pub const fn from_numbers(numbers: [i16; Self::DIMENSION]) -> Self {
        Self(numbers)
    }

    /// Reads 64 big-endian numbers.
    ///
    /// # Errors
    /// [`EmbeddingError::WrongLength`].
    ///
    /// Spec: SELECT-4.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EmbeddingError> {
        if bytes.len() != Self::LENGTH {
            return Err(EmbeddingError::WrongLength {
                expected: Self::LENGTH,
                actual: bytes.len(),
            });
        }
        let mut numbers = [0; Self::DIMENSION];
        for (number, pair) in numbers.iter_mut().zip(bytes.chunks_exact(2)) {
            *number = i16::from_be_bytes([pair[0], pair[1]]);
        }
        Ok(Self(numbers))
    }

    /// Writes 64 big-endian numbers.
    ///
    /// Spec: SELECT-4.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        for (pair, number) in bytes.chunks_exact_mut(2).zip(&self.0) {
            pair.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    /// The 64 numbers.
    pub const fn numbers(&self) -> &[i16; Self::DIMENSION] {
        &self.0
    }

    /// The default embedding of a text. The work grows with the text's length, which the caller bounds.
    ///
    /// Spec: SELECT-5.
    pub fn of_text(text: &str) -> Self {
        let mut embedding = Self::ZERO;
        let mut gram = String::new();
        for word in text.split(is_separator).filter(|word| !word.is_empty()) {
            let letters: Vec<char> = std::iter::once(WORD_START)
                .chain(word.chars().map(|letter| letter.to_ascii_lowercase()))
                .chain(std::iter::once(WORD_END))
                .collect();
            for start in 0..letters.len() {
                for size in GRAM_SIZES {
                    if let Some(letters) = letters.get(start..start + size) {
                        gram.clear();
                        gram.extend(letters);
                        embedding.add(&gram);
                    }
                }
            }
        }
        embedding
    }

    /// Counts one n-gram: its digest names the place (low 6 bits of byte 0) and the sign (low bit of byte 1).
    fn add(&mut self, gram: &str) {
        let digest = digest(Domain::Embedding, gram.as_bytes());
        let [place, sign, ..] = *digest.as_bytes();
        let number = &mut self.0[usize::from(place & 63)];
        *number = if sign & 1 == 0 {
            number.saturating_add(1)
        } else {
            number.saturating_sub(1)
        };
    }
}

/// Whether a character stands between words: every ASCII character but letters and digits.
fn is_separator(letter: char) -> bool {
    letter.is_ascii() && !letter.is_ascii_alphanumeric()
}

/// The cosine of the angle between two embeddings, in [−1, 1]; 0 if either is zero.
///
/// The product and the squared lengths are exact integers below 2³⁷; then one multiplication, one root and one division.
/// An embedding's cosine with itself is exactly 1.
///
/// Spec: SELECT-6.
pub fn cosine(left: &Embedding, right: &Embedding) -> f64 {
    let norms = squared_length(left) as f64 * squared_length(right) as f64;
    if norms == 0.0 {
        return 0.0;
    }
    let cosine = product(left, right) as f64 / norms.sqrt();
    // Rounding may step over the ends by one unit in the last place.
    cosine.clamp(-1.0, 1.0)
}

/// Likeness of two embeddings in [0, 1]: `(1 + cosine) / 2`, so 0.5 where either is zero.
///
/// Spec: SELECT-7.
pub fn similarity(left: &Embedding, right: &Embedding) -> f64 {
    unit((1.0 + cosine(left, right)) / 2.0)
}

fn product(left: &Embedding, right: &Embedding) -> i64 {
    // 64 products of at most 2³⁰: nothing wraps, and without checks the loop becomes a few wide instructions.
    let mut sum = 0_i64;
    for (a, b) in left.0.iter().zip(&right.0) {
        sum = sum.wrapping_add(i32::from(*a).wrapping_mul(i32::from(*b)).into());
    }
    sum
}

fn squared_length(embedding: &Embedding) -> u64 {
    product(embedding, embedding).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Embedding, EmbeddingError, cosine, similarity};

    fn any_embedding() -> impl Strategy<Value = Embedding> {
        proptest::collection::vec(any::<i16>(), Embedding::DIMENSION).prop_map(|numbers| {
            Embedding::from_numbers(numbers.try_into().expect("the strategy makes 64"))
        })
    }

    #[test]
    fn select_4_refuses_every_other_length() {
        for length in [0, 1, 127, 129, 256] {
            assert_eq!(
                Embedding::from_bytes(&vec![0; length]),
                Err(EmbeddingError::WrongLength {
                    expected: 128,
                    actual: length
                })
            );
        }
    }

    #[test]
    fn select_5_ignores_case_and_separators() {
        let plain = Embedding::of_text("web of lies");
        assert_eq!(plain, Embedding::of_text("  Web-of_LIES!\n"));
        assert_ne!(plain, Embedding::of_text("web of lines"));
        assert_eq!(Embedding::of_text(""), Embedding::ZERO);
        assert_eq!(Embedding::of_text(" -_-\u{7f}"), Embedding::ZERO);
    }

    #[test]
    fn select_5_lowers_only_ascii() {
        assert_ne!(Embedding::of_text("É"), Embedding::of_text("é"));
        assert_ne!(Embedding::of_text("é"), Embedding::ZERO);
    }

    #[test]
    fn select_5_saturates() {
        let text = "a ".repeat(40_000);
        let numbers = *Embedding::of_text(&text).numbers();
        assert!(numbers.contains(&i16::MAX) || numbers.contains(&i16::MIN));
    }

    #[test]
    fn select_5_like_texts_are_nearer_than_unlike_ones() {
        let one = Embedding::of_text("boolean expressions");
        let near = Embedding::of_text("boolean expression evaluation");
        let far = Embedding::of_text("navigate to the starting point");
        assert!(similarity(&one, &near) > similarity(&one, &far));
    }

    #[test]
    fn select_7_zero_is_neutral() {
        let one = Embedding::of_text("navigate");
        assert_eq!(similarity(&one, &Embedding::ZERO), 0.5);
        assert_eq!(similarity(&Embedding::ZERO, &Embedding::ZERO), 0.5);
    }

    #[test]
    fn select_6_extreme_numbers_do_not_overflow() {
        let low = Embedding::from_numbers([i16::MIN; 64]);
        let high = Embedding::from_numbers([i16::MAX; 64]);
        assert_eq!(cosine(&low, &low), 1.0);
        assert_eq!(cosine(&low, &high), -1.0);
    }

    proptest! {
        #[test]
        fn select_4_round_trips(embedding in any_embedding()) {
            prop_assert_eq!(Embedding::from_bytes(&embedding.to_bytes()), Ok(embedding));
        }

        #[test]
        fn select_6_is_symmetric_and_bounded(left in any_embedding(), right in any_embedding()) {
            let there = cosine(&left, &right);
            prop_assert_eq!(there.to_bits(), cosine(&right, &left).to_bits());
            prop_assert!((-1.0..=1.0).contains(&there));
            prop_assert_eq!(cosine(&left, &left), if left == Embedding::ZERO { 0.0 } else { 1.0 });
        }

        #[test]
        fn select_5_takes_any_text(text in any::<String>()) {
            let _ = Embedding::of_text(&text);
        }
    }
}
