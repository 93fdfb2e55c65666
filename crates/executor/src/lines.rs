//! Lines of bounded length from a stream that another program writes.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// What the next line is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line without its end.
    Whole(Vec<u8>),
    /// A line longer than allowed; it was skipped up to its end.
    TooLong,
    /// The stream has ended.
    End,
}

/// Reads the next line; never holds more than `size_max` bytes of it. A last line without an end counts as a line.
///
/// Not cancellation safe: what was read of an unfinished line is lost.
pub(crate) async fn next_line<R: AsyncBufRead + Unpin>(
    reader: &mut R,
    size_max: usize,
) -> io::Result<Line> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            return Ok(match (line.is_empty(), too_long) {
                (_, true) => Line::TooLong,
                (true, false) => Line::End,
                (false, false) => Line::Whole(line),
            });
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        too_long |= line.len() + part.len() > size_max;
        if too_long {
            line.clear();
        } else {
            line.extend_from_slice(part);
        }
        let used = end.map_or(available.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(if too_long {
                Line::TooLong
            } else {
                Line::Whole(line)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::BufReader;

    async fn lines(text: &str, size_max: usize) -> Vec<Line> {
        // A buffer of three bytes exercises lines that arrive in pieces.
        let mut reader = BufReader::with_capacity(3, text.as_bytes());
        let mut lines = Vec::new();
        loop {
            match next_line(&mut reader, size_max)
                .await
                .expect("memory does not fail")
            {
                Line::End => return lines,
                line => lines.push(line),
            }
        }
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn lines_come_whole_and_the_last_needs_no_end() {
        assert_eq!(
            lines("one\n\nthree 3\nlast", 100).await,
            [whole("one"), whole(""), whole("three 3"), whole("last")]
        );
    }

    #[tokio::test]
    async fn a_long_line_is_skipped_and_the_next_one_read() {
        assert_eq!(
            lines("1234\n12345678\n12", 4).await,
            [whole("1234"), Line::TooLong, whole("12")]
        );
        assert_eq!(lines("12345", 4).await, [Line::TooLong]);
    }
}
