//! Real swarms in one process over loopback. Every wait is for an event and is bounded; nothing sleeps.
#![allow(clippy::unwrap_used, reason = "a test says what it found by failing")]

mod discovery;
mod exchange;
mod gossip;
mod hostile;
mod lifecycle;
mod peers;
mod support;
