//! Tests over real processes: whole networks on loopback, killed, lied to and audited from files alone.

mod auditor;
mod boundaries;
mod cheats;
mod clients;
mod engine;
mod evidence;
mod histories;
mod imports;
mod inputs;
mod kills;
mod learning;
mod network;
mod planning;
mod shutdown;
mod strangers;
mod support;
mod witnesses;
