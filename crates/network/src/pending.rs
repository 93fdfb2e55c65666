//! A bounded table of things that wait for an answer, each until its deadline.

use std::collections::BTreeMap;
use std::time::Duration;

/// Values under rising numbers, all with the same time to live. Time is the time since any fixed moment.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    // All values live equally long and time does not run back, so the lowest number has the earliest deadline.
    entries: BTreeMap<u64, (Duration, T)>,
    next_number: u64,
    lifetime: Duration,
    count_max: usize,
}

impl<T> Pending<T> {
    /// An empty table for `count_max` values that live for `lifetime`.
    pub(crate) fn new(lifetime: Duration, count_max: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            next_number: 0,
            lifetime,
            count_max,
        }
    }

    /// Takes a value in and gives its number, which is never used again; gives the value back when the table is full.
    pub(crate) fn insert(&mut self, value: T, now: Duration) -> Result<u64, T> {
        if self.entries.len() >= self.count_max {
            return Err(value);
        }
        let number = self.next_number;
        self.next_number += 1;
        self.entries.insert(number, (now + self.lifetime, value));
        Ok(number)
    }

    /// Takes the value with this number out.
    pub(crate) fn take(&mut self, number: u64) -> Option<T> {
        self.entries.remove(&number).map(|(_, value)| value)
    }

    /// When the next value expires.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.entries
            .first_key_value()
            .map(|(_, (deadline, _))| *deadline)
    }

    /// Takes the value out that expired first, if one has expired.
    pub(crate) fn pop_expired(&mut self, now: Duration) -> Option<T> {
        if self.next_deadline()? > now {
            return None;
        }
        self.entries.pop_first().map(|(_, (_, value))| value)
    }

    /// Drops every value that does not pass.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.entries.retain(|_, (_, value)| keep(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_value_is_taken_once() {
        let mut pending = Pending::new(SECOND, 2);
        let number = pending.insert('a', Duration::ZERO).unwrap();
        assert_eq!(pending.take(number), Some('a'));
        assert_eq!(pending.take(number), None);
    }

    #[test]
    fn a_full_table_gives_the_value_back() {
        let mut pending = Pending::new(SECOND, 1);
        let first = pending.insert('a', Duration::ZERO).unwrap();
        assert_eq!(pending.insert('b', Duration::ZERO), Err('b'));
        pending.take(first);
        assert!(pending.insert('b', Duration::ZERO).is_ok());
    }

    #[test]
    fn values_expire_in_order_at_their_deadline() {
        let mut pending = Pending::new(SECOND, 8);
        pending.insert('a', Duration::ZERO).unwrap();
        pending.insert('b', SECOND / 2).unwrap();
        assert_eq!(pending.next_deadline(), Some(SECOND));
        assert_eq!(pending.pop_expired(SECOND - Duration::from_nanos(1)), None);
        assert_eq!(pending.pop_expired(SECOND), Some('a'));
        assert_eq!(pending.pop_expired(SECOND), None);
        assert_eq!(pending.pop_expired(2 * SECOND), Some('b'));
        assert_eq!(pending.next_deadline(), None);
    }
}
