//! An engine for the tests of the supervision: it speaks the engine's whole interface and misbehaves on demand.
//!
//! The last part of `--model` says how it starts: `unusable` (status 2), `fails-once` (status 1 the first time),
//! `silent` (never announces its socket), `stubborn` (outlives its standard input), anything else well. The last message of a request
//! says how it answers: `crash`, `hang`, `slow` (until its deadline), `malformed`, anything else well. A socket
//! called `lifeline` beside the model is connected to and held open to the end, so that a test sees the end.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tonic::{Request, Response, Status};

#[allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    reason = "generated code"
)]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/server/symphony.engine.v1.rs"));
}

use proto::engine_server::{Engine, EngineServer};

/// What an engine of `symphony.engine.v1` would say, with `generation` in the place of an answer.
struct Misbehaving {
    generation: String,
}

#[tonic::async_trait]
impl Engine for Misbehaving {
    async fn describe(
        &self,
        _: Request<proto::DescribeRequest>,
    ) -> Result<Response<proto::DescribeResponse>, Status> {
        Ok(Response::new(proto::DescribeResponse {
            model_name: "misbehaving".to_owned(),
            model_digest: vec![7; 32],
            device: proto::Device::Cpu.into(),
            context_length_tokens: 512,
            dtype: proto::Dtype::F32.into(),
            threads: 1,
            limits: Some(proto::Limits {
                max_tokens_max: 256,
                queue_count_max: 1,
                ..Default::default()
            }),
            engine_version: "0".to_owned(),
        }))
    }

    async fn generate(
        &self,
        request: Request<proto::GenerateRequest>,
    ) -> Result<Response<proto::GenerateResponse>, Status> {
        let request = request.into_inner();
        let mut confidence_ppm = 900_000;
        match last_message(&request) {
            "crash" => std::process::abort(),
            "hang" => std::future::pending().await,
            "slow" => {
                tokio::time::sleep(Duration::from_millis(request.deadline_ms)).await;
                return Err(Status::deadline_exceeded("slow"));
            }
            "malformed" => confidence_ppm = 2_000_000,
            _ => {}
        }
        Ok(Response::new(proto::GenerateResponse {
            request_id: request.request_id,
            text: format!("generation {}", self.generation),
            prompt_tokens: 3,
            output_tokens: 2,
            confidence_ppm,
            duration_ms: 1,
            finish_reason: proto::FinishReason::Stop.into(),
            ..Default::default()
        }))
    }
}

fn last_message(request: &proto::GenerateRequest) -> &str {
    match &request.input {
        Some(proto::generate_request::Input::Conversation(conversation)) => conversation
            .messages
            .last()
            .map_or("", |message| message.content.as_str()),
        _ => "",
    }
}

fn argument(name: &str) -> PathBuf {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments
        .nth(1)
        .map(PathBuf::from)
        .expect("the supervisor gives each argument")
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let model = argument("--model");
    let socket = argument("--socket");
    let mode = stem(&model);
    let folder = model.parent().map(Path::to_path_buf).unwrap_or_default();
    let lifeline = UnixStream::connect(folder.join("lifeline")).await;
    match mode.as_str() {
        "unusable" => {
            eprintln!("no model at this place");
            return ExitCode::from(2);
        }
        "fails-once" if std::fs::File::create_new(folder.join("failed")).is_ok() => {
            return ExitCode::FAILURE;
        }
        "silent" => std::future::pending().await,
        _ => {}
    }
    let listener = UnixListener::bind(&socket).expect("the supervisor gives a free path");
    println!("ready {}", socket.display());
    let incoming = futures::stream::unfold(listener, |listener| async move {
        let accepted = listener.accept().await.map(|(stream, _)| stream);
        Some((accepted, listener))
    });
    let server = tonic::transport::Server::builder()
        .add_service(EngineServer::new(Misbehaving {
            generation: stem(&socket),
        }))
        .serve_with_incoming(incoming);
    let input_closed = async {
        let read = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = tokio::task::spawn_blocking(read).await;
        if mode == "stubborn" {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = server => served.expect("the server runs until its standard input closes"),
        () = input_closed => {}
    }
    drop(lifeline);
    ExitCode::SUCCESS
}
