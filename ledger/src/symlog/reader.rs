//! Reads a `.symlog` file as a stream: memory for one entry, whatever the size of the file.

use std::io::{ErrorKind, Read};

use symphony_transparency::{Digest, Domain, DomainHasher, ENTRY_SIZE_MAX};

use super::{
    CHECK_LENGTH, EXPORT_HEADER_SIZE_MAX, ExportHeader, HEADER_PLACE, MAGIC, SymlogError, check,
};

/// Reads one log from a stream and refuses every damaged byte, naming the entry.
///
/// It checks that the file is whole, not that its author is honest: chain, tree and content are for the replay, which
/// blames the author for what is wrong in an intact file. Give it a buffered reader.
///
/// ```
/// use symphony_ledger::symlog::ExportReader;
///
/// let damaged: &[u8] = b"not an export";
/// assert!(ExportReader::new(damaged).is_err());
/// ```
#[derive(Debug)]
pub struct ExportReader<R> {
    input: R,
    content: DomainHasher,
    header: ExportHeader,
    next: u64,
    ended: bool,
}

/// How a read of a fixed number of bytes ended.
enum Filled {
    Whole,
    Short,
}

impl<R: Read> ExportReader<R> {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// [`SymlogError`] for anything but a whole header of this version.
    pub fn new(mut input: R) -> Result<Self, SymlogError> {
        let mut content = DomainHasher::new(Domain::Export);
        content.update(b"content");

        let mut magic = [0; MAGIC.len()];
        match fill(&mut input, &mut content, &mut magic)? {
            Filled::Whole if magic == MAGIC => {}
            Filled::Whole | Filled::Short => return Err(SymlogError::NotSymlog),
        }
        let mut prefix = [0; 4 + CHECK_LENGTH];
        let Filled::Whole = fill(&mut input, &mut content, &mut prefix)? else {
            return Err(SymlogError::HeaderTruncated);
        };
        let (length, expected_check) = split_prefix(&prefix);
        if length > EXPORT_HEADER_SIZE_MAX {
            return Err(SymlogError::HeaderTooLarge {
                limit: EXPORT_HEADER_SIZE_MAX,
                actual: length as u64,
            });
        }
        let mut bytes = vec![0; length];
        let Filled::Whole = fill(&mut input, &mut content, &mut bytes)? else {
            return Err(SymlogError::HeaderTruncated);
        };
        if check(HEADER_PLACE, &bytes) != expected_check {
            return Err(SymlogError::HeaderDamaged);
        }
        let header = ExportHeader::from_bytes(&bytes)?;
        Ok(Self {
            input,
            content,
            header,
            next: 0,
            ended: false,
        })
    }

    /// What the file says of its log.
    pub fn header(&self) -> &ExportHeader {
        &self.header
    }

    /// The exact bytes of the next entry; `None` after the last one, when the trailer has been checked too.
    ///
    /// Entries that were returned before an error are intact; whether the file is whole is known only at `None`.
    ///
    /// # Errors
    /// [`SymlogError`] that names the damaged entry; afterwards the reader gives nothing more.
    pub fn next_entry(&mut self) -> Result<Option<Vec<u8>>, SymlogError> {
        if self.ended {
            return Ok(None);
        }
        let result = if self.next < self.header.size {
            self.read_entry().map(Some)
        } else {
            self.read_end().map(|()| None)
        };
        match &result {
            Ok(Some(_)) => self.next += 1,
            Ok(None) | Err(_) => self.ended = true,
        }
        result
    }

    fn read_entry(&mut self) -> Result<Vec<u8>, SymlogError> {
        let index = self.next;
        let truncated = SymlogError::Truncated {
            index,
            size: self.header.size,
        };
        let mut prefix = [0; 4 + CHECK_LENGTH];
        let Filled::Whole = fill(&mut self.input, &mut self.content, &mut prefix)? else {
            return Err(truncated);
        };
        let (length, expected_check) = split_prefix(&prefix);
        if length == 0 || length > ENTRY_SIZE_MAX {
            return Err(SymlogError::EntryDamaged { index });
        }
        let mut bytes = vec![0; length];
        let Filled::Whole = fill(&mut self.input, &mut self.content, &mut bytes)? else {
            return Err(truncated);
        };
        if check(index, &bytes) != expected_check {
            return Err(SymlogError::EntryDamaged { index });
        }
        Ok(bytes)
    }

    fn read_end(&mut self) -> Result<(), SymlogError> {
        let expected = self.content.finalize();
        let mut trailer = [0; Digest::LENGTH];
        let Filled::Whole = fill(&mut self.input, &mut self.content, &mut trailer)? else {
            return Err(SymlogError::TrailerTruncated);
        };
        let found = Digest::from_bytes(trailer);
        if found != expected {
            return Err(SymlogError::TrailerDamaged { expected, found });
        }
        match fill(&mut self.input, &mut self.content, &mut [0; 1])? {
            Filled::Short => Ok(()),
            Filled::Whole => Err(SymlogError::TrailingBytes),
        }
    }
}

fn split_prefix(prefix: &[u8; 4 + CHECK_LENGTH]) -> (usize, [u8; CHECK_LENGTH]) {
    let (length, check) = prefix
        .split_first_chunk::<4>()
        .expect("the prefix has 20 bytes");
    let length = u32::from_be_bytes(*length) as usize;
    (
        length,
        check
            .try_into()
            .expect("the prefix has 16 bytes behind its length"),
    )
}

/// Reads exactly `bytes`, and tells an early end of the stream from a failure of the device.
fn fill(
    input: &mut impl Read,
    content: &mut DomainHasher,
    bytes: &mut [u8],
) -> Result<Filled, SymlogError> {
    let mut filled = 0;
    while filled < bytes.len() {
        match input.read(&mut bytes[filled..]) {
            Ok(0) => return Ok(Filled::Short),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    content.update(bytes);
    Ok(Filled::Whole)
}
