//! What a caller can make the server hold.

use std::time::Duration;

use crate::task::{PLANS_MAX, STEP_TEXT_SIZE_MAX, STEPS_MAX};

/// Largest request, in bytes: a task with every text at its limit, and a quarter more for the rest.
pub const REQUEST_SIZE_MAX: usize = PLANS_MAX * STEPS_MAX * STEP_TEXT_SIZE_MAX * 5 / 4;

/// Largest message that the server sends, in bytes: what stock gRPC clients accept without being asked to.
pub const RESPONSE_SIZE_MAX: usize = 4 * 1024 * 1024;

/// Largest piece of an exported log, in bytes. Well below [`RESPONSE_SIZE_MAX`], so that progress is seen.
pub const EXPORT_CHUNK_SIZE_MAX: usize = 1024 * 1024;

/// Calls that one connection may have open, streams included: some hundreds of tasks at once, as the demo submits them.
pub(crate) const CALLS_PER_CONNECTION_MAX: u32 = 1024;

/// Connections of one listener. Further ones wait until another closes; socket and TCP are counted apart, so that strangers
/// on TCP never lock out the operator.
pub(crate) const CONNECTIONS_MAX: usize = 128;

/// Longest time from the head of a call to the head of its answer: a caller that sends its request byte by byte is given up.
/// Above the time that the backend has, so that a slow backend is told apart.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection that is silent for this long is asked whether it is alive ...
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// ... and closed if it does not say so in this time.
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause after a failed accept: the usual reason (no file descriptor left) does not go away at once.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Longest list of headers of a call, in bytes: a token and what gRPC adds.
pub(crate) const HEADERS_SIZE_MAX: u32 = 8 * 1024;
