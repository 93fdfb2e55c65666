//! Why work goes where it goes.

use tonic::{Request, Response, Status};

use super::{Services, Stream};
use crate::backend::SelectionQuery;
use crate::log_name::LogName;
use crate::v1::policy_server::Policy;
use crate::v1::{
    ExplainRequest, Explanation, Measure, MeasuresRequest, PolicyState, PolicyStateRequest,
};

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
}
