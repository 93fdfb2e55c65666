//! Bodies of answers.

use std::sync::Arc;

use futures::stream;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Frame};
use symphony_ledger::{LedgerError, LogReader};
use symphony_transparency::tiles::{TilePath, encode_bundle};

use super::answer::read_blocking;

/// Bytes of entries that an answer holds in memory.
const PAGE_BYTES_MAX: usize = 128 * 1024;

/// The body of an answer. An error in it cuts the connection, so that nobody takes a part for the whole.
pub(super) type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body ends early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum BodyError {
    /// The log cannot be read.
    #[error("ledger: {0}")]
    Ledger(#[from] Arc<LedgerError>),
    /// An entry fits no bundle: the ledger never took such a one.
    #[error("bundle: {0}")]
    Bundle(#[from] symphony_transparency::tiles::BundleError),
    /// The log ended where it had more entries before.
    #[error("the log ended at entry {index}")]
    Ended {
        /// The first entry that is missing.
        index: u64,
    },
}

/// A body of bytes.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// An entry bundle, read page by page while it is sent. The log has all of its entries.
pub(super) fn bundle(reader: LogReader, path: &TilePath) -> Body {
    let start = path.start();
    let end = start.saturating_add(u64::from(path.width()));
    let pages = stream::unfold((reader, start), move |(reader, next)| async move {
        if next >= end {
            return None;
        }
        let (page, entries) = match page(reader.clone(), next, end).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, log = %reader.log().fmt_short(), "a bundle could not be read");
                return Some((Err(error), (reader, end)));
            }
        };
        let next = next.saturating_add(entries);
        Some((Ok(Frame::data(page)), (reader, next)))
    });
    StreamBody::new(pages).boxed_unsync()
}

/// The bytes of some entries from `first` on, at least one, and their number.
async fn page(reader: LogReader, first: u64, end: u64) -> Result<(Bytes, u64), BodyError> {
    read_blocking(move || {
        let count = usize::try_from(end - first).unwrap_or(usize::MAX);
        let page = reader
            .range(first, count, PAGE_BYTES_MAX)
            .map_err(Arc::new)?;
        if page.entries.is_empty() {
            return Err(BodyError::Ended { index: first });
        }
        let bytes = encode_bundle(page.entries.iter().map(Vec::as_slice))?;
        Ok((Bytes::from(bytes), page.entries.len() as u64))
    })
    .await
}
