//! Reading logs.

use std::num::NonZeroU64;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tonic::{Request, Response, Status};

use super::{Services, Stream};
use crate::backend::{ConsistencyQuery, EntryRange, Events, InclusionQuery};
use crate::limits::EXPORT_CHUNK_SIZE_MAX;
use crate::log_name::LogName;
use crate::request::RequestError;
use crate::v1::log_server::Log;
use crate::v1::{
    CheckpointRequest, ConsistencyProof, ExportChunk, ExportRequest, GetEntriesRequest,
    InclusionProof, LogEntry, LogStatus, LogStatusRequest, ProveConsistencyRequest,
    ProveInclusionRequest, SignedCheckpoint, TailRequest,
};

#[tonic::async_trait]
impl Log for Services {
    type GetStream = Stream<LogEntry>;
    type TailStream = Stream<LogEntry>;
    type ExportStream = Stream<ExportChunk>;

    async fn status(
        &self,
        request: Request<LogStatusRequest>,
    ) -> Result<Response<LogStatus>, Status> {
        let log = LogName::parse(&request.into_inner().log_id)?;
        Ok(Response::new(
            self.answered(self.backend.log_status(log)).await?,
        ))
    }

    async fn get(
        &self,
        request: Request<GetEntriesRequest>,
    ) -> Result<Response<Self::GetStream>, Status> {
        let request = request.into_inner();
        let log = LogName::parse(&request.log_id)?;
        let end = Some(request.end).filter(|end| *end != 0);
        if let Some(end) = end.filter(|end| *end <= request.start) {
            return Err(RequestError::Order {
                smaller_field: "start",
                smaller: request.start,
                larger_field: "end − 1",
                larger: end - 1,
            }
            .into());
        }
        Ok(self.streaming(
            self.answered(self.backend.entries(
                log,
                EntryRange {
                    start: request.start,
                    end,
                },
            ))
            .await?,
        ))
    }

    async fn tail(
        &self,
        request: Request<TailRequest>,
    ) -> Result<Response<Self::TailStream>, Status> {
        let request = request.into_inner();
        let log = LogName::parse(&request.log_id)?;
        Ok(self.streaming(self.answered(self.backend.tail(log, request.start)).await?))
    }

    async fn checkpoint(
        &self,
        request: Request<CheckpointRequest>,
    ) -> Result<Response<SignedCheckpoint>, Status> {
        let log = LogName::parse(&request.into_inner().log_id)?;
        Ok(Response::new(
            self.answered(self.backend.checkpoint(log)).await?,
        ))
    }

    async fn prove_inclusion(
        &self,
        request: Request<ProveInclusionRequest>,
    ) -> Result<Response<InclusionProof>, Status> {
        let request = request.into_inner();
        let log = LogName::parse(&request.log_id)?;
        let query = InclusionQuery {
            index: request.index,
            size: NonZeroU64::new(request.size),
        };
        if let Some(size) = query.size.filter(|size| size.get() <= query.index) {
            return Err(RequestError::Order {
                smaller_field: "index",
                smaller: query.index,
                larger_field: "size − 1",
                larger: size.get() - 1,
            }
            .into());
        }
        Ok(Response::new(
            self.answered(self.backend.prove_inclusion(log, query))
                .await?,
        ))
    }

    async fn prove_consistency(
        &self,
        request: Request<ProveConsistencyRequest>,
    ) -> Result<Response<ConsistencyProof>, Status> {
        let request = request.into_inner();
        let log = LogName::parse(&request.log_id)?;
        let old_size =
            NonZeroU64::new(request.old_size).ok_or(RequestError::Missing { field: "old_size" })?;
        let new_size = NonZeroU64::new(request.new_size);
        if let Some(new_size) = new_size.filter(|new_size| *new_size < old_size) {
            return Err(RequestError::Order {
                smaller_field: "old_size",
                smaller: old_size.get(),
                larger_field: "new_size",
                larger: new_size.get(),
            }
            .into());
        }
        Ok(Response::new(
            self.answered(
                self.backend
                    .prove_consistency(log, ConsistencyQuery { old_size, new_size }),
            )
            .await?,
        ))
    }

    async fn export(
        &self,
        request: Request<ExportRequest>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        let log = LogName::parse(&request.into_inner().log_id)?;
        Ok(self.streaming(numbered(self.answered(self.backend.export(log)).await?)))
    }
}

/// A file's pieces, cut to the size that a message may have and numbered by their place.
fn numbered(pieces: Events<Vec<u8>>) -> Events<ExportChunk> {
    let cut = pieces.map_ok(|piece| {
        let chunks: Vec<_> = piece
            .chunks(EXPORT_CHUNK_SIZE_MAX)
            .map(|chunk| Ok(chunk.to_vec()))
            .collect();
        stream::iter(chunks)
    });
    cut.try_flatten()
        .scan(0_u64, |offset, chunk| {
            let numbered = chunk.map(|bytes| {
                let chunk = ExportChunk {
                    offset: *offset,
                    bytes,
                };
                *offset = offset.saturating_add(chunk.bytes.len() as u64);
                chunk
            });
            futures::future::ready(Some(numbered))
        })
        .boxed()
}
