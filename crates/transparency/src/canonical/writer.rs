//! The canonical encoding written field by field, where building the message first would cost more than writing it.

use super::f64_bytes;

/// Wire type of whole numbers and flags.
const VARINT: u32 = 0;
/// Wire type of what is preceded by its length.
const LENGTH_DELIMITED: u32 = 2;

/// Appends a message's fields to a buffer, as [`encode`](super::encode) does with the whole message. The caller gives the
/// fields by ascending number, and numbers and kinds as the schema has them.
///
/// ```
/// use symphony_transparency::canonical::Writer;
///
/// let mut bytes = Vec::new();
/// Writer::new(&mut bytes).count(1, 300_u32).flag(2, false).bytes(3, b"ab");
/// assert_eq!(bytes, [0x08, 0xac, 0x02, 0x1a, 2, b'a', b'b']);
/// ```
///
/// Spec: BYTES-3.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Appends to this buffer.
    #[inline]
    pub fn new(buffer: &'a mut Vec<u8>) -> Self {
        Self { buffer }
    }

    /// A whole number; 0 is left out.
    #[inline]
    pub fn count(&mut self, field: u32, value: impl Into<u64>) -> &mut Self {
        let value = value.into();
        if value != 0 {
            self.key(field, VARINT);
            self.varint(value);
        }
        self
    }

    /// A flag; `false` is left out.
    #[inline]
    pub fn flag(&mut self, field: u32, value: bool) -> &mut Self {
        self.count(field, value)
    }

    /// Bytes; none are left out.
    #[inline]
    pub fn bytes(&mut self, field: u32, bytes: &[u8]) -> &mut Self {
        if !bytes.is_empty() {
            self.delimited(field, bytes);
        }
        self
    }

    /// Bytes that may be missing, which are then left out.
    #[inline]
    pub fn optional_bytes(&mut self, field: u32, bytes: Option<&[u8]>) -> &mut Self {
        self.bytes(field, bytes.unwrap_or_default())
    }

    /// One f64 in 8 bytes. Spec: BYTES-6.
    #[inline]
    pub fn number(&mut self, field: u32, number: f64) -> &mut Self {
        self.delimited(field, &f64_bytes(number));
        self
    }

    /// Several f64 in one field; none are left out. Spec: BYTES-7.
    #[inline]
    pub fn numbers(&mut self, field: u32, numbers: &[f64]) -> &mut Self {
        if !numbers.is_empty() {
            self.key(field, LENGTH_DELIMITED);
            self.varint(8 * numbers.len() as u64);
            for number in numbers {
                self.buffer.extend_from_slice(&f64_bytes(*number));
            }
        }
        self
    }

    /// A packed list of whole numbers; an empty one is left out.
    #[inline]
    pub fn counts(&mut self, field: u32, counts: impl IntoIterator<Item = u64>) -> &mut Self {
        let mut counts = counts.into_iter().peekable();
        if counts.peek().is_some() {
            self.key(field, LENGTH_DELIMITED);
            self.with_length(|writer| counts.for_each(|count| writer.varint(count)));
        }
        self
    }

    /// A message, with the fields that `write` gives it; one without fields is there all the same.
    #[inline]
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Writer<'_>)) -> &mut Self {
        self.key(field, LENGTH_DELIMITED);
        self.with_length(write);
        self
    }

    /// A message by its own canonical encoding.
    #[inline]
    pub fn encoded(&mut self, field: u32, message: &[u8]) -> &mut Self {
        self.delimited(field, message);
        self
    }

    #[inline]
    fn key(&mut self, field: u32, wire_type: u32) {
        self.varint(u64::from(field << 3 | wire_type));
    }

    #[inline]
    fn delimited(&mut self, field: u32, bytes: &[u8]) {
        self.key(field, LENGTH_DELIMITED);
        self.varint(bytes.len() as u64);
        self.buffer.extend_from_slice(bytes);
    }

    /// Writes a length and what has it. The length stands first but is known last: one byte is kept for it, and what follows
    /// moves where that is too little.
    fn with_length(&mut self, write: impl FnOnce(&mut Writer<'_>)) {
        self.buffer.push(0);
        let begin = self.buffer.len();
        write(self);
        let length = self.buffer.len() - begin;
        let (bytes, size) = varint(length as u64);
        self.buffer[begin - 1] = bytes[0];
        if size > 1 {
            let end = self.buffer.len();
            self.buffer.resize(end + size - 1, 0);
            self.buffer.copy_within(begin..end, begin + size - 1);
            self.buffer[begin..begin + size - 1].copy_from_slice(&bytes[1..size]);
        }
    }

    #[inline]
    fn varint(&mut self, value: u64) {
        if value < 0x80 {
            self.buffer.push(value.to_le_bytes()[0]);
            return;
        }
        let (bytes, size) = varint(value);
        self.buffer.extend_from_slice(&bytes[..size]);
    }
}

/// Seven bits a byte, the lowest first, and how many bytes that are.
fn varint(mut value: u64) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    let mut size = 0;
    while value >= 0x80 {
        bytes[size] = value.to_le_bytes()[0] | 0x80;
        value >>= 7;
        size += 1;
    }
    bytes[size] = value.to_le_bytes()[0];
    (bytes, size + 1)
}
