//! Reads test vectors: `expect:`, `spec:`, `comment:`, then `name: hexadecimal` fields, of which some repeat.

use std::path::PathBuf;

use data_encoding::HEXLOWER;

/// One case.
pub(crate) struct Vector {
    /// The file's name without its ending, for messages.
    pub(crate) name: String,
    /// `ok`, or the name of the error.
    pub(crate) expect: String,
    fields: Vec<(String, Vec<u8>)>,
}

impl Vector {
    /// All vectors of one folder, by name.
    pub(crate) fn folder(folder: &str) -> Vec<Self> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/vectors")
            .join(folder);
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .map(|file| file.expect("a readable folder").path())
            .collect();
        paths.sort();
        assert!(!paths.is_empty(), "{folder} has no vectors");
        paths.into_iter().map(|path| Self::read(&path)).collect()
    }

    fn read(path: &std::path::Path) -> Self {
        let name = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read_to_string(path).expect("a readable file");
        let mut lines = text.lines().map(|line| {
            let (key, value) = line
                .split_once(':')
                .unwrap_or_else(|| panic!("{name}: no colon in {line}"));
            (key.to_owned(), value.trim_start().to_owned())
        });
        let mut header = |expected: &str| {
            let (key, value) = lines
                .next()
                .unwrap_or_else(|| panic!("{name}: no {expected}"));
            assert_eq!(key, expected, "{name}");
            assert!(!value.is_empty(), "{name}: empty {expected}");
            value
        };
        let expect = header("expect");
        header("spec");
        header("comment");
        let fields = lines
            .map(|(key, value)| {
                let bytes = HEXLOWER
                    .decode(value.as_bytes())
                    .unwrap_or_else(|error| panic!("{key}: {error}"));
                (key, bytes)
            })
            .collect();
        Self {
            name,
            expect,
            fields,
        }
    }

    /// Whether the file has this field.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == field)
    }

    /// The bytes of a field that appears once.
    pub(crate) fn bytes(&self, field: &str) -> &[u8] {
        match self.all(field)[..] {
            [bytes] => bytes,
            ref found => panic!("{}: {} fields {field}", self.name, found.len()),
        }
    }

    /// The bytes of each field of this name.
    pub(crate) fn all(&self, field: &str) -> Vec<&[u8]> {
        self.fields
            .iter()
            .filter(|(name, _)| name == field)
            .map(|(_, bytes)| &bytes[..])
            .collect()
    }

    /// The bytes of a field of fixed length.
    pub(crate) fn array<const LENGTH: usize>(&self, field: &str) -> [u8; LENGTH] {
        self.bytes(field)
            .try_into()
            .unwrap_or_else(|_| panic!("{}: length of {field}", self.name))
    }

    /// Each field of this name as a hash.
    pub(crate) fn hashes(&self, field: &str) -> Vec<[u8; 32]> {
        self.all(field)
            .into_iter()
            .map(|bytes| bytes.try_into().expect("a hash has 32 bytes"))
            .collect()
    }

    /// A number of 8 big-endian bytes.
    pub(crate) fn number(&self, field: &str) -> u64 {
        u64::from_be_bytes(self.array(field))
    }

    /// A field that holds text.
    pub(crate) fn text(&self, field: &str) -> &str {
        std::str::from_utf8(self.bytes(field)).expect("a field that is text")
    }

    /// Claims that the outcome is the expected one; `value` is given when it is `ok`.
    pub(crate) fn check<T, E: std::fmt::Debug>(
        &self,
        outcome: Result<T, E>,
        name: impl Fn(&E) -> String,
    ) -> Option<T> {
        match outcome {
            Ok(value) => {
                assert_eq!(self.expect, "ok", "{} was accepted", self.name);
                Some(value)
            }
            Err(error) => {
                assert_eq!(self.expect, name(&error), "{}: {error:?}", self.name);
                None
            }
        }
    }
}
