//! The auditor: follows the logs of the peers that this node meets, replays them as they grow, and keeps a verdict for each.
//!
//! A verdict rests on bytes alone: entries that replay finds at fault, or checkpoints that do not fit them. Silence never
//! exposes anybody. Spec: REPLAY-6 to REPLAY-9.

mod anew;
mod comparing;
mod convicting;
mod first_words;
mod followed;
mod following;
mod judging;
mod late;
mod letting_go;
mod proving;
mod retiring;
mod scanning;
mod suspicion;
#[cfg(test)]
mod tests;
mod witnessing;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use symphony_ledger::Ledger;
use symphony_network::{
    Acceptance, AnsweredEntry, PeerId, ReplyToken, Response,
    follow::{Follow, FollowLimits, Step},
};
use symphony_protocol::{
    Fault, Rule,
    evidence::Conviction,
    records::{Challenge, Received, Retirement},
    replay::Replay,
};
use symphony_transparency::{
    Checkpoint, Cosigner, Digest, NodeHash, PublicKey, SecretKey, SignedCheckpoint,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

pub(super) use self::suspicion::in_turn;
use self::{
    followed::Followed,
    late::{Late, WrongRoot},
    letting_go::Partners,
    proving::{Lane, Proving},
    retiring::ended,
    scanning::Scanning,
    words::{Waiting, Words},
};
use super::{
    core::CoreCommand,
    directory::Directory,
    evidence::EvidenceStore,
    view::{PeerView, Verdict},
    witness::Witness,
};

/// Time for one question.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Exposed peers remembered at most: authors of followed logs, whoever these logs convict, and the few strangers of whom files
/// are kept.
const EXPOSED_MAX: usize = 16_384;
/// Wake up at least this often.
const IDLE: Duration = Duration::from_millis(500);

/// What the auditor is told.
pub(crate) enum AuditorCommand {
    /// A peer said hello; its entry 0 was verified.
    Hello {
        peer: PeerId,
        replay: Box<Replay>,
        genesis: Vec<u8>,
    },
    /// A peer is no longer connected.
    Gone { peer: PeerId, log: Digest },
    /// A checkpoint with a verified signature.
    Checkpoint { signed: Box<SignedCheckpoint> },
    /// A log shows another peer's fault.
    Found {
        fault: Fault,
        /// That log.
        found_in: Digest,
    },
    /// The author of a stored log has ended it.
    Retired(Box<Received<Retirement>>),
    /// An answer to a question.
    Answered {
        step: Step,
        response: Option<Response>,
        /// If the answer is of another than the author: that its last entry stands in the author's signed tree.
        proof: Option<Box<(Checkpoint, Vec<NodeHash>)>>,
    },
    /// Somebody gives the entries that a challenge of this node demands; nothing of it was checked.
    ChallengeAnswered {
        challenge: Box<Challenge>,
        peer: PeerId,
        entries: Vec<AnsweredEntry>,
    },
    /// An evidence file that proves a fault; the answer says whether it is passed on.
    Evidence {
        file: Vec<u8>,
        conviction: Box<Conviction>,
        answer: Option<oneshot::Sender<Acceptance>>,
    },
    /// An evidence file was made here, or could not be made.
    Made { lane: Lane, file: Option<Vec<u8>> },
    /// A peer hands over its cosignature on a checkpoint of the own log.
    Cosigned {
        note: String,
        cosigner: Cosigner,
        reply: ReplyToken,
    },
    /// Late checkpoints of a log were compared with its copy.
    LateCompared {
        log: Digest,
        /// The first one whose state root is wrong.
        wrong: Option<Box<WrongRoot>>,
        took: Duration,
    },
    /// A checkpoint of a followed log has another state root than its copy leads to, somebody here found.
    Doubted { signed: Box<SignedCheckpoint> },
    /// Words that a scan of what is stored found.
    HeardWords(Vec<Waiting>),
    /// A scan of what is stored is over.
    Scanned,
    /// A followed log's replay.
    Snapshot {
        log: Digest,
        answer: oneshot::Sender<Option<Box<Replay>>>,
    },
}

/// A peer's fault, and where it stands.
#[derive(Clone, Debug)]
struct Exposure {
    fault: Fault,
    /// The log whose entries show it: the peer's own, or that of another, which holds the peer's statements; nothing if its
    /// statements alone do.
    found_in: Option<Digest>,
    /// Whether an evidence file proves it.
    proven: bool,
    /// Rules of which a file was to be made here of what others' logs show: each once.
    tried: BTreeSet<Rule>,
}

/// What the auditor works with.
pub(super) struct AuditorParts {
    pub(super) own_key: PublicKey,
    /// Log key, which signs challenges.
    pub(super) secret: SecretKey,
    pub(super) network_id: Digest,
    pub(super) core: mpsc::Sender<CoreCommand>,
    pub(super) network: symphony_network::Handle,
    pub(super) directory: Directory,
    pub(super) ledger: Ledger,
    pub(super) witness: Witness,
    pub(super) evidence: EvidenceStore,
    pub(super) follow_limits: FollowLimits,
    pub(super) suspect_after: Duration,
    pub(super) cosign_interval: Duration,
    pub(super) view: watch::Sender<Arc<Vec<PeerView>>>,
}

pub(super) struct Auditor {
    parts: AuditorParts,
    commands: mpsc::Receiver<AuditorCommand>,
    own_commands: mpsc::WeakSender<AuditorCommand>,
    follow: Follow,
    logs: BTreeMap<Digest, Followed>,
    /// Peers that broke a rule, also those whose own log is not followed.
    exposed: BTreeMap<PublicKey, Exposure>,
    /// Logs that have ended, by id.
    retired: BTreeMap<Digest, Retirement>,
    words: Words,
    scanning: Scanning,
    proving: Proving,
    late: Late,
    partners: Partners,
    /// Logs that were let go, the latest last: what their authors signed last is kept.
    let_go: VecDeque<Digest>,
    began: Instant,
    changed: bool,
}

impl Auditor {
    pub(super) fn new(
        (commands, own_commands): (
            mpsc::Receiver<AuditorCommand>,
            mpsc::WeakSender<AuditorCommand>,
        ),
        parts: AuditorParts,
    ) -> Self {
        let follow = Follow::new(parts.follow_limits.clone());
        Self {
            parts,
            commands,
            own_commands,
            follow,
            logs: BTreeMap::new(),
            exposed: BTreeMap::new(),
            retired: BTreeMap::new(),
            words: Words::default(),
            scanning: Scanning::default(),
            proving: Proving::default(),
            late: Late::default(),
            partners: Partners::default(),
            let_go: VecDeque::new(),
            began: Instant::now(),
            changed: false,
        }
    }

    /// Runs until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        self.recall().await;
        loop {
            self.watch_suspects();
            self.hear_own_log().await;
            self.cosign_due().await;
            self.compare_late();
            self.ask_next();
            self.show();
            let wake = self.follow.next_due().map_or(IDLE, |due| {
                due.saturating_sub(self.began.elapsed()).min(IDLE)
            });
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                command = self.commands.recv() => match command {
                    Some(command) => self.take(command).await,
                    None => break,
                },
                () = tokio::time::sleep(wake) => {}
            }
        }
    }

    /// Goes on with what earlier runs knew.
    async fn recall(&mut self) {
        self.recall_evidence().await;
        self.recall_retirements().await;
        self.recall_logs().await;
        self.recall_let_go();
        self.recall_first_words();
        let followed: Vec<Digest> = self.logs.keys().copied().collect();
        self.scan_for(&followed);
    }

    async fn take(&mut self, command: AuditorCommand) {
        match command {
            AuditorCommand::Hello {
                peer,
                replay,
                genesis,
            } => self.hello(peer, *replay, genesis).await,
            AuditorCommand::Gone { peer, log } => {
                self.follow.remove_source(&peer);
                if let Some(followed) = self.logs.get_mut(&log) {
                    followed.connected = false;
                    followed.used_at = self.began.elapsed();
                    self.changed = true;
                }
            }
            AuditorCommand::Checkpoint { signed } => self.checkpoint(*signed).await,
            AuditorCommand::Found { fault, found_in } => self.convict_found(fault, found_in).await,
            AuditorCommand::Answered {
                step,
                response,
                proof,
            } => self.answered(step, response, proof).await,
            AuditorCommand::ChallengeAnswered {
                challenge,
                peer,
                entries,
            } => self.challenge_answered(*challenge, peer, entries).await,
            AuditorCommand::Evidence {
                file,
                conviction,
                answer,
            } => self.evidence(file, *conviction, answer).await,
            AuditorCommand::Made { lane, file } => self.proved(lane, file).await,
            AuditorCommand::LateCompared { log, wrong, took } => {
                self.late_compared(log, wrong.map(|wrong| *wrong), took)
                    .await;
            }
            AuditorCommand::Doubted { signed } => self.doubt(*signed),
            AuditorCommand::Cosigned {
                note,
                cosigner,
                reply,
            } => self.cosigned(&note, &cosigner, reply).await,
            AuditorCommand::Retired(retirement) => self.retire(&retirement).await,
            AuditorCommand::HeardWords(found) => self.heard_words(found).await,
            AuditorCommand::Scanned => self.scanned(),
            AuditorCommand::Snapshot { log, answer } => {
                let _ = answer.send(
                    self.logs
                        .get(&log)
                        .map(|followed| Box::new(followed.replay.clone())),
                );
            }
        }
    }

    fn show(&mut self) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let followed = self.logs.iter().map(|(log, followed)| {
            let key = followed.replay.author();
            let exposure = self.exposed.get(&key);
            PeerView {
                key,
                log: Some(*log),
                peer_id: followed.peer.to_string(),
                connected: followed.connected,
                size: followed
                    .replay
                    .size()
                    .saturating_add(self.follow.lag(log).unwrap_or(0)),
                replayed: followed.replay.size(),
                verdict: followed.verdict,
                fault: exposure.map(|exposure| exposure.fault.clone()),
                found_in: exposure.and_then(|exposure| exposure.found_in),
                reason: match self.retired.get(log) {
                    Some(retirement) => ended(retirement),
                    None => followed.reason.clone(),
                },
                cosigned_size: followed.cosigned_size,
            }
        });
        let known: BTreeSet<PublicKey> = self
            .logs
            .values()
            .map(|followed| followed.replay.author())
            .collect();
        // Its own signed statement in another's log convicts a peer whose log nobody here follows.
        let others = self
            .exposed
            .iter()
            .filter(|(key, _)| !known.contains(*key))
            .map(|(key, exposure)| PeerView {
                key: *key,
                log: None,
                peer_id: String::new(),
                connected: false,
                size: 0,
                replayed: 0,
                verdict: Verdict::Exposed,
                fault: Some(exposure.fault.clone()),
                found_in: exposure.found_in,
                reason: String::new(),
                cosigned_size: 0,
            });
        let peers = followed.chain(others).collect();
        self.parts.view.send_replace(Arc::new(peers));
    }
}
