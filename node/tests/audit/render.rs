//! Entries as JSON and in one line.

use std::collections::BTreeSet;

use symphony_node::render::{entry_json, entry_line};
use symphony_protocol::records::Body;
use symphony_transparency::entry_digest;

use crate::network::honest;

#[test]
fn every_entry_has_its_kind_place_and_digest() {
    let network = honest();
    let mut kinds = BTreeSet::new();
    for peer in 0..4 {
        let log = network.log(peer);
        for (entry, bytes) in log.parsed().iter().zip(&log.entries) {
            let json = entry_json(entry);
            let kind = entry.body.name();
            assert_eq!(json["index"], entry.index);
            assert_eq!(json["kind"], kind);
            assert_eq!(json["digest"], entry_digest(bytes).to_string());
            assert!(json[kind].is_object(), "{json}");
            let line = entry_line(entry);
            assert!(line.contains(kind) && !line.contains('\n'), "{line}");
            kinds.insert(kind);
        }
    }
    assert!(kinds.len() >= 15, "{kinds:?}");
}

#[test]
fn numbers_are_given_to_the_bit() {
    let log = honest().log(0);
    let index = log.first("settlement");
    let entry = &log.parsed()[index];
    let Body::Settlement(settlement) = &entry.body else {
        panic!("a settlement")
    };
    let json = entry_json(entry);
    let reward = &json["settlement"]["outcomes"][0]["reward"];
    let expected = settlement.outcomes[0].reward;
    assert_eq!(
        reward["value"]
            .to_string()
            .parse::<f64>()
            .unwrap()
            .to_bits(),
        expected.to_bits()
    );
    assert_eq!(reward["bits"], format!("{:016x}", expected.to_bits()));
}
