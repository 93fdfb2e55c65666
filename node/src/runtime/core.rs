//! The core: the one owner of the peer's state and of its log's end.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use symphony_coordination::{
    Completion, Effect, Event, Execution, ExecutionOutcome, Output, Peer, TaskEvent, TaskRequest,
};
use symphony_executor::{
    Description, ExecuteError, Executor, Message, Request as ExecuteRequest, Role,
};
use symphony_ledger::Ledger;
use symphony_network::{Refusal, RefusalCode, ReplyToken, Response, Topic};
use symphony_protocol::{
    records::{Capability, Device, Received, TaskKey},
    replay::Replay,
};
use symphony_transparency::{
    Checkpoint, Digest, PublicKey, SecretKey, StatementKind, UnverifiedStatement, VerifiedStatement,
};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    auditor::AuditorCommand,
    hooks::Outgoing,
    send::Sender,
    view::{REPORTS_MAX, Report},
};
use crate::{entropy, home::now_ms};

/// Commands that are applied before the ledger is asked to sync: what one group commit carries.
const BATCH_MAX: usize = 128;
/// Tasks whose reports are kept for a reader that comes later.
const TASKS_KEPT_MAX: usize = 1_024;
/// Wake up at least this often, to renew what expires.
const IDLE: Duration = Duration::from_secs(30);
/// Time that an execution has beyond the coordinator's, so that its own deadline decides.
const EXECUTE_GRACE: Duration = Duration::from_millis(250);

/// What the core is asked.
pub(crate) enum CoreCommand {
    /// An event without an awaited answer.
    Event(Event),
    /// A statement of a peer that awaits an answer.
    Statement {
        statement: VerifiedStatement,
        private: Vec<u8>,
        reply: ReplyToken,
    },
    /// A coordinator asks for a reveal and awaits an answer.
    Reveal {
        from: PublicKey,
        assignment: Digest,
        reply: ReplyToken,
    },
    /// A client's task.
    Submit {
        task: Box<TaskRequest>,
        reports: mpsc::Sender<Report>,
    },
    /// Reports of a task from its first on.
    Follow {
        task: u64,
        answer: oneshot::Sender<Option<mpsc::Receiver<Report>>>,
    },
    /// The own log's replay.
    Snapshot {
        answer: oneshot::Sender<Box<Replay>>,
    },
    /// Capabilities heard of.
    Capabilities {
        answer: oneshot::Sender<Vec<Received<Capability>>>,
    },
    /// The own capability, for a peer that has just come.
    Introduce { to: PublicKey },
    /// A signed checkpoint of everything durable.
    Checkpoint { answer: oneshot::Sender<String> },
}

/// What the core works with.
pub(super) struct Parts {
    pub(super) peer: Peer,
    pub(super) secret: SecretKey,
    pub(super) ledger: Ledger,
    pub(super) network: symphony_network::Handle,
    pub(super) sender: Sender,
    pub(super) executor: Option<(Arc<dyn Executor>, Description)>,
    pub(super) outgoing: Box<dyn Outgoing>,
    pub(super) auditor: mpsc::Sender<AuditorCommand>,
    pub(super) checkpoint: watch::Sender<Option<String>>,
    pub(super) checkpoint_interval: Duration,
    pub(super) instruction: Option<String>,
    pub(super) output_tokens_max: u32,
    pub(super) parallel_max: u32,
}

/// Why the core ended.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// The ledger stopped: nothing more can be made durable.
    #[error("ledger: {0}")]
    Ledger(#[from] symphony_ledger::LedgerError),
    /// An own entry broke the rules.
    #[error(transparent)]
    Propose(#[from] symphony_coordination::ProposeError),
    /// No entropy.
    #[error("no entropy: {0}")]
    Entropy(#[from] getrandom::Error),
}

pub(super) struct Core {
    parts: Parts,
    commands: mpsc::Receiver<CoreCommand>,
    own_commands: mpsc::WeakSender<CoreCommand>,
    places: Arc<Semaphore>,
    replies: BTreeMap<u64, ReplyToken>,
    next_token: u64,
    tasks: BTreeMap<u64, TaskReports>,
    /// Requests in the order in which they came, for forgetting.
    requests: VecDeque<u64>,
    next_request: u64,
    signed_size: u64,
}

/// Reports of one task, and who reads them.
#[derive(Default)]
struct TaskReports {
    opened_at: Option<u64>,
    reports: Vec<Report>,
    readers: Vec<mpsc::Sender<Report>>,
    ended: bool,
}

impl Core {
    pub(super) fn new(
        parts: Parts,
        commands: mpsc::Receiver<CoreCommand>,
        own_commands: mpsc::WeakSender<CoreCommand>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(parts.parallel_max.max(1) as usize));
        Self {
            parts,
            commands,
            own_commands,
            places,
            replies: BTreeMap::new(),
            next_token: 0,
            tasks: BTreeMap::new(),
            requests: VecDeque::new(),
            next_request: 0,
            signed_size: 0,
        }
    }

    /// Runs until `stop`, then signs a last checkpoint.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Result<(), CoreError> {
        let output = self.parts.peer.start(now_ms())?;
        self.release(output, Vec::new()).await?;
        self.sign_checkpoint().await?;
        let mut checkpoint_timer = tokio::time::interval(self.parts.checkpoint_interval);
        checkpoint_timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let idle = self.parts.peer.next_wake_ms().map_or(IDLE, |due_ms| {
                Duration::from_millis(due_ms.saturating_sub(now_ms())).min(IDLE)
            });
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                command = self.commands.recv() => match command {
                    Some(command) => self.take(command).await?,
                    None => break,
                },
                _ = checkpoint_timer.tick() => self.sign_checkpoint().await?,
                () = tokio::time::sleep(idle) => {
                    let output = self.parts.peer.handle(Event::Tick, now_ms())?;
                    self.release(output, Vec::new()).await?;
                }
            }
        }
        self.sign_checkpoint().await
    }

    /// Applies this command and those that wait behind it, makes the entries durable, then carries out the effects.
    async fn take(&mut self, first: CoreCommand) -> Result<(), CoreError> {
        let mut output = Output::default();
        let mut answers: Vec<CoreCommand> = Vec::new();
        let mut next = Some(first);
        for _ in 0..BATCH_MAX {
            let Some(command) = next.take() else { break };
            match self.event_of(command)? {
                Ok(event) => {
                    let more = self.parts.peer.handle(event, now_ms())?;
                    output.entries.extend(more.entries);
                    output.effects.extend(more.effects);
                }
                Err(question) => answers.push(question),
            }
            next = self.commands.try_recv().ok();
        }
        if let Some(left) = next {
            match self.event_of(left)? {
                Ok(event) => {
                    let more = self.parts.peer.handle(event, now_ms())?;
                    output.entries.extend(more.entries);
                    output.effects.extend(more.effects);
                }
                Err(question) => answers.push(question),
            }
        }
        self.release(output, answers).await
    }

    /// The event that a command stands for, or the command back when it is a question.
    fn event_of(&mut self, command: CoreCommand) -> Result<Result<Event, CoreCommand>, CoreError> {
        Ok(Ok(match command {
            CoreCommand::Event(event) => event,
            CoreCommand::Statement {
                statement,
                private,
                reply,
            } => {
                let token = self.keep_reply(reply);
                Event::Statement {
                    statement,
                    private,
                    token: Some(token),
                }
            }
            CoreCommand::Reveal {
                from,
                assignment,
                reply,
            } => {
                let token = self.keep_reply(reply);
                // Only the coordinator of an assignment may ask for its ballot.
                if self.parts.peer.coordinator_of(&assignment) != Some(from) {
                    let refusal =
                        Refusal::new(RefusalCode::NotAccepted, "no assignment of this peer");
                    self.reply(token, Response::Refused(refusal));
                    return Ok(Ok(Event::Tick));
                }
                Event::RevealAsked { assignment, token }
            }
            CoreCommand::Submit { task, reports } => {
                let request = self.next_request;
                self.next_request += 1;
                self.remember_task(request, reports);
                Event::Submit {
                    request,
                    task: *task,
                    key: TaskKey::from_bytes(entropy::fresh()?),
                }
            }
            question => return Ok(Err(question)),
        }))
    }

    fn keep_reply(&mut self, reply: ReplyToken) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        self.replies.insert(token, reply);
        token
    }

    fn remember_task(&mut self, request: u64, reader: mpsc::Sender<Report>) {
        while self.requests.len() >= TASKS_KEPT_MAX {
            let ended = self
                .requests
                .iter()
                .position(|known| self.tasks.get(known).is_none_or(|task| task.ended));
            let Some(oldest) = self.requests.remove(ended.unwrap_or(0)) else {
                break;
            };
            self.tasks.remove(&oldest);
        }
        self.requests.push_back(request);
        self.tasks.insert(
            request,
            TaskReports {
                readers: vec![reader],
                ..TaskReports::default()
            },
        );
    }

    /// Append → sync → signing record → release.
    async fn release(
        &mut self,
        output: Output,
        answers: Vec<CoreCommand>,
    ) -> Result<(), CoreError> {
        if !output.entries.is_empty() {
            let outgoing = &mut self.parts.outgoing;
            let entries = output
                .entries
                .into_iter()
                .map(|entry| outgoing.entry(entry, &self.parts.secret))
                .collect();
            self.parts
                .ledger
                .append_for_release(entries, Vec::new())
                .await?;
        }
        for effect in output.effects {
            self.carry_out(effect).await?;
        }
        for question in answers {
            self.answer(question).await?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, effect: Effect) -> Result<(), CoreError> {
        match effect {
            Effect::Publish { statement } => {
                let statement = self.parts.outgoing.statement(statement, &self.parts.secret);
                let topic = match UnverifiedStatement::parse(&statement)
                    .map(|statement| statement.kind())
                {
                    Ok(StatementKind::Beacon) => Topic::Beacon,
                    _ => Topic::Capability,
                };
                // Nobody listening yet is no failure: newcomers are introduced when they say hello.
                if let Err(error) = self.parts.network.publish(topic, statement).await {
                    tracing::debug!(%error, "not gossiped");
                }
            }
            Effect::Send {
                to,
                statement,
                private,
            } => {
                let statement = self.parts.outgoing.statement(statement, &self.parts.secret);
                self.parts.sender.statement(to, statement, private);
            }
            Effect::AskReveal { to, assignment } => self.parts.sender.ask_reveal(to, assignment),
            Effect::Acknowledge { token, statement } => {
                self.reply(token, Response::Acknowledged { statement })
            }
            Effect::Refuse { token, refusal } => {
                self.reply(
                    token,
                    Response::Refused(Refusal::new(RefusalCode::NotAccepted, refusal.0)),
                );
            }
            Effect::Execute {
                assignment,
                prompt,
                execute_ms,
            } => self.execute(assignment, prompt, execute_ms)?,
            Effect::Report {
                request,
                entry,
                time_ms,
                event,
            } => self.report(
                request,
                Report {
                    entry,
                    time_ms,
                    event,
                },
            ),
            Effect::Found(fault) => {
                if self
                    .parts
                    .auditor
                    .try_send(AuditorCommand::Found(fault))
                    .is_err()
                {
                    tracing::warn!(
                        "the auditor is busy; a finding will be seen again when the log is replayed"
                    );
                }
            }
        }
        Ok(())
    }

    fn reply(&mut self, token: u64, response: Response) {
        if let Some(reply) = self.replies.remove(&token) {
            let network = self.parts.network.clone();
            tokio::spawn(async move {
                if let Err(error) = network.reply(reply, response).await {
                    tracing::debug!(%error, "not replied");
                }
            });
        }
    }

    fn report(&mut self, request: u64, report: Report) {
        let Some(task) = self.tasks.get_mut(&request) else {
            return;
        };
        if matches!(report.event, TaskEvent::Opened) {
            task.opened_at = Some(report.entry);
        }
        task.ended |= matches!(
            report.event,
            TaskEvent::Decided { .. } | TaskEvent::Failed { .. }
        );
        // A reader that does not keep up is dropped; the task goes on.
        task.readers
            .retain(|reader| reader.try_send(report.clone()).is_ok());
        if task.reports.len() < REPORTS_MAX {
            task.reports.push(report);
        }
        if task.ended {
            task.readers.clear();
        }
    }

    fn execute(
        &self,
        assignment: Digest,
        prompt: String,
        execute_ms: u32,
    ) -> Result<(), CoreError> {
        let salt = entropy::fresh()?;
        let Some(commands) = self.own_commands.upgrade() else {
            return Ok(());
        };
        let Some((executor, description)) = self.parts.executor.clone() else {
            return Ok(());
        };
        let mut messages = Vec::new();
        if let Some(instruction) = &self.parts.instruction {
            messages.push(Message {
                role: Role::System,
                content: instruction.clone(),
            });
        }
        messages.push(Message {
            role: Role::User,
            content: prompt,
        });
        let request = ExecuteRequest {
            id: assignment.to_string(),
            messages,
            max_tokens: self.parts.output_tokens_max,
            deadline: Duration::from_millis(execute_ms.into()) + EXECUTE_GRACE,
        };
        let places = Arc::clone(&self.places);
        let output_tokens_max = self.parts.output_tokens_max;
        tokio::spawn(async move {
            let Ok(_place) = places.acquire_owned().await else {
                return;
            };
            let began = tokio::time::Instant::now();
            let result = executor.execute(request).await;
            let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let execution = execution(&description, output_tokens_max, duration_ms, result);
            // A full queue makes this task wait; the core never waits for it.
            let _ = commands
                .send(CoreCommand::Event(Event::Executed {
                    assignment,
                    execution,
                    salt,
                }))
                .await;
        });
        Ok(())
    }

    async fn answer(&mut self, question: CoreCommand) -> Result<(), CoreError> {
        match question {
            CoreCommand::Follow { task, answer } => {
                let _ = answer.send(self.follow(task));
            }
            CoreCommand::Snapshot { answer } => {
                let _ = answer.send(Box::new(self.parts.peer.replay().clone()));
            }
            CoreCommand::Capabilities { answer } => {
                let _ = answer.send(self.parts.peer.capabilities().cloned().collect());
            }
            CoreCommand::Introduce { to } => {
                if let Some(statement) = self.parts.peer.own_capability() {
                    let statement = self.parts.outgoing.statement(statement, &self.parts.secret);
                    self.parts.sender.statement(to, statement, Vec::new());
                }
            }
            CoreCommand::Checkpoint { answer } => {
                self.sign_checkpoint().await?;
                let note = self.parts.checkpoint.borrow().clone();
                if let Some(note) = note {
                    let _ = answer.send(note);
                }
            }
            CoreCommand::Event(_)
            | CoreCommand::Statement { .. }
            | CoreCommand::Reveal { .. }
            | CoreCommand::Submit { .. } => {}
        }
        Ok(())
    }

    fn follow(&mut self, index: u64) -> Option<mpsc::Receiver<Report>> {
        let task = self
            .tasks
            .values_mut()
            .find(|task| task.opened_at == Some(index))?;
        let (reader, receiver) = mpsc::channel(REPORTS_MAX + 1);
        for report in &task.reports {
            reader.try_send(report.clone()).ok()?;
        }
        if !task.ended {
            task.readers.push(reader);
        }
        Some(receiver)
    }

    /// Signs what is durable, if the log grew, and tells the others.
    async fn sign_checkpoint(&mut self) -> Result<(), CoreError> {
        let Some(own) = self.parts.ledger.own() else {
            return Ok(());
        };
        let head = own.head()?;
        let replayed = self.parts.peer.checkpoint();
        if head.size == self.signed_size || head.size != replayed.size {
            return Ok(());
        }
        // The tree is the ledger's, the state the peer's: both speak of exactly this size.
        let checkpoint = Checkpoint {
            root: head.root,
            ..replayed
        };
        self.parts.ledger.record_signing(head).await?;
        let signed = self.parts.peer.sign_checkpoint(&checkpoint);
        let note = signed.text();
        self.parts.ledger.put_checkpoint(signed).await?;
        self.signed_size = head.size;
        if let Err(error) = self
            .parts
            .network
            .publish(Topic::Checkpoint, note.clone().into_bytes())
            .await
        {
            tracing::debug!(%error, "checkpoint not gossiped");
        }
        self.parts.checkpoint.send_replace(Some(note));
        Ok(())
    }
}

fn execution(
    description: &Description,
    output_tokens_max: u32,
    duration_ms: u64,
    result: Result<symphony_executor::Outcome, ExecuteError>,
) -> Execution {
    let outcome = match result {
        Ok(outcome) => ExecutionOutcome::Completed(Completion {
            confidence_ppm: outcome.ballot_confidence_ppm(),
            prompt_tokens: outcome.prompt_tokens.unwrap_or(0),
            output_tokens: outcome.output_tokens,
            text: outcome.text,
        }),
        Err(ExecuteError::QueueFull { .. }) => ExecutionOutcome::Abstained,
        Err(error) => {
            tracing::info!(%error, "execution failed");
            ExecutionOutcome::Failed
        }
    };
    Execution {
        model: Digest::from_bytes(*description.model_digest.as_bytes()),
        device: device(&description.device),
        temperature_ppm: 0,
        output_tokens_max,
        duration_ms,
        outcome,
    }
}

fn device(name: &str) -> Device {
    match name {
        "cpu" => Device::Cpu,
        "cuda" => Device::Cuda,
        "metal" => Device::Metal,
        _ => Device::Remote,
    }
}
