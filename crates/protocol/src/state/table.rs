//! One table of the state: rows by key, all of them or those that openings show.
//!
//! A partial state holds some rows of a true state. Whoever asks it for another row must not be told that there is none: the
//! table notes what was asked for, and whatever is computed after that means nothing. Spec: EVIDENCE-12.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use super::{Key, encoding};
use crate::map::{Lookup, StateMap, Unopened};

/// What a partial state knows, shared by its tables.
#[derive(Debug)]
pub(super) struct Known {
    /// The part of the map that the state began with.
    map: StateMap,
    /// The first key that was asked for and is not open.
    unopened: OnceLock<Unopened>,
}

impl Known {
    pub(super) fn new(map: StateMap) -> Arc<Self> {
        Arc::new(Self {
            map,
            unopened: OnceLock::new(),
        })
    }

    pub(super) fn unopened(&self) -> Option<Unopened> {
        self.unopened.get().copied()
    }

    fn ask(&self, key: &Key) {
        if let Lookup::Unopened(unopened) = self.map.look_up(&encoding::name(key)) {
            // Only the first counts: what is asked for later may follow from a wrong answer to it.
            let _ = self.unopened.set(unopened);
        }
    }
}

#[derive(Clone, Debug)]
struct Partial<K> {
    known: Arc<Known>,
    key: fn(K) -> Key,
    /// Rows that changed since: what the map said of them holds no longer.
    changed: BTreeSet<K>,
    /// Every key of the table, where the clock lists them.
    listed: Option<BTreeSet<K>>,
}

/// Rows by key.
#[derive(Clone, Debug)]
pub(super) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    partial: Option<Box<Partial<K>>>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            partial: None,
        }
    }
}

impl<K: Copy + Ord, V> Table<K, V> {
    /// A table of which the openings show these rows.
    pub(super) fn partial(
        rows: BTreeMap<K, V>,
        known: &Arc<Known>,
        key: fn(K) -> Key,
        listed: Option<BTreeSet<K>>,
    ) -> Self {
        Self {
            rows,
            partial: Some(Box::new(Partial {
                known: Arc::clone(known),
                key,
                changed: BTreeSet::new(),
                listed,
            })),
        }
    }

    fn ask(&self, key: &K) {
        if let Some(partial) = &self.partial
            && !partial.changed.contains(key)
            && partial
                .listed
                .as_ref()
                .is_none_or(|listed| listed.contains(key))
        {
            partial.known.ask(&(partial.key)(*key));
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let row = self.rows.get(key);
        if row.is_none() {
            self.ask(key);
        }
        row
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.partial.is_some() && !self.rows.contains_key(key) {
            self.ask(key);
        }
        self.rows.get_mut(key)
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn insert(&mut self, key: K, row: V) {
        self.rows.insert(key, row);
        if let Some(partial) = &mut self.partial {
            partial.changed.insert(key);
            if let Some(listed) = &mut partial.listed {
                listed.insert(key);
            }
        }
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let row = self.rows.remove(key);
        if row.is_none() {
            self.ask(key);
        }
        if let Some(partial) = &mut self.partial {
            partial.changed.insert(*key);
            if let Some(listed) = &mut partial.listed {
                listed.remove(key);
            }
        }
        row
    }

    /// The rows that are at hand: all, unless the state is partial.
    pub(super) fn rows(&self) -> &BTreeMap<K, V> {
        &self.rows
    }

    /// Every key, ascending: those at hand, or those that the clock lists.
    pub(super) fn keys(&self) -> Vec<K> {
        match self.listed() {
            Some(listed) => listed.iter().copied().collect(),
            None => self.rows.keys().copied().collect(),
        }
    }

    /// How many keys there are: all, or those that the clock lists.
    pub(super) fn len(&self) -> usize {
        self.listed().map_or(self.rows.len(), BTreeSet::len)
    }

    /// The smallest key.
    pub(super) fn first_key(&self) -> Option<K> {
        match self.listed() {
            Some(listed) => listed.first().copied(),
            None => self.rows.keys().next().copied(),
        }
    }

    fn listed(&self) -> Option<&BTreeSet<K>> {
        self.partial
            .as_ref()
            .and_then(|partial| partial.listed.as_ref())
    }
}
