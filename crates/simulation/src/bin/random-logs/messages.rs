//! Changes of a message that know nothing of its meaning.

use symphony_simulation::Random;

use crate::{
    scenario::below,
    wire::{Value, parse, write},
};

/// How deep messages are nested at most.
const DEPTH_MAX: u32 = 6;

/// A message with one field, at any depth, changed, left out or doubled.
pub(crate) fn changed(message: &[u8], random: &mut Random, depth: u32) -> Vec<u8> {
    let Some(mut fields) = parse(message).filter(|fields| !fields.is_empty()) else {
        let mut bytes = message.to_vec();
        flip(&mut bytes, random);
        return bytes;
    };
    // At the top of an entry mostly its body, which is the last field: the others make the chain.
    let place = if depth == 0 && random.chance(850_000) {
        fields.len() - 1
    } else {
        below(random, fields.len())
    };
    match random.within(0, 99) {
        0..=1 => drop(fields.remove(place)),
        2..=3 => fields.insert(place, fields[place].clone()),
        _ => {
            let value = match &fields[place].1 {
                Value::Number(number) => Value::Number(changed_number(*number, random)),
                Value::Bytes(bytes) => Value::Bytes(changed_bytes(bytes, random, depth)),
            };
            fields[place].1 = value;
        }
    }
    // A field of value 0 is left out, as the canonical form asks.
    fields.retain(|(_, value)| *value != Value::Number(0));
    write(&fields)
}

fn changed_number(number: u64, random: &mut Random) -> u64 {
    match random.within(0, 9) {
        0..=2 => number.wrapping_add(1),
        3..=5 => number.wrapping_sub(1),
        6 => random.within(0, 20),
        7 => random.within(0, 1_100_000),
        8 => number ^ (1 << random.within(0, 63)),
        _ => random.bits(),
    }
}

fn changed_bytes(bytes: &[u8], random: &mut Random, depth: u32) -> Vec<u8> {
    let is_message = parse(bytes).is_some_and(|fields| !fields.is_empty());
    if is_message && depth < DEPTH_MAX && !random.chance(30_000) {
        return changed(bytes, random, depth + 1);
    }
    let mut bytes = bytes.to_vec();
    match random.within(0, 19) {
        0 => drop(bytes.pop()),
        1 => bytes.push(0),
        2 => bytes.clear(),
        3 => bytes.fill(0),
        // The least step of a number.
        4..=11 => {
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
        }
        _ if bytes.is_empty() => bytes.push(1),
        _ => flip(&mut bytes, random),
    }
    bytes
}

pub(crate) fn flip(bytes: &mut [u8], random: &mut Random) {
    let place = below(random, bytes.len());
    bytes[place] ^= 1 << random.within(0, 7);
}
