//! What a study found, as words, tables, files and charts.

mod charts;
mod files;
mod table;
mod words;

pub use charts::{charts, off_policy_chart};
pub use files::{csv, json};
pub use table::{figure, shown, table};
pub use words::{Words, words};
