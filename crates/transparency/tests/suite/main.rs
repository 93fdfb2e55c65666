//! The claims of chapters 01 to 04 and 17 of the specification, each as a test that names its requirement.

mod binding;
mod canonical;
mod chain;
mod checkpoints;
mod cosignatures;
mod digests;
mod keys;
mod merkle;
mod notes;
mod statements;
mod tiles;
mod trust_policies;
mod vector;
mod vectors;
mod witnesses;

use symphony_transparency::{Digest, SecretKey};

/// A secret key that differs for each number.
fn secret(number: u8) -> SecretKey {
    SecretKey::from_bytes([number; 32])
}

/// A digest that differs for each number.
fn some_digest(number: u8) -> Digest {
    Digest::from_bytes([number; 32])
}
