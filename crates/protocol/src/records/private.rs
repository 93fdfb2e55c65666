//! What accompanies a statement between two peers and never stands in a log. Spec: EXEC-3, EXEC-10.

use symphony_proto::private::v1 as wire;
use symphony_transparency::encode;

use super::{
    error::{Reader, RecordError},
    execution::TaskKey,
};

/// Longest prompt and longest output, in bytes.
pub const TEXT_SIZE_MAX: usize = 64 * 1024;
/// Longest normalised answer, in bytes.
pub const ANSWER_SIZE_MAX: usize = 4 * 1024;
/// Room for the other fields.
const OVERHEAD_SIZE_MAX: usize = 1024;

/// Accompanies an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentPrivate {
    /// The task key; its commitment stands in the assignment.
    pub task_key: TaskKey,
    /// The prompt; its keyed digest stands in the assignment.
    pub prompt: String,
}

/// Accompanies a reveal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevealPrivate {
    /// The normalised answer; its keyed digest stands in the reveal.
    pub answer: String,
    /// The model's whole output; its keyed digest stands in the receipt.
    pub output: String,
}

impl AssignmentPrivate {
    /// Reads canonical bytes.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("AssignmentPrivate");
        let value: wire::AssignmentPrivate =
            reader.decode(bytes, TEXT_SIZE_MAX + OVERHEAD_SIZE_MAX)?;
        reader.within(
            "prompt",
            value.prompt.len(),
            1..=TEXT_SIZE_MAX,
            "1 to 65536 bytes",
        )?;
        Ok(Self {
            task_key: TaskKey::from_bytes(reader.bytes("task_key", &value.task_key)?),
            prompt: value.prompt,
        })
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::AssignmentPrivate {
            task_key: self.task_key.expose_bytes().to_vec(),
            prompt: self.prompt.clone(),
        })
    }
}

impl RevealPrivate {
    /// Reads canonical bytes.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("RevealPrivate");
        let value: wire::RevealPrivate =
            reader.decode(bytes, TEXT_SIZE_MAX + ANSWER_SIZE_MAX + OVERHEAD_SIZE_MAX)?;
        reader.within(
            "answer",
            value.answer.len(),
            1..=ANSWER_SIZE_MAX,
            "1 to 4096 bytes",
        )?;
        reader.within(
            "output",
            value.output.len(),
            0..=TEXT_SIZE_MAX,
            "at most 65536 bytes",
        )?;
        Ok(Self {
            answer: value.answer,
            output: value.output,
        })
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::RevealPrivate {
            answer: self.answer.clone(),
            output: self.output.clone(),
        })
    }
}
