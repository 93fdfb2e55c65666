//! Printing results.

use std::io::{self, Write as _};

use serde_json::Value;

/// Standard output was closed by its reader: no failure.
#[derive(Debug, thiserror::Error)]
#[error("standard output was closed")]
struct OutputClosed;

/// Whether an error only says that nobody reads the output any more.
pub(super) fn is_closed(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<OutputClosed>())
}

/// Printing by a command whose exit code says what it found: a reader that has seen enough changes nothing of that, and the command
/// goes on to its end. Other commands end where nobody reads them any more.
pub(super) fn unread_too(printed: anyhow::Result<()>) -> anyhow::Result<()> {
    match printed {
        Err(error) if is_closed(&error) => Ok(()),
        printed => printed,
    }
}

/// An error and its causes in one line. Many errors name their cause themselves: nothing is said twice.
pub(super) fn with_causes(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !line.ends_with(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line
}

/// Says something on standard error, on a line of its own. That nobody reads it changes nothing of how a command ends.
pub(super) fn complain(reason: &str) {
    let _ = writeln!(io::stderr(), "{}", plain(reason));
}

/// Prints a text as it is, without adding a newline.
pub(crate) fn print_text(text: &str) -> anyhow::Result<()> {
    print_bytes(text.as_bytes())
}

/// Prints bytes.
pub(super) fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(OutputClosed.into()),
        Err(error) => Err(anyhow::Error::new(error).context("standard output")),
    }
}

/// Prints a line for people. What peers wrote is in it, so nothing of it may reach the terminal as a command.
pub(super) fn print_line(line: &str) -> anyhow::Result<()> {
    print_text(&format!("{}\n", plain(line)))
}

/// Prints lines for people.
pub(super) fn print_lines(text: &str) -> anyhow::Result<()> {
    text.lines().try_for_each(print_line)
}

/// Prints a JSON value on one line.
pub(super) fn print_json(value: &Value) -> anyhow::Result<()> {
    print_text(&format!("{value}\n"))
}

/// A text without characters that a terminal obeys.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            }
        })
        .collect()
}

/// A table: the cells of each row under their headings, columns two spaces apart, numbers (all digits) to the right.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            widest.max(heading.chars().count())
        })
        .collect();
    let is_number = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).all(|cell| {
            cell.chars()
                .all(|character| character.is_ascii_digit() || "+-.,".contains(character))
        })
    };
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (column, cell) in cells.enumerate() {
            let width = widths.get(column).copied().unwrap_or(0);
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            if is_number(column) {
                line.push_str(&padding);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&padding);
            }
            line.push_str("  ");
        }
        format!("{}\n", line.trim_end())
    };
    let mut text = line(&mut headings.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{plain, table, with_causes};

    #[derive(Debug, thiserror::Error)]
    #[error("the node: {0}")]
    struct NamesItsCause(#[source] std::fmt::Error);

    #[test]
    fn a_cause_is_told_once() {
        let cause = std::fmt::Error;
        let error = anyhow::Error::from(NamesItsCause(cause)).context("start");
        assert_eq!(with_causes(&error), format!("start: the node: {cause}"));
    }

    #[test]
    fn what_a_terminal_obeys_is_replaced() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
    }

    #[test]
    fn a_table_puts_numbers_to_the_right() {
        let rows = [
            vec!["a".to_owned(), "5".to_owned()],
            vec!["long".to_owned(), "1234567".to_owned()],
        ];
        assert_eq!(
            table(&["NAME", "SIZE"], &rows),
            "NAME     SIZE\na           5\nlong  1234567\n"
        );
    }
}
