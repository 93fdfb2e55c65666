//! The core: the one owner of the peer's state and of its log's end.

mod beacons;
mod command;
mod effects;
mod execute;
mod tasks;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use symphony_coordination::{Event, Output, Peer, TaskEvent};
use symphony_ledger::{Ledger, Release};
use symphony_network::{Refusal, RefusalCode, ReplyToken, Response};
use symphony_protocol::records::TaskKey;
use symphony_transparency::SecretKey;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

pub(crate) use self::command::{CoreCommand, Submission};
pub(super) use self::execute::Answerer;

use self::{
    beacons::OpenBeacons,
    tasks::{Submitted, Tasks},
};
use super::{
    auditor::AuditorCommand,
    hooks::{Boundaries, Boundary, Outgoing},
    send::Sender,
    view::Report,
};
use crate::{entropy, home::now_ms};

/// Commands that are applied before the ledger is asked to sync: what one group commit carries.
const BATCH_MAX: usize = 128;
/// Tasks that may wait until the first peers are there.
const HELD_MAX: usize = 1_024;
/// Wake up at least this often, to renew what expires.
const IDLE: Duration = Duration::from_secs(30);

/// What the core works with.
pub(super) struct Parts {
    pub(super) peer: Peer,
    pub(super) secret: SecretKey,
    pub(super) ledger: Ledger,
    pub(super) network: symphony_network::Handle,
    pub(super) sender: Sender,
    pub(super) answerer: Answerer,
    pub(super) outgoing: Box<dyn Outgoing>,
    pub(super) boundaries: Arc<dyn Boundaries>,
    pub(super) auditor: mpsc::Sender<AuditorCommand>,
    pub(super) checkpoint: watch::Sender<Option<String>>,
    pub(super) checkpoint_interval: Duration,
    /// Retirements of the logs in whose place this one stands: their own nodes run no more. Spec: STORE-25.
    pub(super) predecessors: Vec<Vec<u8>>,
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
    replies: BTreeMap<u64, ReplyToken>,
    next_token: u64,
    tasks: Tasks,
    /// Tasks that came before the first peers; nothing once those are there.
    held: Option<Vec<(Box<Submission>, mpsc::Sender<Report>)>>,
    beacons: OpenBeacons,
    signed_size: u64,
}

/// What came of some commands: entries and effects, and questions to be answered after them.
#[derive(Default)]
struct Batch {
    output: Output,
    questions: Vec<CoreCommand>,
}

impl Core {
    pub(super) fn new(
        parts: Parts,
        commands: mpsc::Receiver<CoreCommand>,
        own_commands: mpsc::WeakSender<CoreCommand>,
    ) -> Self {
        Self {
            parts,
            commands,
            own_commands,
            replies: BTreeMap::new(),
            next_token: 0,
            tasks: Tasks::default(),
            held: Some(Vec::new()),
            beacons: OpenBeacons::default(),
            signed_size: 0,
        }
    }

    /// Runs until `stop`, then signs a last checkpoint.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Result<(), CoreError> {
        let output = self.parts.peer.start(now_ms())?;
        self.release(output).await?;
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
                    self.release(output).await?;
                }
            }
        }
        self.sign_checkpoint().await
    }

    /// Applies this command and those that wait behind it, makes the entries durable, then carries out the effects.
    async fn take(&mut self, first: CoreCommand) -> Result<(), CoreError> {
        let mut batch = Batch::default();
        self.apply(first, &mut batch)?;
        for _ in 1..BATCH_MAX {
            let Ok(command) = self.commands.try_recv() else {
                break;
            };
            self.apply(command, &mut batch)?;
        }
        self.release(batch.output).await?;
        for question in batch.questions {
            self.answer(question).await?;
        }
        Ok(())
    }

    fn apply(&mut self, command: CoreCommand, batch: &mut Batch) -> Result<(), CoreError> {
        let event = match command {
            CoreCommand::Event(event) => event,
            CoreCommand::Statement {
                statement,
                private,
                reply,
            } => Event::Statement {
                statement,
                private,
                token: Some(self.keep_reply(reply)),
            },
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
                    return Ok(());
                }
                Event::RevealAsked { assignment, token }
            }
            CoreCommand::Submit {
                submission,
                reports,
            } => {
                match &mut self.held {
                    Some(held) if held.len() < HELD_MAX => held.push((submission, reports)),
                    Some(_) => refuse_task(&reports, "too many tasks wait for the first peers"),
                    None => self.submit(*submission, reports, batch)?,
                }
                return Ok(());
            }
            CoreCommand::Gathered => {
                for (submission, reports) in self.held.take().into_iter().flatten() {
                    self.submit(*submission, reports, batch)?;
                }
                return Ok(());
            }
            CoreCommand::Cancel { task, answer } => {
                let request = self.tasks.open_request(task);
                // A client that is gone has given up all the same.
                let _ = answer.send(request.is_some());
                match request {
                    Some(request) => Event::Cancel { request },
                    None => return Ok(()),
                }
            }
            CoreCommand::Import { imports, answer } => {
                let (output, taken) = self.parts.peer.import(imports, now_ms())?;
                batch.output.entries.extend(output.entries);
                batch.output.effects.extend(output.effects);
                let imported = CoreCommand::Imported { taken, answer };
                batch.questions.push(imported);
                return Ok(());
            }
            question => {
                batch.questions.push(question);
                return Ok(());
            }
        };
        self.handle(event, batch)
    }

    fn handle(&mut self, event: Event, batch: &mut Batch) -> Result<(), CoreError> {
        let more = self.parts.peer.handle(event, now_ms())?;
        batch.output.entries.extend(more.entries);
        batch.output.effects.extend(more.effects);
        Ok(())
    }

    fn submit(
        &mut self,
        submission: Submission,
        reports: mpsc::Sender<Report>,
        batch: &mut Batch,
    ) -> Result<(), CoreError> {
        let request = match self.tasks.submit(&submission, reports) {
            Submitted::New(request) => request,
            Submitted::Known => return Ok(()),
            Submitted::Refused(reports) => {
                refuse_task(&reports, "the submission id is that of other work");
                return Ok(());
            }
        };
        let event = Event::Submit {
            request,
            task: submission.task,
            key: TaskKey::from_bytes(entropy::fresh()?),
            planning_key: TaskKey::from_bytes(entropy::fresh()?),
        };
        self.handle(event, batch)
    }

    fn keep_reply(&mut self, reply: ReplyToken) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        self.replies.insert(token, reply);
        token
    }

    /// Append → sync → signing record → release.
    async fn release(&mut self, output: Output) -> Result<(), CoreError> {
        if !output.entries.is_empty() {
            let outgoing = &mut self.parts.outgoing;
            let entries = output
                .entries
                .into_iter()
                .map(|entry| outgoing.entry(entry, &self.parts.secret))
                .collect();
            self.parts.boundaries.pass(Boundary::Append);
            let appended = self
                .parts
                .ledger
                .submit(entries, Vec::new(), Release::Now)
                .await?;
            self.parts.boundaries.pass(Boundary::Appended);
            appended.await?;
            self.parts.boundaries.pass(Boundary::Synced);
        }
        for effect in output.effects {
            self.carry_out(effect).await?;
        }
        Ok(())
    }

    async fn answer(&mut self, question: CoreCommand) -> Result<(), CoreError> {
        match question {
            CoreCommand::Follow { task, answer } => {
                let _ = answer.send(self.tasks.follow(task));
            }
            CoreCommand::Snapshot { answer } => {
                let _ = answer.send(Box::new(self.parts.peer.replay().clone()));
            }
            CoreCommand::Capabilities { answer } => {
                let _ = answer.send(self.parts.peer.capabilities().cloned().collect());
            }
            CoreCommand::Imported { taken, answer } => {
                let _ = answer.send(taken);
            }
            CoreCommand::Introduce { to } => self.introduce(to),
            CoreCommand::Heard => self.announce_unheard().await,
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
            | CoreCommand::Submit { .. }
            | CoreCommand::Cancel { .. }
            | CoreCommand::Import { .. }
            | CoreCommand::Gathered => {}
        }
        Ok(())
    }
}

fn refuse_task(reports: &mpsc::Sender<Report>, reason: &str) {
    // A client that is gone needs no answer.
    let _ = reports.try_send(Report {
        entry: 0,
        time_ms: now_ms(),
        event: TaskEvent::Failed {
            reason: reason.to_owned(),
        },
    });
}
