//! The queue of what happens: by virtual time, then in the order of scheduling.

use std::collections::BTreeMap;

/// Events in the order (time, sequence).
#[derive(Debug)]
pub(crate) struct Queue<E> {
    events: BTreeMap<(u64, u64), E>,
    sequence: u64,
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Self {
        Self {
            events: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Schedules an event at a time in milliseconds.
    pub(crate) fn push(&mut self, time_ms: u64, event: E) {
        self.events.insert((time_ms, self.sequence), event);
        self.sequence += 1;
    }

    /// The next event and its time.
    pub(crate) fn pop(&mut self) -> Option<(u64, E)> {
        self.events
            .pop_first()
            .map(|((time_ms, _), event)| (time_ms, event))
    }
}
