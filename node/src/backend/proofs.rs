//! Proofs of inclusion and consistency.

use std::num::NonZeroU64;

use symphony_admin::{BackendError, ConsistencyQuery, InclusionQuery, LogName, v1};
use symphony_transparency::leaf_hash;

use super::{
    NodeBackend,
    failure::{ledger, not_found, stopped},
    logs::{LogSource, Note, hex},
};

impl NodeBackend {
    pub(super) async fn inclusion_of(
        &self,
        log: LogName,
        query: InclusionQuery,
    ) -> Result<v1::InclusionProof, BackendError> {
        let source = self.source(log)?;
        let least = query.index.saturating_add(1);
        let size = self.proof_size(&source, query.size, least).await?;
        let entry = source
            .reader
            .entry(query.index)
            .map_err(ledger)?
            .ok_or_else(|| not_found(format!("the log has no entry {} here", query.index)))?;
        let hashes = source
            .reader
            .inclusion_proof(query.index, size)
            .map_err(ledger)?;
        Ok(v1::InclusionProof {
            index: query.index,
            size,
            leaf: hex(&leaf_hash(&entry)),
            root: hex(&source.reader.root_at(size).map_err(ledger)?),
            hashes: hashes.iter().map(|hash| hash.to_vec()).collect(),
        })
    }

    pub(super) async fn consistency_of(
        &self,
        log: LogName,
        query: ConsistencyQuery,
    ) -> Result<v1::ConsistencyProof, BackendError> {
        let source = self.source(log)?;
        let old_size = query.old_size.get();
        let new_size = self.proof_size(&source, query.new_size, old_size).await?;
        let root = |size| source.reader.root_at(size).map_err(ledger);
        let hashes = source
            .reader
            .consistency_proof(old_size, new_size)
            .map_err(ledger)?;
        Ok(v1::ConsistencyProof {
            old_size,
            old_root: hex(&root(old_size)?),
            new_size,
            new_root: hex(&root(new_size)?),
            hashes: hashes.iter().map(|hash| hash.to_vec()).collect(),
        })
    }

    /// The size that a request names, or that of the newest checkpoint. The own log gets a new checkpoint if the newest
    /// one has fewer than `least` entries.
    async fn proof_size(
        &self,
        source: &LogSource,
        asked: Option<NonZeroU64>,
        least: u64,
    ) -> Result<u64, BackendError> {
        if let Some(size) = asked {
            let stored = source.size()?;
            if size.get() > stored {
                return Err(not_found(format!("the log has {stored} entries here")));
            }
            return Ok(size.get());
        }
        let mut note = self.newest_note(source, source.size()?)?;
        if source.own
            && note
                .as_ref()
                .is_none_or(|note| note.checkpoint.size < least)
        {
            let text = self.node.checkpoint_now().await.map_err(|_| stopped())?;
            note = Some(Note::parse(text)?);
        }
        match note {
            Some(note) if note.checkpoint.size >= least => Ok(note.checkpoint.size),
            Some(note) => Err(not_found(format!(
                "the newest checkpoint has {} entries; name a size",
                note.checkpoint.size
            ))),
            None => Err(not_found("no checkpoint of this log is known; name a size")),
        }
    }
}
