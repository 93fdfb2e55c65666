//! Entries for people and scripts: JSON with every field by the schema's name, and one line each.
//!
//! Nothing here is stable but the names of the schema, and nothing here decides anything.

mod entry_json;
mod entry_line;
mod names;
mod number;
mod statement_json;
mod time;

pub use entry_json::{entry_json, unreadable_json};
pub use entry_line::entry_line;
pub use number::number_json;
pub use time::time_text;
