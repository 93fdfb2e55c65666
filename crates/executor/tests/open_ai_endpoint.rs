//! An OpenAI-compatible endpoint, played by a server of a few lines.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use symphony_executor::{
    DigestBasis, ExecuteError, Executor, ExecutorKind, Health, Logprobs, Message, OpenAiEndpoint,
    OpenAiEndpointConfig, Request, Role, Stage,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Longer than any step of these tests takes on a busy machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

const ANSWER: &str = r#"{"choices":[{"message":{"content":"Answer: True"},"finish_reason":"stop",
    "logprobs":{"content":[{"logprob":0.0}]}}],"usage":{"prompt_tokens":4,"completion_tokens":3}}"#;

/// What the server received.
struct Received {
    head: String,
    body: String,
}

async fn receive(stream: &mut BufReader<TcpStream>) -> Received {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(
            stream.read_line(&mut head).await.expect("readable") > 0,
            "a whole head"
        );
    }
    let size = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    let mut body = vec![0; size.unwrap_or(0)];
    stream.read_exact(&mut body).await.expect("a whole body");
    Received {
        head,
        body: String::from_utf8(body).expect("text"),
    }
}

async fn bind() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/v1", listener.local_addr().expect("bound"));
    (listener, url)
}

/// Answers one request with `status` and `body`.
async fn serve(status: &'static str, body: impl Into<String>) -> (String, JoinHandle<Received>) {
    let (listener, url) = bind().await;
    let body = body.into();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let mut stream = BufReader::new(stream);
        let received = receive(&mut stream).await;
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        // A client that has seen enough closes early.
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(body.as_bytes()).await;
        received
    });
    (url, server)
}

fn endpoint(url: &str) -> OpenAiEndpoint {
    OpenAiEndpoint::new(OpenAiEndpointConfig::new(url, "qwen3:0.6b")).expect("valid")
}

fn request(deadline: Duration) -> Request {
    let messages = vec![Message {
        role: Role::User,
        content: "not False is".to_owned(),
    }];
    Request {
        id: "1".to_owned(),
        stage: Stage::Execute,
        messages,
        max_tokens: 16,
        deadline,
    }
}

async fn failure(status: &'static str, body: impl Into<String>) -> ExecuteError {
    let (url, _server) = serve(status, body).await;
    endpoint(&url)
        .execute(request(PATIENCE))
        .await
        .expect_err("failed")
}

#[tokio::test]
async fn a_question_is_answered_and_sent_as_the_interface_wants_it() {
    let (url, server) = serve("200 OK", ANSWER).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key = folder.path().join("key");
    std::fs::write(&key, "secret\n").expect("written");
    let mut config = OpenAiEndpointConfig::new(url, "qwen3:0.6b");
    config.api_key_file = Some(key);
    config.logprobs = Logprobs::Request;
    let endpoint = OpenAiEndpoint::new(config).expect("valid");
    let outcome = endpoint.execute(request(PATIENCE)).await.expect("answered");
    assert_eq!(
        (outcome.text.as_str(), outcome.output_tokens),
        ("Answer: True", 3)
    );
    assert_eq!(
        (outcome.prompt_tokens, outcome.confidence_ppm),
        (Some(4), Some(1_000_000))
    );
    let received = server.await.expect("served");
    assert!(
        received
            .head
            .starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
        "{}",
        received.head
    );
    assert!(
        received.head.contains("authorization: Bearer secret\r\n"),
        "{}",
        received.head
    );
    let body: serde_json::Value = serde_json::from_str(&received.body).expect("JSON");
    let expected = serde_json::json!({
        "model": "qwen3:0.6b", "messages": [{"role": "user", "content": "not False is"}],
        "max_tokens": 16, "temperature": 0, "stream": false, "logprobs": true,
    });
    assert_eq!(body, expected);
    assert!(!format!("{endpoint:?}").contains("secret"));
}

#[tokio::test]
async fn the_model_is_a_claim() {
    let description = endpoint("http://localhost:11434/v1")
        .describe()
        .await
        .expect("described");
    assert_eq!(
        (description.kind, description.digest_basis),
        (ExecutorKind::OpenAi, DigestBasis::Claim)
    );
    let slash = endpoint("http://localhost:11434/v1/")
        .describe()
        .await
        .expect("described");
    assert_eq!(description.model_digest, slash.model_digest);
}

#[tokio::test]
async fn a_status_tells_whose_fault_it_is() {
    assert!(matches!(
        failure("400 Bad Request", "{}").await,
        ExecuteError::Refused { .. }
    ));
    assert!(matches!(
        failure("429 Too Many Requests", "{}").await,
        ExecuteError::Unavailable { .. }
    ));
    assert!(matches!(
        failure("500 Internal Server Error", "{}").await,
        ExecuteError::Failed { .. }
    ));
}

#[tokio::test]
async fn a_body_that_quotes_the_prompt_stays_out_of_the_error() {
    let error = failure("400 Bad Request", "cannot parse: not False is").await;
    assert!(!error.to_string().contains("not False"), "{error}");
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let error = failure("200 OK", " ".repeat((8 << 20) + 1)).await;
    assert!(matches!(error, ExecuteError::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let error = failure("302 Found\r\nlocation: http://127.0.0.1:9/", "").await;
    assert!(matches!(error, ExecuteError::Failed { .. }), "{error}");
}

#[tokio::test]
async fn a_silent_server_costs_no_more_than_the_deadline() {
    let (_listener, url) = bind().await;
    let deadline = Duration::from_millis(50);
    let error = endpoint(&url)
        .execute(request(deadline))
        .await
        .expect_err("silent");
    assert_eq!(error, ExecuteError::DeadlineExceeded { deadline });
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_unhealthy() {
    let (listener, url) = bind().await;
    drop(listener);
    let endpoint = endpoint(&url);
    let error = endpoint.execute(request(PATIENCE)).await.expect_err("gone");
    assert!(matches!(error, ExecuteError::Unavailable { .. }), "{error}");
    assert!(matches!(endpoint.health().await, Health::Failed { .. }));
}

#[tokio::test]
async fn a_server_that_lists_models_is_healthy() {
    let (url, server) = serve("200 OK", "{}").await;
    assert_eq!(endpoint(&url).health().await, Health::Ready);
    assert!(
        server
            .await
            .expect("served")
            .head
            .starts_with("GET /v1/models ")
    );
}

#[tokio::test]
async fn a_full_queue_refuses_and_shutting_down_ends_what_waits() {
    let (_listener, url) = bind().await;
    let mut config = OpenAiEndpointConfig::new(url, "m");
    config.queue_count_max = 1;
    let endpoint = OpenAiEndpoint::new(config).expect("valid");
    // One runs, one waits, the third finds no place.
    let mut answers: FuturesUnordered<_> = (0..3)
        .map(|_| endpoint.execute(request(PATIENCE)))
        .collect();
    assert_eq!(
        answers.next().await,
        Some(Err(ExecuteError::QueueFull {
            waiting_count_max: 1
        }))
    );
    endpoint.shut_down().await;
    for _ in 0..2 {
        assert!(matches!(
            answers.next().await,
            Some(Err(ExecuteError::Stopped { .. }))
        ));
    }
    assert_eq!(endpoint.health().await, Health::Stopped);
}

#[tokio::test]
async fn tls_needs_no_provider_from_the_caller() {
    let (listener, url) = bind().await;
    let endpoint = endpoint(&url.replace("http://", "https://"));
    // A server that hangs up is enough: a client without a provider would have panicked by now.
    let server = tokio::spawn(async move { listener.accept().await.map(drop) });
    let error = endpoint
        .execute(request(PATIENCE))
        .await
        .expect_err("no TLS there");
    assert!(matches!(error, ExecuteError::Unavailable { .. }), "{error}");
    server.await.expect("ran").expect("accepted");
}
