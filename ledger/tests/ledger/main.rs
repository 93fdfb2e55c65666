//! Tests of the ledger on real files, in one binary, so that RocksDB is linked once.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

mod append;
mod child;
mod crash;
mod damage;
mod followed;
mod full_disk;
mod heal;
mod memos;
mod model;
mod planted;
mod recovery;
mod signing;
mod symlog;
mod vectors;
