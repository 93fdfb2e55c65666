//! What an executor answers.

use std::fmt;

/// Confidence of a ballot when the executor cannot measure one: neither sure nor unsure.
pub const CONFIDENCE_UNKNOWN_PPM: u32 = 500_000;

/// Why a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model ended it.
    Stop,
    /// The token limit or the context length was reached: an answer at the end may be missing.
    Length,
}

/// One answer. Its `Debug` shows the size of the text only.
#[derive(Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The whole generated text, working included, at most 1 MiB. The answer in it is for the caller to find.
    pub text: String,
    /// Tokens of the prompt as the model counts them; `None` if the executor does not say.
    pub prompt_tokens: Option<u32>,
    /// Generated tokens; 0 if the executor does not say.
    pub output_tokens: u32,
    /// Time spent on this request by the model, waiting for other requests excluded where known, in milliseconds.
    pub duration_ms: u64,
    /// Geometric mean of the generated tokens' probabilities, 0 to 1,000,000 parts per million; `None` if unknown.
    pub confidence_ppm: Option<u32>,
    /// Why the text ends.
    pub finish: Finish,
}

impl Outcome {
    /// The confidence for a ballot: the measured one, otherwise [`CONFIDENCE_UNKNOWN_PPM`].
    pub fn ballot_confidence_ppm(&self) -> u32 {
        self.confidence_ppm.unwrap_or(CONFIDENCE_UNKNOWN_PPM)
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Outcome")
            .field("text_size", &self.text.len())
            .field("prompt_tokens", &self.prompt_tokens)
            .field("output_tokens", &self.output_tokens)
            .field("duration_ms", &self.duration_ms)
            .field("confidence_ppm", &self.confidence_ppm)
            .field("finish", &self.finish)
            .finish()
    }
}
