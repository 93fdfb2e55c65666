//! How sure the model was: -ln p of each chosen token, taken from the raw logits of every step.
//!
//! mistral.rs reports base-10 logarithms, without token ids, and when streaming only for the last token of a chunk. A
//! logits processor sees every step's raw logits and the whole token sequence, so it can measure without those gaps. It
//! changes nothing.

use std::sync::{Arc, Mutex, PoisonError};

use mistralrs::{CustomLogitsProcessor, Tensor};

/// One nat in the unit of the interface.
const MICRONATS_PER_NAT: f64 = 1e6;
/// Certainty in parts per million.
const PPM: f64 = 1e6;

/// One generated token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneratedToken {
    /// Its number in the vocabulary.
    pub id: u32,
    /// -ln p, in millionths of a nat.
    pub surprisal_micronats: u64,
}

/// What was measured during one generation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// Tokens of the rendered prompt.
    pub prompt_tokens: u32,
    /// The generated tokens in order, the end token included.
    pub tokens: Vec<GeneratedToken>,
}

impl Measured {
    /// Mean over the tokens of -ln p, in millionths of a nat; 0 for no tokens.
    pub fn mean_surprisal_micronats(&self) -> u64 {
        let sum: u128 = self
            .tokens
            .iter()
            .map(|token| u128::from(token.surprisal_micronats))
            .sum();
        let mean = sum.checked_div(self.tokens.len() as u128).unwrap_or(0);
        u64::try_from(mean).unwrap_or(u64::MAX)
    }

    /// exp(-mean surprisal) in parts per million, 0 to 1,000,000; 0 for no tokens.
    pub fn confidence_ppm(&self) -> u32 {
        if self.tokens.is_empty() {
            return 0;
        }
        let mean_nats = self.mean_surprisal_micronats() as f64 / MICRONATS_PER_NAT;
        ((-mean_nats).exp() * PPM).round() as u32
    }
}

/// Measures one generation from inside the sampling loop; clones share what they measure.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    measured: Arc<Mutex<Measured>>,
}

impl Probe {
    /// What was measured so far.
    pub fn measured(&self) -> Measured {
        self.measured
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl CustomLogitsProcessor for Probe {
    fn apply(&self, logits: &Tensor, context: &[u32]) -> mistralrs::Result<Tensor> {
        let token = greedy_choice(&logits.to_vec1::<f32>()?);
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        if measured.tokens.is_empty() {
            measured.prompt_tokens = u32::try_from(context.len()).unwrap_or(u32::MAX);
        }
        measured.tokens.extend(token);
        Ok(logits.clone())
    }
}

/// The most probable token and its surprisal; none if no logit is finite (the engine then fails the request itself).
///
/// Greedy decoding picks a largest logit, so a tie changes the id at most, never the surprisal.
fn greedy_choice(logits: &[f32]) -> Option<GeneratedToken> {
    let (id, largest) = logits
        .iter()
        .enumerate()
        .filter(|(_, logit)| logit.is_finite())
        .max_by(|(left_id, left), (right_id, right)| {
            left.total_cmp(right).then(right_id.cmp(left_id))
        })?;
    let largest = f64::from(*largest);
    let sum: f64 = logits
        .iter()
        .map(|logit| (f64::from(*logit) - largest).exp())
        .filter(|term| term.is_finite())
        .sum();
    let surprisal_micronats = (sum.ln() * MICRONATS_PER_NAT).round() as u64;
    Some(GeneratedToken {
        id: u32::try_from(id).ok()?,
        surprisal_micronats,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(surprisal_micronats: u64) -> GeneratedToken {
        GeneratedToken {
            id: 0,
            surprisal_micronats,
        }
    }

    #[test]
    fn two_equal_logits_cost_ln_two() {
        assert_eq!(
            greedy_choice(&[3.0, 3.0]),
            Some(GeneratedToken {
                id: 0,
                surprisal_micronats: 693_147
            })
        );
    }

    #[test]
    fn a_certain_token_costs_nothing() {
        let expected = GeneratedToken {
            id: 1,
            surprisal_micronats: 0,
        };
        assert_eq!(
            greedy_choice(&[f32::NEG_INFINITY, 90.0, -90.0]),
            Some(expected)
        );
    }

    #[test]
    fn logits_that_are_not_numbers_give_no_token() {
        assert_eq!(greedy_choice(&[f32::NAN, f32::INFINITY]), None);
        assert_eq!(greedy_choice(&[]), None);
    }

    #[test]
    fn confidence_is_the_geometric_mean_of_the_probabilities() {
        let measured = Measured {
            prompt_tokens: 1,
            tokens: vec![token(0), token(1_386_294)],
        };
        assert_eq!(measured.mean_surprisal_micronats(), 693_147);
        assert_eq!(measured.confidence_ppm(), 500_000);
    }

    #[test]
    fn nothing_generated_is_no_confidence() {
        assert_eq!(Measured::default().confidence_ppm(), 0);
        assert_eq!(Measured::default().mean_surprisal_micronats(), 0);
    }
}
