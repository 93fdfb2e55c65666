//! Vectors of commitments, seeds and streams, written by a second implementation (`tests/reference/mathematics.py`).
//! Spec: CHANCE-1, CHANCE-2, CHANCE-6, CHANCE-7.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use symphony_protocol::chance::{Stream, nonce_commitment, secret_commitment, seed};
use symphony_transparency::{Digest, PublicKey};

/// The fields of a vector, in order.
struct Case(Vec<(String, String)>);

impl Case {
    fn read(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/vectors/chance")
            .join(format!("{name}.txt"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let fields = text.lines().map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.trim().to_owned())
        });
        Self(fields.collect())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn one(&self, name: &str) -> &str {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        &values.next().unwrap_or_else(|| panic!("no {name}")).1
    }

    fn bytes<const N: usize>(&self, name: &str) -> [u8; N] {
        bytes(self.one(name)).try_into().unwrap()
    }

    fn digest(&self, name: &str) -> Digest {
        Digest::from(self.bytes::<32>(name))
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn bits(number: f64) -> String {
    format!("{:016x}", number.to_bits())
}

#[test]
fn chance_1_vectors_of_secrets() {
    let case = Case::read("secret");
    let index = u64::from_be_bytes(case.bytes("index"));
    let commitment = secret_commitment(&case.digest("log"), index, &case.bytes("secret"));
    assert_eq!(commitment, case.digest("commitment"));
}

#[test]
fn chance_2_vectors_of_nonces() {
    for number in 0..3 {
        let case = Case::read(&format!("nonce-{number}"));
        let bidder = PublicKey::from_bytes(case.bytes("bidder")).unwrap();
        let commitment = nonce_commitment(&case.digest("beacon"), &bidder, &case.bytes("nonce"));
        assert_eq!(commitment, case.digest("commitment"));
    }
}

#[test]
fn chance_6_vectors_of_seeds() {
    for count in 0..4 {
        let case = Case::read(&format!("seed-{count}"));
        let opened: Vec<(PublicKey, [u8; 32])> = case
            .all("opened")
            .map(|both| {
                let both = bytes(both);
                let peer = PublicKey::from_slice(&both[..32]).unwrap();
                (peer, both[32..].try_into().unwrap())
            })
            .collect();
        assert_eq!(opened.len(), count);
        let found = seed(
            &case.digest("beacon"),
            &case.bytes("secret"),
            opened.iter().map(|(peer, nonce)| (peer, nonce)),
        );
        assert_eq!(found, case.digest("seed"));
    }
}

#[test]
fn chance_7_vectors_of_streams() {
    for slot in [0, 1, u32::MAX] {
        let case = Case::read(&format!("stream-{slot}"));
        let mut stream = Stream::new(&case.digest("seed"), slot);
        let (fractions, normals) = (case.all("fraction"), case.all("normals"));
        for ((below, fraction), pair) in case.all("below").zip(fractions).zip(normals) {
            let (count, expected) = below.split_once(' ').unwrap();
            assert_eq!(stream.below(count.parse().unwrap()).to_string(), expected);
            assert_eq!(bits(stream.fraction()), fraction);
            let (first, second) = stream.normal_pair();
            assert_eq!(format!("{} {}", bits(first), bits(second)), pair);
        }
    }
}
