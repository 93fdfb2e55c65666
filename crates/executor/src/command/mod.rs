//! Any program that reads and writes one JSON object a line.
//!
//! For each request the program reads one line from its standard input:
//!
//! ```json
//! {"id":"7","stage":"execute","messages":[{"role":"user","content":"..."}],"max_tokens":256,"deadline_ms":30000}
//! ```
//!
//! (`stage` is `plan` where the question is to be taken apart into steps instead; the messages then say how) and writes, in
//! any order, one line to its standard output, with `text` or with `error`; the other fields are
//! optional:
//!
//! ```json
//! {"id":"7","text":"... Answer: True","prompt_tokens":12,"output_tokens":40,"confidence_ppm":930000,"finish":"stop"}
//! ```
//!
//! A line that is no such object, or is longer than the limit, breaks the protocol: the program is ended and started anew.
//! An answer to an unknown id is ignored, since its request may have been given up. The program should end when its
//! standard input does.

mod config;
mod launch;
mod process;
mod session;
mod wire;

pub use config::ExternalCommandConfig;
pub use process::ExternalCommand;
