//! The admin API over real sockets, with a backend of the tests' own.

mod backend;
mod calls;
mod ends;
mod harness;
mod limits;
mod probes;
mod roles;
mod socket;
mod strangers;
