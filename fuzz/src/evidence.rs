//! Targets that judge evidence: bytes of strangers, and the vectors with some of their fields changed.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use symphony_protocol::evidence::{Conviction, Evidence};

use crate::{fields, seeds};

/// Edits that one input can make.
const EDITS_COUNT_MAX: usize = 8;
/// Vectors that are refused for their form alone: an edit may mend them, and they convict then.
const MENDABLE: [&str; 2] = ["trailing-byte.txt", "two-receipts-order.txt"];

/// A vector, and whom it may convict.
struct Vector {
    name: String,
    bytes: Vec<u8>,
    /// Log keys; none if everybody in it is honest.
    guilty: BTreeSet<Vec<u8>>,
}

fn vectors() -> &'static [Vector] {
    static VECTORS: OnceLock<Vec<Vector>> = OnceLock::new();
    VECTORS.get_or_init(|| {
        let files = seeds::files("evidence");
        let value = |lines: &[(String, String)], wanted: &str| {
            let line = lines.iter().find(|(key, _)| key == wanted);
            line.map(|(_, value)| value.clone())
        };
        let peers: BTreeSet<Vec<u8>> = files
            .iter()
            .filter_map(|(_, lines)| value(lines, "peer"))
            .map(|peer| seeds::bytes_of(&peer))
            .collect();
        files
            .iter()
            .map(|(name, lines)| Vector {
                name: name.clone(),
                bytes: seeds::bytes_of(&value(lines, "evidence").unwrap_or_default()),
                guilty: if MENDABLE.contains(&name.as_str()) {
                    peers.clone()
                } else {
                    let peer = value(lines, "peer");
                    peer.iter().map(|peer| seeds::bytes_of(peer)).collect()
                },
            })
            .collect()
    })
}

/// What the bytes prove, if anything; what is read has one encoding.
fn judge(input: &[u8]) -> Option<Conviction> {
    let evidence = Evidence::parse(input).ok()?;
    assert_eq!(evidence.bytes(), input);
    evidence.verify().ok()
}

/// A file of strangers: nobody is convicted whom no vector convicts, because nobody else has done wrong.
pub fn file(input: &[u8]) {
    if let Some(conviction) = judge(input) {
        let peer = conviction.fault.peer.as_bytes().to_vec();
        let is_guilty = vectors().iter().any(|vector| vector.guilty.contains(&peer));
        assert!(is_guilty, "an honest peer is convicted: {conviction:?}");
    }
}

/// A vector with changed fields: byte 0 chooses it, then each four bytes are an edit (place, two bytes; way; how). It convicts
/// the peer of the vector or nobody, although honest peers signed parts of it too.
pub fn edited(input: &[u8]) {
    let Some((number, edits)) = input.split_first() else {
        return;
    };
    let number = usize::from(*number) % vectors().len().max(1);
    let Some(vector) = vectors().get(number) else {
        return;
    };
    let Some(mut edited) = fields::parse(&vector.bytes) else {
        return;
    };
    for edit in edits.chunks_exact(4).take(EDITS_COUNT_MAX) {
        let place = u16::from_be_bytes([edit[0], edit[1]]);
        fields::edit(&mut edited, place, edit[2], edit[3]);
    }
    let bytes = fields::encode(&edited);
    if bytes == vector.bytes && !edits.is_empty() {
        return; // the seed without edits was judged
    }
    if let Some(conviction) = judge(&bytes) {
        let peer = conviction.fault.peer.as_bytes().to_vec();
        assert!(
            vector.guilty.contains(&peer),
            "{}, changed, convicts {conviction:?}",
            vector.name
        );
    }
}

/// Each vector as it is, and each with one edit of every way.
pub fn edited_seeds() -> Vec<Vec<u8>> {
    (0_u8..)
        .zip(vectors())
        .flat_map(|(number, _)| {
            let edits = (0_u8..7).map(move |way| vec![number, 0, 7 * way + number, way, 17]);
            edits.chain([vec![number]])
        })
        .collect()
}
