//! Limits that every executor keeps, with their reasons.

use std::time::Duration;

/// Largest request id in bytes: room for a hexadecimal digest.
pub(crate) const ID_SIZE_MAX: usize = 64;
/// Most messages of one request: the engine's own limit.
pub(crate) const MESSAGE_COUNT_MAX: usize = 64;
/// Largest total size of the messages in bytes: the engine's own limit.
pub(crate) const PROMPT_SIZE_MAX: usize = 256 << 10;
/// Longest deadline: the engine's own limit.
pub(crate) const DEADLINE_MAX: Duration = Duration::from_secs(600);
/// Largest answer in bytes that any executor passes on: 131,072 tokens of 8 bytes.
pub(crate) const ANSWER_SIZE_MAX: usize = 1 << 20;
/// Most requests that any executor lets wait, whatever its configuration says: each holds a prompt in memory.
pub(crate) const QUEUE_COUNT_MAX: u32 = 4_096;
/// Most requests that any executor lets run at the same time.
pub(crate) const PARALLEL_COUNT_MAX: u32 = 64;
