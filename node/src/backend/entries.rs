//! Ranges and tails of logs.

use futures::{StreamExt as _, stream};
use symphony_admin::{BackendError, EntryRange, Events, LogName, v1::LogEntry};
use symphony_ledger::LogReader;
use symphony_protocol::records::Entry;
use symphony_transparency::{Digest, entry_digest};
use tokio::sync::watch;

use super::{
    NodeBackend,
    failure::{internal, ledger, not_found, stopped},
};
use crate::render::{entry_json, unreadable_json};

/// Entries and bytes that are read at a time: what a call holds in memory.
const PAGE_ENTRIES: usize = 128;
const PAGE_BYTES: usize = 256 * 1024;

/// Whether a reader ends at a size or waits for more.
enum Reading {
    Until(u64),
    Growing(watch::Receiver<u64>),
}

struct Cursor {
    reader: LogReader,
    network: Digest,
    next: u64,
    reading: Reading,
    page: std::vec::IntoIter<LogEntry>,
}

impl NodeBackend {
    pub(super) async fn entries_of(
        &self,
        log: LogName,
        range: EntryRange,
    ) -> Result<Events<LogEntry>, BackendError> {
        let source = self.source(log)?;
        let size = source.size()?;
        let end = range.end.unwrap_or(size);
        if range.start > size || end > size {
            return Err(not_found(format!("the log has {size} entries here")));
        }
        Ok(self.read(source.reader, range.start, Reading::Until(end)))
    }

    pub(super) async fn tail_of(
        &self,
        log: LogName,
        start: Option<u64>,
    ) -> Result<Events<LogEntry>, BackendError> {
        let source = self.source(log)?;
        let sizes = self.watch_size(&source.id())?;
        let size = *sizes.borrow();
        let start = start.unwrap_or(size);
        if start > size {
            return Err(not_found(format!("the log has {size} entries here")));
        }
        Ok(self.read(source.reader, start, Reading::Growing(sizes)))
    }

    /// The durable size of a log, as it grows.
    fn watch_size(&self, log: &Digest) -> Result<watch::Receiver<u64>, BackendError> {
        let mut heads = self.node.ledger().subscribe_to(log).map_err(ledger)?;
        let (sender, receiver) = watch::channel(heads.borrow_and_update().size);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = sender.closed() => return,
                    changed = heads.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        let size = heads.borrow_and_update().size;
                        sender.send_replace(size);
                    }
                }
            }
        });
        Ok(receiver)
    }

    fn read(&self, reader: LogReader, next: u64, reading: Reading) -> Events<LogEntry> {
        let cursor = Cursor {
            reader,
            network: self.node.about().network,
            next,
            reading,
            page: Vec::new().into_iter(),
        };
        stream::try_unfold(cursor, |mut cursor| async move {
            let entry = cursor.next_entry().await?;
            Ok(entry.map(|entry| (entry, cursor)))
        })
        .boxed()
    }
}

impl Cursor {
    async fn next_entry(&mut self) -> Result<Option<LogEntry>, BackendError> {
        loop {
            if let Some(entry) = self.page.next() {
                self.next = entry.index + 1;
                return Ok(Some(entry));
            }
            let end = match &mut self.reading {
                Reading::Until(end) => *end,
                Reading::Growing(sizes) => {
                    let next = self.next;
                    *sizes
                        .wait_for(|size| *size > next)
                        .await
                        .map_err(|_| stopped())?
                }
            };
            if self.next >= end {
                return Ok(None);
            }
            let (reader, network, first) = (self.reader.clone(), self.network, self.next);
            let count =
                usize::try_from(end - first).map_or(PAGE_ENTRIES, |count| count.min(PAGE_ENTRIES));
            let page =
                tokio::task::spawn_blocking(move || read_page(&reader, &network, first, count))
                    .await
                    .map_err(internal)??;
            if page.is_empty() {
                return Ok(None);
            }
            self.page = page.into_iter();
        }
    }
}

fn read_page(
    reader: &LogReader,
    network: &Digest,
    first: u64,
    count: usize,
) -> Result<Vec<LogEntry>, BackendError> {
    let page = reader.range(first, count, PAGE_BYTES).map_err(ledger)?;
    let entries = page.entries.into_iter().zip(page.first_index..);
    Ok(entries
        .map(|(bytes, index)| log_entry(index, bytes, network))
        .collect())
}

/// An entry for a client. A followed log may hold one that no rule allows: its bytes are shown all the same.
fn log_entry(index: u64, bytes: Vec<u8>, network: &Digest) -> LogEntry {
    let digest = entry_digest(&bytes).to_string();
    match Entry::parse(&bytes, Some(network)) {
        Ok(entry) => LogEntry {
            index,
            time_ms: entry.time_ms,
            kind: entry.body.name().to_owned(),
            digest,
            json: entry_json(&entry).to_string(),
            bytes,
        },
        Err(error) => LogEntry {
            index,
            time_ms: 0,
            kind: "unreadable".to_owned(),
            digest,
            json: unreadable_json(index, &bytes, &error.to_string()).to_string(),
            bytes,
        },
    }
}
