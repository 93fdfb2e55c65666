//! Canonical bytes read in place: one walk, without a copy and without a second encoding.
//!
//! A reader of strangers' bytes spends most of its time on messages that are canonical. BYTES-1 defines those by a decoder
//! that encodes again; BYTES-3 says what comes out of it, so whether bytes are canonical also shows in one pass over them:
//! fields ascend, defaults are missing, varints have no padding. That pass is here. It accepts exactly what
//! [`decode_canonical`] accepts (a property of the tests and of every fuzz target); what it refuses, `decode_canonical`
//! refuses again and names the reason.
//!
//! A message's fields are listed in a view ([`canonical_views!`](crate::canonical_views)), which does not compile if the
//! schema has another field.
//!
//! Spec: BYTES-1 to BYTES-3.

use super::{CanonicalError, check_size, decode_canonical};

/// Wire type of numbers.
const VARINT: u16 = 0;
/// Wire type of bytes, texts, messages and packed numbers.
const DELIMITED: u16 = 2;
/// A u64 has at most this many groups of 7 bits.
const VARINT_SIZE_MAX: usize = 10;

/// The fields of a message that are still to be read, in ascending order of their numbers.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

/// A message whose fields borrow from its bytes. Made by [`canonical_views!`](crate::canonical_views).
pub trait View<'a>: Sized {
    /// The generated message with the same fields.
    type Message: prost::Message + Default;

    /// Reads every field; nothing if what comes is not canonical.
    fn read(fields: &mut Fields<'a>) -> Option<Self>;

    /// Reads a message that has exactly these bytes; nothing if they are not canonical.
    fn whole(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        Self::read(&mut fields).filter(|_| fields.is_empty())
    }
}

/// What a field can hold.
pub trait Field<'a>: Sized {
    /// Reads the field of this number if it is next, else takes its default; nothing if it is not canonical.
    fn read(fields: &mut Fields<'a>, number: u8) -> Option<Self>;
}

/// What a field that is repeated, and not packed, can hold.
pub trait Element<'a>: Sized {
    /// Reads the content of one record; nothing if it is not canonical.
    fn read(content: &'a [u8]) -> Option<Self>;
}

/// Reads a message in place, and refuses every encoding of it but the canonical one: as [`decode_canonical`], without
/// copying or encoding anything.
///
/// # Errors
/// Those of [`decode_canonical`].
///
/// Spec: BYTES-1, BYTES-2.
pub fn read_canonical<'a, V: View<'a>>(bytes: &'a [u8], limit: usize) -> Result<V, CanonicalError> {
    check_size(bytes, limit)?;
    let mut fields = Fields::new(bytes);
    let view = V::read(&mut fields);
    let offset = bytes.len() - fields.rest.len();
    match view {
        Some(view) if fields.is_empty() => Ok(view),
        // Both readers agree; if they ever did not, refusing is the side on which nothing false is believed.
        _ => decode_canonical::<V::Message>(bytes, limit)
            .and(Err(CanonicalError::NotCanonical { offset })),
    }
}

impl<'a> Fields<'a> {
    /// The fields of a message with these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The field of this number, or its default if another or none is next; nothing if it is not canonical.
    pub fn field<F: Field<'a>>(&mut self, number: u8) -> Option<F> {
        F::read(self, number)
    }

    /// Number and content of the next field, if it holds bytes or a message: of a oneof, whose member may be any.
    pub fn member(
        &mut self,
        numbers: std::ops::RangeInclusive<u8>,
    ) -> Option<Option<(u8, &'a [u8])>> {
        let key = match self.rest {
            [only, ..] if only & 0x80 == 0 => u16::from(*only),
            [first, second, ..] => u16::from(first & 0x7f) | u16::from(*second) << 7,
            _ => return Some(None),
        };
        match u8::try_from(key >> 3) {
            Ok(number) if numbers.contains(&number) => {
                Some(self.delimited(number)?.map(|content| (number, content)))
            }
            _ => Some(None),
        }
    }

    /// Takes the tag if it is next. A tag has the fewest bytes: one, or two from number 16 on.
    fn tag(&mut self, number: u8, wire_type: u16) -> bool {
        let [low, high] = (u16::from(number) << 3 | wire_type).to_le_bytes();
        let rest = match self.rest {
            [only, rest @ ..] if number < 16 && *only == low => rest,
            [first, second, rest @ ..]
                if number >= 16 && *first == low | 0x80 && *second == high << 1 | low >> 7 =>
            {
                rest
            }
            _ => return false,
        };
        self.rest = rest;
        true
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for (place, byte) in self.rest.iter().take(VARINT_SIZE_MAX).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                let padded = *byte == 0 && place > 0;
                let too_large = *byte > 1 && place + 1 == VARINT_SIZE_MAX;
                self.rest = &self.rest[place + 1..];
                return (!padded && !too_large).then_some(value);
            }
        }
        None
    }

    /// The number of a field: 0 if it is not next, never 0 if it is.
    fn number(&mut self, number: u8) -> Option<u64> {
        if !self.tag(number, VARINT) {
            return Some(0);
        }
        self.varint().filter(|value| *value != 0)
    }

    /// The content of a field, if it is next.
    fn delimited(&mut self, number: u8) -> Option<Option<&'a [u8]>> {
        if !self.tag(number, DELIMITED) {
            return Some(None);
        }
        let size = usize::try_from(self.varint()?).ok()?;
        let (content, rest) = self.rest.split_at_checked(size)?;
        self.rest = rest;
        Some(Some(content))
    }
}

impl<'a> Field<'a> for u64 {
    fn read(fields: &mut Fields<'a>, number: u8) -> Option<Self> {
        fields.number(number)
    }
}

impl<'a> Field<'a> for u32 {
    fn read(fields: &mut Fields<'a>, number: u8) -> Option<Self> {
        Self::try_from(fields.number(number)?).ok()
    }
}

/// An enumeration, whose negative numbers have the ten bytes of the u64 that they wrap to.
impl<'a> Field<'a> for i32 {
    fn read(fields: &mut Fields<'a>, number: u8) -> Option<Self> {
        Self::try_from(fields.number(number)?.cast_signed()).ok()
    }
}

impl<'a> Field<'a> for bool {
    fn read(fields: &mut Fields<'a>, number: u8) -> Option<Self> {
        match fields.number(number)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl<'a> Field<'a> for &'a [u8] {
    fn read(fields: &mut Fields<'a>, number: u8) -> Option<Self> {
        match fields.delimited(number)? {
            None => Some(&[]),
            Some(content) => (!content.is_empty()).then_some(content),
        }
    }
}

impl<'a> Field<'a> for &'a str {
    fn read(fields: &mut Fields<'a>, number: u8) -> Option<Self> {
        std::str::from_utf8(fields.field(number)?).ok()
    }
}

/// A message, which may be empty where it is not absent.
impl<'a, V: View<'a>> Field<'a> for Option<V> {
    fn read(fields: &mut Fields<'a>, number: u8) -> Option<Self> {
        match fields.delimited(number)? {
            None => Some(None),
            Some(content) => V::whole(content).map(Some),
        }
    }
}

/// Packed numbers: in one piece, which is not empty.
impl<'a> Field<'a> for Vec<u32> {
    fn read(fields: &mut Fields<'a>, number: u8) -> Option<Self> {
        let mut packed = Fields::new(fields.field(number)?);
        let mut numbers = Self::new();
        while !packed.is_empty() {
            numbers.push(u32::try_from(packed.varint()?).ok()?);
        }
        Some(numbers)
    }
}

impl<'a, E: Element<'a>> Field<'a> for Vec<E> {
    fn read(fields: &mut Fields<'a>, number: u8) -> Option<Self> {
        let mut elements = Self::new();
        while let Some(content) = fields.delimited(number)? {
            elements.push(E::read(content)?);
        }
        Some(elements)
    }
}

impl<'a, V: View<'a>> Element<'a> for V {
    fn read(content: &'a [u8]) -> Option<Self> {
        V::whole(content)
    }
}

impl<'a> Element<'a> for &'a [u8] {
    fn read(content: &'a [u8]) -> Option<Self> {
        Some(content)
    }
}

impl<'a> Element<'a> for &'a str {
    fn read(content: &'a [u8]) -> Option<Self> {
        std::str::from_utf8(content).ok()
    }
}

/// Lists the fields of messages, in ascending order of their numbers, as structs that borrow from the bytes that they are
/// read from ([`read_canonical`](crate::canonical::read_canonical)). Types: `u64`, `u32`, `i32` (an enumeration), `bool`,
/// `&'a [u8]`, `&'a str`, `Option<View>` (a message), `Vec<u32>` (packed), `Vec` of bytes, texts or views.
///
/// It does not compile if the generated message has another field, or names one otherwise. The numbers are held against the
/// schema by tests.
#[macro_export]
macro_rules! canonical_views {
    ($($(#[$attribute:meta])* $visibility:vis $name:ident $(<$life:lifetime>)? of $message:path {
        $($field:ident: $type:ty = $number:literal,)*
    })*) => {$(
        $(#[$attribute])*
        $visibility struct $name$(<$life>)? {
            $(pub(crate) $field: $type,)*
        }
        $crate::canonical_views!(@view [$($life)?] $name [$(<$life>)?] $message [$($field = $number,)*]);
        const _: fn($message) = |message| {
            let $message { $($field: _,)* } = message;
        };
    )*};
    (@view [] $name:ident [] $message:path [$($rest:tt)*]) => {
        $crate::canonical_views!(@impl 'a, $name, $message [$($rest)*]);
    };
    (@view [$life:lifetime] $name:ident [<$_life:lifetime>] $message:path [$($rest:tt)*]) => {
        $crate::canonical_views!(@impl $life, $name<$life>, $message [$($rest)*]);
    };
    (@impl $life:lifetime, $view:ty, $message:path [$($field:ident = $number:literal,)*]) => {
        impl<$life> $crate::canonical::View<$life> for $view {
            type Message = $message;
            fn read(fields: &mut $crate::canonical::Fields<$life>) -> Option<Self> {
                Some(Self { $($field: fields.field($number)?,)* })
            }
        }
    };
}
