//! Writes a `.symlog` file, entry after entry.

use std::io::Write;

use symphony_transparency::{Domain, DomainHasher, ENTRY_SIZE_MAX};

use super::{ExportHeader, HEADER_PLACE, MAGIC, SymlogError, check};
use crate::link::LinkError;

/// Writes one log as a stream: the header first, then exactly the promised number of entries, then the trailer.
///
/// A file without its trailer is refused by every reader, so a writer that stopped half-way leaves nothing that could be
/// taken for a log. Give it a buffered writer.
#[derive(Debug)]
pub struct ExportWriter<W> {
    output: W,
    content: DomainHasher,
    size: u64,
    count: u64,
}

impl<W: Write> ExportWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// [`SymlogError::HeaderField`] for a header beyond its limits, [`SymlogError::Io`].
    pub fn new(output: W, header: &ExportHeader) -> Result<Self, SymlogError> {
        let bytes = header.to_bytes()?;
        let mut content = DomainHasher::new(Domain::Export);
        content.update(b"content");
        let mut writer = Self {
            output,
            content,
            size: header.size,
            count: 0,
        };
        writer.put(&MAGIC)?;
        writer.put_frame(HEADER_PLACE, &bytes)?;
        Ok(writer)
    }

    /// Writes the next entry.
    ///
    /// # Errors
    /// [`SymlogError::Count`] beyond the promised size, [`SymlogError::Link`] for an entry that no log can hold,
    /// [`SymlogError::Io`].
    pub fn write_entry(&mut self, entry: &[u8]) -> Result<(), SymlogError> {
        if self.count == self.size {
            return Err(SymlogError::Count {
                expected: self.size,
                actual: self.count.saturating_add(1),
            });
        }
        if entry.is_empty() || entry.len() > ENTRY_SIZE_MAX {
            return Err(LinkError::Size {
                index: self.count,
                limit: ENTRY_SIZE_MAX,
                actual: entry.len(),
            }
            .into());
        }
        self.put_frame(self.count, entry)?;
        self.count += 1;
        Ok(())
    }

    /// Writes the trailer, flushes, and gives the output back (for a file, the caller then syncs it).
    ///
    /// # Errors
    /// [`SymlogError::Count`] when entries are missing, [`SymlogError::Io`].
    pub fn finish(mut self) -> Result<W, SymlogError> {
        if self.count != self.size {
            return Err(SymlogError::Count {
                expected: self.size,
                actual: self.count,
            });
        }
        let trailer = self.content.finalize();
        self.output.write_all(trailer.as_bytes())?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn put_frame(&mut self, place: u64, bytes: &[u8]) -> Result<(), SymlogError> {
        let length = u32::try_from(bytes.len()).expect("headers and entries are far below 4 GiB");
        self.put(&length.to_be_bytes())?;
        self.put(&check(place, bytes))?;
        self.put(bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), SymlogError> {
        self.content.update(bytes);
        self.output.write_all(bytes)?;
        Ok(())
    }
}
