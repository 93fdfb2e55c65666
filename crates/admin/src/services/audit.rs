//! Judging a log by replay.

use tonic::{Request, Response, Status};

use super::{Services, Stream};
use crate::log_name::LogName;
use crate::v1::audit_server::Audit;
use crate::v1::{AuditEvent, AuditRequest};

#[tonic::async_trait]
impl Audit for Services {
    type RunStream = Stream<AuditEvent>;

    async fn run(
        &self,
        request: Request<AuditRequest>,
    ) -> Result<Response<Self::RunStream>, Status> {
        let log = LogName::parse(&request.into_inner().log_id)?;
        Ok(self.streaming(self.answered(self.backend.audit(log)).await?))
    }
}
