//! Edits of a message that leave it well formed: what bytes changed at random never reach, lies behind the decoder.

use std::mem::swap;

/// Fields deeper than this are taken as bytes.
const DEPTH_MAX: usize = 8;

/// A field of a protobuf message of any schema.
#[derive(Clone, Debug)]
pub struct Field {
    number: u64,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Number(u64),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

/// The fields of a message; none if the bytes are no message of numbers and bytes. Texts may pass for messages: an edit of those
/// is an edit of the text.
pub fn parse(bytes: &[u8]) -> Option<Vec<Field>> {
    parse_at(bytes, 0)
}

fn parse_at(mut bytes: &[u8], depth: usize) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = number(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Number(number(&mut bytes)?),
            2 => {
                let size = usize::try_from(number(&mut bytes)?).ok()?;
                let (content, rest) = bytes.split_at_checked(size)?;
                bytes = rest;
                let inner =
                    Some(content).filter(|content| !content.is_empty() && depth < DEPTH_MAX);
                match inner.and_then(|inner| parse_at(inner, depth + 1)) {
                    Some(fields) => Value::Message(fields),
                    None => Value::Bytes(content.to_vec()),
                }
            }
            _ => return None,
        };
        let number = key >> 3;
        fields.push(Field { number, value });
    }
    Some(fields)
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for place in 0..10 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put_number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

/// The bytes of a message; sizes are right whatever was edited.
pub fn encode(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        let content = match &field.value {
            Value::Number(value) => {
                put_number(&mut bytes, field.number << 3);
                put_number(&mut bytes, *value);
                continue;
            }
            Value::Bytes(content) => content.clone(),
            Value::Message(fields) => encode(fields),
        };
        put_number(&mut bytes, field.number << 3 | 2);
        put_number(&mut bytes, content.len() as u64);
        bytes.extend_from_slice(&content);
    }
    bytes
}

/// How many fields there are, those inside others too.
fn count(fields: &[Field]) -> usize {
    let inside = |field: &Field| match &field.value {
        Value::Message(fields) => count(fields),
        _ => 0,
    };
    fields.iter().map(|field| 1 + inside(field)).sum()
}

/// Finds a field by its place in the bytes: the list that it stands in, and where.
fn find<'a>(fields: &'a mut Vec<Field>, place: &mut usize) -> Option<(&'a mut Vec<Field>, usize)> {
    let mut inside = None;
    for (index, field) in fields.iter().enumerate() {
        if *place == 0 {
            return Some((fields, index));
        }
        *place -= 1;
        if let Value::Message(inner) = &field.value {
            let size = count(inner);
            if *place < size {
                inside = Some(index);
                break;
            }
            *place -= size;
        }
    }
    match &mut fields.get_mut(inside?)?.value {
        Value::Message(inner) => find(inner, place),
        _ => None,
    }
}

/// One edit: the field at `place`, in one of several ways, with a number that says how exactly.
pub fn edit(fields: &mut Vec<Field>, place: u16, way: u8, how: u8) {
    let all = count(fields).max(1);
    let other = find(fields, &mut (usize::from(how) % all)).map(|(list, at)| list[at].clone());
    let Some((list, at)) = find(fields, &mut (usize::from(place) % all)) else {
        return;
    };
    match way % 7 {
        0 => drop(list.remove(at)),
        1 => list.insert(at, list[at].clone()),
        2 => {
            let next = (at + 1) % list.len();
            list.swap(at, next);
        }
        3 => list[at].number = u64::from(how % 16) + 1,
        4 => {
            if let Some(mut other) = other {
                swap(&mut list[at].value, &mut other.value);
            }
        }
        5 => change(&mut list[at].value, how),
        _ => match &mut list[at].value {
            Value::Number(value) => *value = u64::from(how),
            Value::Bytes(bytes) => bytes.truncate(usize::from(how)),
            Value::Message(fields) => fields.truncate(usize::from(how % 8)),
        },
    }
}

/// A small change of a value, in a message of its last field.
fn change(value: &mut Value, how: u8) {
    match value {
        Value::Number(value) => *value = value.wrapping_add(u64::from(how)).wrapping_sub(16),
        Value::Bytes(bytes) => {
            let size = bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(usize::from(how) % size) {
                *byte = byte.wrapping_add(1);
            }
        }
        Value::Message(fields) => {
            if let Some(field) = fields.last_mut() {
                change(&mut field.value, how);
            }
        }
    }
}
