//! Base64 with one form only.

use data_encoding::BASE64;

/// Reads the base64 form of some bytes; nothing for any other text. The library alone also takes several padded forms one
/// behind the other, so that bytes would have more than one text.
///
/// Spec: CONV-3.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    (BASE64.encode(&bytes) == text).then_some(bytes)
}
