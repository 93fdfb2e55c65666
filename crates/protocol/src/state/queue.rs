//! The order in which rows of a table are forgotten. Spec: REPLAY-2.

use super::table::Table;

/// Rows of a table in the order in which they came, so that the oldest is forgotten first.
#[derive(Clone, Debug)]
pub(super) struct Queue<K> {
    pub(super) rows: Table<u64, K>,
    /// Number of the oldest.
    pub(super) begin: u64,
    /// Number that the next one takes.
    pub(super) end: u64,
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self {
            rows: Table::default(),
            begin: 0,
            end: 0,
        }
    }
}

impl<K: Clone> Queue<K> {
    /// Adds a row; returns its number.
    pub(super) fn push(&mut self, key: K) -> u64 {
        let number = self.end;
        self.rows.insert(number, key);
        self.end += 1;
        number
    }

    /// Removes the oldest row; returns its number.
    pub(super) fn pop(&mut self) -> u64 {
        let number = self.begin;
        self.rows.remove(&number);
        self.begin += 1;
        number
    }

    /// The oldest row.
    pub(super) fn oldest(&self) -> Option<&K> {
        if self.begin == self.end {
            return None;
        }
        self.rows.get(&self.begin)
    }
}
