//! Why work goes where it goes.

use std::num::NonZeroU32;

use tonic::{Request, Response, Status};

use super::{Services, Stream};
use crate::backend::{ImportQuery, SelectionQuery};
use crate::log_name::LogName;
use crate::request::{RequestError, in_range};
use crate::v1::policy_server::Policy;
use crate::v1::{
    ExplainRequest, Explanation, ImportRequest, ImportResponse, Measure, MeasuresRequest,
    PolicyState, PolicyStateRequest,
};

/// Largest weight of a source, in parts per million.
const WEIGHT_MAX: u64 = 1_000_000;
/// Claims that are taken in where the caller does not say how many.
const CLAIMS_DEFAULT: u32 = 128;
/// Most claims that are taken in by one call.
const CLAIMS_MAX: u64 = 1_024;

#[tonic::async_trait]
impl Policy for Services {
    type MeasuresStream = Stream<Measure>;

    async fn state(
        &self,
        request: Request<PolicyStateRequest>,
    ) -> Result<Response<PolicyState>, Status> {
        let log = LogName::parse(&request.into_inner().log_id)?;
        Ok(Response::new(
            self.answered(self.backend.policy_state(log)).await?,
        ))
    }

    async fn measures(
        &self,
        request: Request<MeasuresRequest>,
    ) -> Result<Response<Self::MeasuresStream>, Status> {
        let log = LogName::parse(&request.into_inner().log_id)?;
        Ok(self.listing(self.answered(self.backend.measures(log)).await?))
    }

    async fn explain(
        &self,
        request: Request<ExplainRequest>,
    ) -> Result<Response<Explanation>, Status> {
        let request = request.into_inner();
        let log = LogName::parse(&request.log_id)?;
        let query = SelectionQuery {
            entry: request.entry,
            slot: request.slot,
        };
        Ok(Response::new(
            self.answered(self.backend.explain(log, query)).await?,
        ))
    }

    async fn import(
        &self,
        request: Request<ImportRequest>,
    ) -> Result<Response<ImportResponse>, Status> {
        let request = request.into_inner();
        let log = LogName::parse(&request.log_id)?;
        if log == LogName::Own {
            return Err(RequestError::Missing { field: "log_id" }.into());
        }
        in_range("weight_ppm", request.weight_ppm.into(), 0..=WEIGHT_MAX)?;
        in_range("claims_max", request.claims_max.into(), 0..=CLAIMS_MAX)?;
        let claims_max = match request.claims_max {
            0 => CLAIMS_DEFAULT,
            count => count,
        };
        let query = ImportQuery {
            weight_ppm: NonZeroU32::new(request.weight_ppm),
            claims_max: claims_max as usize,
        };
        Ok(Response::new(
            self.answered(self.backend.import(log, query)).await?,
        ))
    }
}
