//! Requests to a running external command.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot, watch};

use crate::command::wire::{CommandAnswer, CommandRequest, LINE_SIZE_MAX};
use crate::error::ExecuteError;
use crate::limits::PARALLEL_COUNT_MAX;
use crate::lines::{Line, next_line};
use crate::outcome::Outcome;
use crate::request::Request;
use crate::supervisor::Session;

/// Requests that wait for their answer, by id. Bounded by the supervisor's `parallel_count`.
type Waiting = Arc<Mutex<BTreeMap<String, oneshot::Sender<CommandAnswer>>>>;

/// The pipes to a running external command.
#[derive(Clone)]
pub(super) struct CommandSession {
    lines: mpsc::Sender<Vec<u8>>,
    waiting: Waiting,
    next_id: Arc<AtomicU64>,
    broken: watch::Receiver<Option<String>>,
}

impl CommandSession {
    /// Starts one task for each pipe; they end with the pipes. Must be called within a tokio runtime.
    pub(super) fn open(stdin: ChildStdin, stdout: ChildStdout) -> Self {
        let (lines, to_write) = mpsc::channel(PARALLEL_COUNT_MAX as usize);
        let (broken_sender, broken) = watch::channel(None);
        let waiting = Waiting::default();
        tokio::spawn(write(stdin, to_write));
        tokio::spawn(read(stdout, Arc::clone(&waiting), broken_sender));
        Self {
            lines,
            waiting,
            next_id: Arc::default(),
            broken,
        }
    }
}

impl Session for CommandSession {
    fn call(
        &self,
        request: Request,
        remaining: Duration,
    ) -> impl Future<Output = Result<Outcome, ExecuteError>> + Send + 'static {
        let session = self.clone();
        async move {
            let id = session.next_id.fetch_add(1, Ordering::Relaxed).to_string();
            let (sender, answer) = oneshot::channel();
            lock(&session.waiting).insert(id.clone(), sender);
            let _forget = Forget {
                waiting: Arc::clone(&session.waiting),
                id: id.clone(),
            };
            let begun = Instant::now();
            session
                .lines
                .send(line(id, &request, remaining)?)
                .await
                .map_err(|_| ExecuteError::Crashed)?;
            let answer = answer.await.map_err(|_| ExecuteError::Crashed)?;
            answer.outcome(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX))
        }
    }

    async fn broken(&self) -> String {
        let mut broken = self.broken.clone();
        match broken.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => "the program closed its standard output".to_owned(),
        }
    }
}

/// Forgets a request when its call ends, however it ends.
struct Forget {
    waiting: Waiting,
    id: String,
}

impl Drop for Forget {
    fn drop(&mut self) {
        lock(&self.waiting).remove(&self.id);
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, BTreeMap<String, oneshot::Sender<CommandAnswer>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn line(id: String, request: &Request, remaining: Duration) -> Result<Vec<u8>, ExecuteError> {
    let deadline_ms = u64::try_from(remaining.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let request = CommandRequest {
        id,
        stage: request.stage,
        messages: &request.messages,
        max_tokens: request.max_tokens,
        deadline_ms,
    };
    let mut line = serde_json::to_vec(&request).map_err(|error| ExecuteError::Refused {
        reason: error.to_string(),
    })?;
    line.push(b'\n');
    Ok(line)
}

/// A task of its own: a program that writes before it reads would otherwise block both sides.
async fn write(mut stdin: ChildStdin, mut lines: mpsc::Receiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if stdin.write_all(&line).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

async fn read(stdout: ChildStdout, waiting: Waiting, broken: watch::Sender<Option<String>>) {
    let mut reader = BufReader::new(stdout);
    let reason = loop {
        let line = match next_line(&mut reader, LINE_SIZE_MAX).await {
            Ok(Line::Whole(line)) => line,
            Ok(Line::TooLong) => break format!("a line of more than {LINE_SIZE_MAX} bytes"),
            Ok(Line::End) => break "the program closed its standard output".to_owned(),
            Err(error) => break format!("its standard output cannot be read: {error}"),
        };
        let Ok(answer) = serde_json::from_slice::<CommandAnswer>(&line) else {
            break "a line that is no answer".to_owned();
        };
        let sender = lock(&waiting).remove(&answer.id);
        match sender {
            // The caller may have gone away in this moment.
            Some(sender) => drop(sender.send(answer)),
            None => tracing::debug!("an external command answered a request that was given up"),
        }
    };
    broken.send_replace(Some(reason));
}
