//! Protobuf, as far as the schema uses it.

pub(crate) type Message = Vec<(u64, Value)>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

pub(crate) fn parse(mut bytes: &[u8]) -> Option<Message> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = take_varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Number(take_varint(&mut bytes)?),
            2 => {
                let size = usize::try_from(take_varint(&mut bytes)?).ok()?;
                let (value, rest) = bytes.split_at_checked(size)?;
                bytes = rest;
                Value::Bytes(value.to_vec())
            }
            _ => return None,
        };
        if key >> 3 == 0 || key >> 3 > 64 {
            return None;
        }
        fields.push((key >> 3, value));
    }
    Some(fields)
}

pub(crate) fn write(fields: &[(u64, Value)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, value) in fields {
        match value {
            Value::Number(value) => {
                put_varint(&mut bytes, number << 3);
                put_varint(&mut bytes, *value);
            }
            Value::Bytes(value) => {
                put_varint(&mut bytes, number << 3 | 2);
                put_varint(&mut bytes, u64::try_from(value.len()).unwrap_or(u64::MAX));
                bytes.extend_from_slice(value);
            }
        }
    }
    bytes
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

pub(crate) fn bytes_of(fields: &[(u64, Value)], wanted: u64) -> Option<Vec<u8>> {
    fields.iter().find_map(|(number, value)| match value {
        Value::Bytes(bytes) if *number == wanted => Some(bytes.clone()),
        _ => None,
    })
}

/// The message with this value in a field that it has, or that comes before all it has.
pub(crate) fn with_field(message: &[u8], wanted: u64, value: Value) -> Vec<u8> {
    let Some(mut fields) = parse(message) else {
        return message.to_vec();
    };
    match fields.iter_mut().find(|(number, _)| *number == wanted) {
        Some(field) => field.1 = value,
        None => fields.push((wanted, value)),
    }
    fields.sort_by_key(|(number, _)| *number);
    write(&fields)
}
