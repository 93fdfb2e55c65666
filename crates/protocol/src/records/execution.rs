//! Assignments, receipts, reveals and acknowledgements. Spec: chapter 08.

use symphony_proto::statement::v1 as wire;
use symphony_transparency::{
    Digest, Domain, PublicKey, digest, digest_parts, encode, keyed_digest,
};

use super::{
    error::{Reader, RecordError},
    origin::Origin,
    views::{AcknowledgementView, AssignmentView, ReceiptView, RevealView},
};

/// Largest encoding of each of these payloads, in bytes: they hold digests and numbers only.
const PAYLOAD_SIZE_MAX: usize = 1024;

/// The fresh secret of a task: keys every digest of its prompts, outputs and answers. Spec: EXEC-2.
#[derive(Clone, PartialEq, Eq)]
pub struct TaskKey([u8; 32]);

impl TaskKey {
    /// Wraps 32 bytes of fresh entropy.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret bytes, for the executors of this task only.
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The commitment that stands in the log.
    pub fn commitment(&self) -> Digest {
        digest(Domain::TaskKey, &self.0)
    }

    /// Keyed digest of a prompt.
    pub fn prompt(&self, text: &str) -> Digest {
        keyed_digest(Domain::Prompt, &self.0, text.as_bytes())
    }

    /// Keyed digest of a model's whole output.
    pub fn output(&self, text: &str) -> Digest {
        keyed_digest(Domain::Output, &self.0, text.as_bytes())
    }

    /// Keyed digest of a normalised answer.
    pub fn answer(&self, text: &str) -> Digest {
        keyed_digest(Domain::Answer, &self.0, text.as_bytes())
    }
}

impl std::fmt::Debug for TaskKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TaskKey")
    }
}

/// The order to execute. Spec: EXEC-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Where this stands in the coordinator's log.
    pub origin: Origin,
    /// Digest of the beacon's statement.
    pub beacon: Digest,
    /// Number of the selection, from 0.
    pub slot: u32,
    /// Log key of the executor.
    pub executor: PublicKey,
    /// Keyed digest of the prompt.
    pub prompt: Digest,
    /// Commitment to the task key.
    pub key_commitment: Digest,
    /// Time for the execution, in milliseconds.
    pub execute_ms: u32,
    /// Time for the reveal after the end of execution, in milliseconds.
    pub reveal_ms: u32,
}

impl Assignment {
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Assignment");
        let value: AssignmentView<'_> = reader.read(payload, PAYLOAD_SIZE_MAX)?;
        Ok(Self {
            origin: Origin::read(reader, value.origin)?,
            beacon: reader.digest("beacon", value.beacon)?,
            slot: value.slot,
            executor: reader.key("executor", value.executor)?,
            prompt: reader.digest("prompt", value.prompt)?,
            key_commitment: reader.digest("key_commitment", value.key_commitment)?,
            execute_ms: reader.within(
                "execute_ms",
                value.execute_ms,
                1..=86_400_000,
                "1 to 86400000 ms",
            )?,
            reveal_ms: reader.within(
                "reveal_ms",
                value.reveal_ms,
                1..=3_600_000,
                "1 to 3600000 ms",
            )?,
        })
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::Assignment {
            origin: self.origin.write(),
            beacon: self.beacon.as_bytes().to_vec(),
            slot: self.slot,
            executor: self.executor.as_bytes().to_vec(),
            prompt: self.prompt.as_bytes().to_vec(),
            key_commitment: self.key_commitment.as_bytes().to_vec(),
            execute_ms: self.execute_ms,
            reveal_ms: self.reveal_ms,
        })
    }
}

/// What became of an assignment. Spec: EXEC-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultClass {
    /// The output holds an answer of the form.
    Answered,
    /// The output holds none.
    Unparsable,
    /// The model failed.
    Failed,
    /// The peer was busy and did not execute.
    Abstained,
}

/// Where a model ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
    /// An Apple GPU.
    Metal,
    /// Behind an endpoint or a command: not known to the peer.
    Remote,
}

/// The executor's account of what it did. Spec: EXEC-5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Where this stands in the executor's log.
    pub origin: Origin,
    /// Digest of the assignment's statement.
    pub assignment: Digest,
    /// Digest of the model's files.
    pub model: Digest,
    /// Where the model ran.
    pub device: Device,
    /// Sampling temperature, in parts per million; 0 is greedy.
    pub temperature_ppm: u32,
    /// Most tokens that the answer could have.
    pub output_tokens_max: u32,
    /// Keyed digest of the whole output.
    pub output: Digest,
    /// Length of the prompt, in tokens.
    pub prompt_tokens: u32,
    /// Length of the output, in tokens.
    pub output_tokens: u32,
    /// Time of the execution, in milliseconds (a claim).
    pub duration_ms: u64,
    /// What became of the assignment.
    pub class: ResultClass,
    /// Commitment to the ballot.
    pub ballot: Digest,
}

impl Receipt {
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Receipt");
        let value: ReceiptView<'_> = reader.read(payload, PAYLOAD_SIZE_MAX)?;
        let device = match wire::Device::try_from(value.device) {
            Ok(wire::Device::Cpu) => Device::Cpu,
            Ok(wire::Device::Cuda) => Device::Cuda,
            Ok(wire::Device::Metal) => Device::Metal,
            Ok(wire::Device::Remote) => Device::Remote,
            Ok(wire::Device::Unspecified) | Err(_) => {
                return reader.refuse("device", "a known device", value.device);
            }
        };
        let class = match wire::ResultClass::try_from(value.class) {
            Ok(wire::ResultClass::Answered) => ResultClass::Answered,
            Ok(wire::ResultClass::Unparsable) => ResultClass::Unparsable,
            Ok(wire::ResultClass::Failed) => ResultClass::Failed,
            Ok(wire::ResultClass::Abstained) => ResultClass::Abstained,
            Ok(wire::ResultClass::Unspecified) | Err(_) => {
                return reader.refuse("class", "a known result class", value.class);
            }
        };
        Ok(Self {
            origin: Origin::read(reader, value.origin)?,
            assignment: reader.digest("assignment", value.assignment)?,
            model: reader.digest("model", value.model)?,
            device,
            temperature_ppm: value.temperature_ppm,
            output_tokens_max: value.output_tokens_max,
            output: reader.digest("output", value.output)?,
            prompt_tokens: value.prompt_tokens,
            output_tokens: value.output_tokens,
            duration_ms: value.duration_ms,
            class,
            ballot: reader.digest("ballot", value.ballot)?,
        })
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        let device = match self.device {
            Device::Cpu => wire::Device::Cpu,
            Device::Cuda => wire::Device::Cuda,
            Device::Metal => wire::Device::Metal,
            Device::Remote => wire::Device::Remote,
        };
        let class = match self.class {
            ResultClass::Answered => wire::ResultClass::Answered,
            ResultClass::Unparsable => wire::ResultClass::Unparsable,
            ResultClass::Failed => wire::ResultClass::Failed,
            ResultClass::Abstained => wire::ResultClass::Abstained,
        };
        encode(&wire::Receipt {
            origin: self.origin.write(),
            assignment: self.assignment.as_bytes().to_vec(),
            model: self.model.as_bytes().to_vec(),
            device: device.into(),
            temperature_ppm: self.temperature_ppm,
            output_tokens_max: self.output_tokens_max,
            output: self.output.as_bytes().to_vec(),
            prompt_tokens: self.prompt_tokens,
            output_tokens: self.output_tokens,
            duration_ms: self.duration_ms,
            class: class.into(),
            ballot: self.ballot.as_bytes().to_vec(),
        })
    }
}

/// Opens a ballot. Spec: EXEC-10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reveal {
    /// Where this stands in the executor's log.
    pub origin: Origin,
    /// Digest of the assignment's statement.
    pub assignment: Digest,
    /// Keyed digest of the normalised answer.
    pub answer: Digest,
    /// Confidence, in parts per million.
    pub confidence_ppm: u32,
    /// Salt of the commitment.
    pub salt: [u8; 32],
}

impl Reveal {
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Reveal");
        let value: RevealView<'_> = reader.read(payload, PAYLOAD_SIZE_MAX)?;
        Ok(Self {
            origin: Origin::read(reader, value.origin)?,
            assignment: reader.digest("assignment", value.assignment)?,
            answer: reader.digest("answer", value.answer)?,
            confidence_ppm: reader.ppm("confidence_ppm", value.confidence_ppm)?,
            salt: reader.bytes("salt", value.salt)?,
        })
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::Reveal {
            origin: self.origin.write(),
            assignment: self.assignment.as_bytes().to_vec(),
            answer: self.answer.as_bytes().to_vec(),
            confidence_ppm: self.confidence_ppm,
            salt: self.salt.to_vec(),
        })
    }

    /// The commitment that this opening fits, for the executor that made it. Spec: EXEC-7, EXEC-10.
    pub fn commitment(&self, executor: &PublicKey) -> Digest {
        ballot_commitment(
            &self.assignment,
            executor,
            &self.answer,
            self.confidence_ppm,
            &self.salt,
        )
    }
}

/// Commitment to a ballot: a digest over assignment, executor, answer, confidence and salt. Spec: EXEC-7.
pub fn ballot_commitment(
    assignment: &Digest,
    executor: &PublicKey,
    answer: &Digest,
    confidence_ppm: u32,
    salt: &[u8; 32],
) -> Digest {
    digest_parts(
        Domain::Ballot,
        &[
            assignment.as_bytes(),
            executor.as_bytes(),
            answer.as_bytes(),
            &confidence_ppm.to_be_bytes(),
            salt,
        ],
    )
}

/// "Your statement is entry i of my log." Spec: KEYS-16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Where the statement stands in the log of the peer that acknowledges.
    pub origin: Origin,
    /// Digest of the statement.
    pub statement: Digest,
}

impl Acknowledgement {
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Acknowledgement");
        let value: AcknowledgementView<'_> = reader.read(payload, PAYLOAD_SIZE_MAX)?;
        Ok(Self {
            origin: Origin::read(reader, value.origin)?,
            statement: reader.digest("statement", value.statement)?,
        })
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::Acknowledgement {
            origin: self.origin.write(),
            statement: self.statement.as_bytes().to_vec(),
        })
    }
}
