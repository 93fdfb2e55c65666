//! The portable file of a log. It lies in this crate, which libFuzzer would build with RocksDB, so it is run here alone.

use symphony_ledger::symlog::{ExportReader, ExportWriter};

use crate::seeds;
use crate::targets::Target;

/// Reads files.
pub(crate) const TARGET: Target = Target {
    name: "symlog",
    run,
    seeds: || seeds::values(&["symlog"], &["file"]),
};

/// A file that is accepted is the one that its entries give.
fn run(input: &[u8]) {
    let Ok(mut reader) = ExportReader::new(input) else {
        return;
    };
    let header = reader.header().clone();
    let mut entries = Vec::new();
    loop {
        match reader.next_entry() {
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => break,
            Err(_) => return,
        }
    }
    let mut writer = ExportWriter::new(Vec::new(), &header).unwrap();
    entries
        .iter()
        .for_each(|entry| writer.write_entry(entry).unwrap());
    assert_eq!(writer.finish().unwrap(), input);
}
