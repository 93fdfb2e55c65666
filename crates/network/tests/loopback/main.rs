//! Real swarms in one process over loopback. Every wait is for an event and is bounded; nothing sleeps.

mod exchange;
mod gossip;
mod hostile;
mod lifecycle;
mod peers;
mod support;
