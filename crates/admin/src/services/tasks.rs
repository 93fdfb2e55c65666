//! Asking questions.

use tonic::{Request, Response, Status};

use super::{Services, Stream};
use crate::task::Task;
use crate::v1::tasks_server::Tasks;
use crate::v1::{
    CancelTaskRequest, CancelTaskResponse, FollowTaskRequest, SubmitRequest, TaskEvent,
};

#[tonic::async_trait]
impl Tasks for Services {
    type SubmitStream = Stream<TaskEvent>;
    type FollowStream = Stream<TaskEvent>;

    async fn submit(
        &self,
        request: Request<SubmitRequest>,
    ) -> Result<Response<Self::SubmitStream>, Status> {
        let task = Task::try_from(request.into_inner())?;
        Ok(self.streaming(self.answered(self.backend.submit(task)).await?))
    }

    async fn follow(
        &self,
        request: Request<FollowTaskRequest>,
    ) -> Result<Response<Self::FollowStream>, Status> {
        Ok(self.streaming(
            self.answered(self.backend.follow(request.into_inner().task))
                .await?,
        ))
    }

    async fn cancel(
        &self,
        request: Request<CancelTaskRequest>,
    ) -> Result<Response<CancelTaskResponse>, Status> {
        self.answered(self.backend.cancel(request.into_inner().task))
            .await?;
        Ok(Response::new(CancelTaskResponse {}))
    }
}
