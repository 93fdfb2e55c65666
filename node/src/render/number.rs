//! Numbers of the policy: an f64 as decimal and as bits.

use serde_json::{Value, json};

/// An f64 with the shortest decimal that gives it back, and its 8 big-endian bytes in hexadecimal, as the log holds them.
pub fn number_json(number: f64) -> Value {
    json!({ "value": number, "bits": format!("{:016x}", number.to_bits()) })
}
