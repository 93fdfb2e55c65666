//! The audit of exported files: what each crafted file leads to, by the library and by the binary.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set its scene fails, and says where"
)]

mod cheats;
mod command;
mod damage;
mod explain;
mod homes;
mod network;
mod render;
mod several;
mod single;
mod unread;
mod waiting;
