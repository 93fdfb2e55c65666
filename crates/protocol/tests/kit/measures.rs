//! Measures that another log takes in, and how large evidence about a log can become.

use symphony_protocol::{Fault, Rule, evidence::Evidence, records::MeasuresImported};
use symphony_transparency::{Digest, PublicKey, SignedCheckpoint};

use super::Author;

/// What `importer` may take in of this log's measures as it stands, under a checkpoint that the author signs over it.
pub(crate) fn measures_for(
    author: &mut Author,
    importer: &PublicKey,
    weight_ppm: u32,
    claims_max: usize,
) -> Vec<MeasuresImported> {
    let state_root = author.replay.state_mut().root();
    let note = author.checkpoint(&author.entries, state_root);
    let checkpoint = SignedCheckpoint::parse_and_verify(&note, &author.key()).unwrap();
    author
        .replay
        .state_mut()
        .imports_for(importer, &checkpoint, weight_ppm, claims_max)
        .unwrap()
}

/// Proves a wrong state root over each entry of a log, which needs everything since the root before it. Gives the largest file, in
/// bytes.
pub(crate) fn largest_window(author: &Author) -> usize {
    let mut largest = 0;
    for size in 2..=author.entries.len() {
        let entries = author.entries[..size].to_vec();
        let note = author.checkpoint(&entries, Digest::from_bytes([7; 32]));
        let fault = Fault {
            peer: author.key(),
            rule: Rule::StateRoot,
            entry: size as u64 - 1,
            expected: String::new(),
            found: String::new(),
        };
        let evidence = Evidence::prove(&entries, &note, &[], &fault)
            .unwrap_or_else(|error| panic!("entry {}: {error}", size - 1));
        largest = largest.max(evidence.bytes().len());
    }
    largest
}
