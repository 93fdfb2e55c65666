//! The node itself.

use tonic::{Request, Response, Status};

use super::Services;
use crate::v1::node_server::Node;
use crate::v1::{NodeInfo, NodeInfoRequest, ShutdownRequest, ShutdownResponse};

#[tonic::async_trait]
impl Node for Services {
    async fn info(&self, _: Request<NodeInfoRequest>) -> Result<Response<NodeInfo>, Status> {
        Ok(Response::new(
            self.answered(self.backend.node_info()).await?,
        ))
    }

    async fn shutdown(
        &self,
        _: Request<ShutdownRequest>,
    ) -> Result<Response<ShutdownResponse>, Status> {
        tracing::info!("shutdown asked for over the admin API");
        self.answered(self.backend.shutdown()).await?;
        Ok(Response::new(ShutdownResponse {}))
    }
}
