//! Just enough of Rust's lexical structure to tell code from comments, strings and tests. Offsets are kept, so that a place in
//! the result is a place in the file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// All files under `folder` (or `folder` itself) whose name ends in one of `endings`, sorted. A missing folder has none.
pub(crate) fn files_under(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            if matches!(
                path.file_name().and_then(|name| name.to_str()),
                Some("target" | ".git")
            ) {
                continue;
            }
            for entry in fs::read_dir(&path).with_context(|| path.display().to_string())? {
                waiting.push(entry?.path());
            }
        } else if path.is_file()
            && endings
                .iter()
                .any(|ending| path.to_string_lossy().ends_with(ending))
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a text file, naming it in the error.
pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// The path below `root`, with `/`, for messages.
pub(crate) fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

/// The 1-based line of a byte offset.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// The text with comments and the insides of string and character literals replaced by spaces.
pub(crate) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = if rest.starts_with(b"//") {
            rest.iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            block_comment_length(rest)
        } else if let Some(length) = raw_string_length(bytes, at) {
            length
        } else if rest[0] == b'"' {
            quoted_length(rest, b'"')
        } else if rest[0] == b'\'' && is_character_literal(rest) {
            quoted_length(rest, b'\'')
        } else {
            at += 1;
            continue;
        };
        blank(&mut code[at..at + length]);
        at += length;
    }
    String::from_utf8(code)
        .expect("only whole literals and comments were replaced, byte by byte, with spaces")
}

/// Code as from [`code_only`] without its `#[cfg(test)]` items.
pub(crate) fn without_tests(code: &str) -> String {
    let mut bytes = code.as_bytes().to_vec();
    for (start, end) in test_regions(code) {
        blank(&mut bytes[start..end]);
    }
    String::from_utf8(bytes).expect("only whole items were replaced, byte by byte, with spaces")
}

/// The byte ranges of the `#[cfg(test)]` items of code as from [`code_only`].
pub(crate) fn test_regions(code: &str) -> Vec<(usize, usize)> {
    let mut regions = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let start = from + found;
        let end = start + item_length(&code[start..]);
        regions.push((start, end));
        from = end;
    }
    regions
}

/// Is this file, by its name, only compiled for tests?
pub(crate) fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "tests.rs"
        || name.ends_with("_tests.rs")
        || path.starts_with("tests/")
        || path.contains("/tests/")
        || path.contains("/benches/")
}

/// Is the byte part of an identifier?
pub(crate) fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Offsets of `needle` in `text`; where the needle begins or ends with an identifier character, only whole words count.
pub(crate) fn word_offsets(text: &str, needle: &str) -> Vec<usize> {
    let (bytes, needle_bytes) = (text.as_bytes(), needle.as_bytes());
    let (Some(first), Some(last)) = (needle_bytes.first(), needle_bytes.last()) else {
        return Vec::new();
    };
    text.match_indices(needle)
        .map(|(offset, _)| offset)
        .filter(|offset| {
            let before = offset.checked_sub(1).map(|index| bytes[index]);
            let after = bytes.get(offset + needle.len()).copied();
            let continues_before = is_identifier(*first) && before.is_some_and(is_identifier);
            let continues_after = is_identifier(*last) && after.is_some_and(is_identifier);
            !continues_before && !continues_after
        })
        .collect()
}

/// The identifier that starts the text, or an empty one.
pub(crate) fn leading_identifier(text: &str) -> &str {
    let length = text.bytes().take_while(|byte| is_identifier(*byte)).count();
    &text[..length]
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

fn block_comment_length(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of `r"…"`, `r#"…"#` and their byte forms at `at`, if one stands there.
fn raw_string_length(bytes: &[u8], at: usize) -> Option<usize> {
    if at > 0 && is_identifier(bytes[at - 1]) {
        return None;
    }
    let rest = &bytes[at..];
    let prefix = if rest.starts_with(b"br") {
        2
    } else {
        usize::from(rest.starts_with(b"r"))
    };
    if prefix == 0 {
        return None;
    }
    let hashes = rest[prefix..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return None;
    }
    let body = prefix + hashes + 1;
    let end = (body..rest.len()).find(|index| {
        rest[*index] == b'"'
            && rest[index + 1..]
                .iter()
                .take_while(|byte| **byte == b'#')
                .count()
                >= hashes
    });
    Some(end.map_or(rest.len(), |end| end + 1 + hashes))
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Tells `'x'` and `'\n'` from the lifetime `'x`.
fn is_character_literal(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'\\') => true,
        Some(byte) if byte.is_ascii() => rest.get(2) == Some(&b'\''),
        Some(_) => true, // a lifetime in another script is not in use here
        None => false,
    }
}

/// The length of the item that starts the code: to its closing brace, or to its semicolon if that comes first.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate() {
        match byte {
            b';' if depth == 0 => return offset + 1,
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return offset + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_in_place() {
        let text = "a /* b /* c */ d */ e // f\n\"g\\\"h\" i r#\"j\"k\"# l 'm' '\\'' &'n o";
        let code = code_only(text);
        assert_eq!(code.len(), text.len());
        let words: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(words, ["a", "e", "i", "l", "&'n", "o"]);
        assert_eq!(line_of(&code, code.find('i').unwrap()), 2);
    }

    #[test]
    fn test_items_are_blanked_and_nothing_else() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { if x { } } }\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}";
        let rest = without_tests(code);
        assert!(rest.contains("fn a()") && rest.contains("fn c()") && rest.contains("fn d()"));
        assert!(!rest.contains("fn b()") && !rest.contains("more"));
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(
            word_offsets("Instant Instantly x.ln( y.ln(", "Instant"),
            [0]
        );
        assert_eq!(word_offsets("vln( x.ln(", ".ln("), [6]);
        assert_eq!(word_offsets("LOG-71 LOG-7.", "LOG-7"), [7]);
    }
}
