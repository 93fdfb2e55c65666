//! Seeds: the values in the vectors' files.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the vectors.
pub fn vectors() -> PathBuf {
    // This file is part of two packages; both lie one folder below the root.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("../tests/vectors")
}

/// The values of the lines `key: value` with one of these keys, of all files in these folders, in the order of their names.
/// Values that are hexadecimal digits are bytes; all others are the text itself.
pub fn values(folders: &[&str], keys: &[&str]) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for folder in folders {
        for (_, lines) in files(folder) {
            let of_keys = lines.iter().filter(|(key, _)| keys.contains(&key.as_str()));
            values.extend(of_keys.map(|(_, value)| bytes_of(value)));
        }
    }
    values.sort();
    values.dedup();
    values
}

/// A file's name, and its lines as keys and values.
pub type VectorFile = (String, Vec<(String, String)>);

/// All files of a folder, by name.
pub fn files(folder: &str) -> Vec<VectorFile> {
    let Ok(listing) = fs::read_dir(vectors().join(folder)) else {
        return Vec::new();
    };
    let mut files: Vec<VectorFile> = listing
        .flatten()
        .filter_map(|item| {
            let text = fs::read_to_string(item.path()).ok()?;
            let lines = text
                .lines()
                .filter_map(|line| line.split_once(':'))
                .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
                .collect();
            Some((item.file_name().to_string_lossy().into_owned(), lines))
        })
        .collect();
    files.sort();
    files
}

/// The bytes that a value stands for.
pub fn bytes_of(value: &str) -> Vec<u8> {
    let digits = value.as_bytes();
    let hexadecimal = digits.len().is_multiple_of(2)
        && digits
            .iter()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if !hexadecimal {
        return digits.to_vec();
    }
    let half = |digit: u8| (digit as char).to_digit(16).unwrap_or(0) as u8;
    digits
        .chunks_exact(2)
        .map(|pair| half(pair[0]) << 4 | half(pair[1]))
        .collect()
}
