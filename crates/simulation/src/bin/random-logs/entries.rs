//! Entries by the fields of the schema, without reading what they mean.

use symphony_simulation::Random;
use symphony_transparency::{PublicKey, SecretKey, StatementKind, entry_digest, sign_statement};

use crate::{
    log::{Log, Secrets},
    messages::changed,
    scenario::below,
    wire::{Message, Value, bytes_of, parse, with_field, write},
};

/// Fields of `Entry`.
const INDEX: u64 = 1;
const PREVIOUS: u64 = 2;
pub(crate) const TIME_MS: u64 = 3;
/// The first and the last field of `Entry` whose body holds a foreign statement.
const RECEIVED: std::ops::RangeInclusive<u64> = 14..=20;
/// Fields of `Statement`.
const TYPE: u64 = 2;
const AUTHOR: u64 = 3;
const PAYLOAD: u64 = 4;

/// Gives entries from `first` on their indices, and makes them follow the entries before them.
pub(crate) fn chain(entries: &mut [Vec<u8>], first: usize) {
    for index in first.max(1)..entries.len() {
        let previous = entry_digest(&entries[index - 1]).as_bytes().to_vec();
        let number = u64::try_from(index).unwrap_or(u64::MAX);
        let entry = with_field(&entries[index], INDEX, Value::Number(number));
        entries[index] = with_field(&entry, PREVIOUS, Value::Bytes(previous));
    }
}

pub(crate) fn time_of(entry: &[u8]) -> u64 {
    parse(entry)
        .and_then(|fields| {
            fields.iter().find_map(|(number, value)| match value {
                Value::Number(time_ms) if *number == TIME_MS => Some(*time_ms),
                _ => None,
            })
        })
        .unwrap_or(0)
}

/// The same place, time and predecessor, with the body `resumed` (22, an empty message).
pub(crate) fn resumed(entry: &[u8]) -> Vec<u8> {
    let mut fields = parse(entry).unwrap_or_default();
    fields.retain(|(number, _)| *number <= TIME_MS);
    fields.push((22, Value::Bytes(Vec::new())));
    write(&fields)
}

/// The body's field and the foreign statement in an entry, if it holds one.
pub(crate) fn statement_of(entry: &[u8]) -> Option<(u64, Message)> {
    let (number, body) = parse(entry)?
        .into_iter()
        .find(|(number, _)| RECEIVED.contains(number))?;
    let Value::Bytes(body) = body else {
        return None;
    };
    Some((number, parse(&bytes_of(&parse(&body)?, 1)?)?))
}

/// The entry with its foreign statement changed, and signed anew by the statement's author or by another peer.
pub(crate) fn with_changed_statement(
    entry: &[u8],
    log: &Log,
    secrets: &Secrets,
    random: &mut Random,
) -> Option<Vec<u8>> {
    let (field, statement) = statement_of(entry)?;
    let author: [u8; 32] = bytes_of(&statement, AUTHOR)?.try_into().ok()?;
    let mut secret = *secrets.get(&PublicKey::from_bytes(author).ok()?)?;
    if random.chance(100_000) {
        secret = *secrets.values().nth(below(random, secrets.len()))?;
    }
    let kind = statement.iter().find_map(|(number, value)| match value {
        Value::Number(kind) if *number == TYPE => u32::try_from(*kind).ok(),
        _ => None,
    })?;
    let payload = changed(&bytes_of(&statement, PAYLOAD)?, random, 1);
    let signed = sign_statement(
        &SecretKey::from_bytes(secret),
        &log.network,
        StatementKind::from_number(kind)?,
        payload,
    );
    let mut body = parse(&bytes_of(&parse(entry)?, field)?)?;
    body.first_mut()?.1 = Value::Bytes(signed.bytes().to_vec());
    Some(with_field(entry, field, Value::Bytes(write(&body))))
}
