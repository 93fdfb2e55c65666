//! Announcing a step: whom to ask, on which terms, with which own bid. Spec: BEACON-1 to BEACON-5.

use symphony_protocol::{
    chance::secret_commitment,
    embedding::Embedding,
    matching::{Profile as MatchProfile, match_ppm},
    records::{Beacon, Body, Capability, Issued, OwnBid, Reach, hop_anchor},
};
use symphony_transparency::{Digest, Domain, PublicKey};

use super::ReadyStep;
use crate::{
    event::{Effect, TaskEvent},
    peer::{CONTEXT_SIZE_MAX, Peer, ProposeError},
    plan::offers_roles,
};

/// Bid window of a beacon that asks nobody, in milliseconds: it closes on the coordinator's own bid, or on none.
const NOBODY_ASKED_MS: u64 = 1;

impl Peer {
    /// Announces a step of a plan.
    pub(crate) fn announce(&mut self, ready: ReadyStep) -> Result<(), ProposeError> {
        let ReadyStep {
            task: index,
            plan,
            step: number,
        } = ready;
        let Some(settings) = self.step_settings(index) else {
            return Ok(());
        };
        let Some(task) = self.tasks.get(&index) else {
            return Ok(());
        };
        let Some(step) = task
            .task
            .plans
            .get(plan as usize)
            .and_then(|plan| plan.steps.get(number as usize))
            .cloned()
        else {
            return Ok(());
        };
        let prompt = prompt(&step.text, task.context.get(&plan));
        let request = task.request;
        let embedding = Embedding::of_text(&step.tags.join(" "));
        let asked = if settings.reach == Reach::Directed {
            self.peers_to_ask(&step.tags, &embedding, settings.asked)
        } else {
            Vec::new()
        };
        // Of a stopped task not even the own peer is asked.
        let own_bid = self
            .own_bid(&step.tags, &embedding)
            .filter(|_| settings.asked > 0);
        let window_ms = match settings.reach {
            Reach::Directed if asked.is_empty() => NOBODY_ASKED_MS,
            Reach::Directed | Reach::Gossip => settings.bid_window_ms.into(),
        };
        let close_bids = match settings.reach {
            Reach::Directed => u32::try_from(asked.len()).unwrap_or(u32::MAX).max(1),
            Reach::Gossip => settings.asked,
        };
        let policy = self
            .state()
            .learner()
            .map_or(Digest::ZERO, |learner| learner.digest);
        let chance = self
            .state()
            .learner()
            .is_some_and(|learner| learner.policy.parameters.kind.uses_chance());
        let entry = self.replay.size();
        let origin = self.next_origin();
        let token = self.first_hop(entry);
        let beacon = Beacon {
            origin,
            task: index,
            plan,
            step: number,
            form: step.form,
            close_bids: close_bids.min(self.state().params().bids_max()),
            close_deadline_ms: self
                .now_ms
                .max(self.state().time_ms())
                .saturating_add(window_ms),
            execute_ms: settings.execute_ms,
            reveal_ms: settings.reveal_ms,
            reach: settings.reach,
            hop_limit: settings.hop_limit,
            hop_anchor: match settings.reach {
                Reach::Gossip => hop_anchor(&token, settings.hop_limit),
                Reach::Directed => None,
            },
            asked: asked.clone(),
            shortlist: settings.shortlist,
            executors: settings.executors,
            policy,
            own_bid,
            secret_commitment: chance
                .then(|| secret_commitment(&origin.log, origin.index, &self.own_secret(&origin))),
            tags: step.tags,
            embedding,
        };
        let issued = Issued::new(beacon);
        let statement = self.sign(&issued).into_bytes();
        self.propose(Body::BeaconIssued(issued))?;
        if let Some(task) = self.tasks.get_mut(&index) {
            task.prompts.insert(entry, prompt);
        }
        match settings.reach {
            Reach::Gossip if settings.hop_limit > 0 => {
                self.effect(Effect::Announce { statement, token });
            }
            // It may not travel at all.
            Reach::Gossip => {}
            Reach::Directed => {
                for to in &asked {
                    self.effect(Effect::Send {
                        to: *to,
                        statement: statement.clone(),
                        private: Vec::new(),
                    });
                }
            }
        }
        let asked = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        let Some(request) = request else {
            return Ok(());
        };
        self.report(
            request,
            entry,
            TaskEvent::Beacon {
                plan,
                step: number,
                asked,
            },
        );
        Ok(())
    }

    /// The token of the first hop of the beacon that stands at this entry: nobody else can compute it, and this peer can again
    /// after a restart. Spec: BEACON-14.
    fn first_hop(&self, entry: u64) -> Digest {
        let place = [
            self.state().log().as_bytes().as_slice(),
            &entry.to_be_bytes(),
        ]
        .concat();
        self.secret.derive(Domain::HopSeed, &place)
    }

    /// The K peers to ask: reachable, not exposed, a valid capability at or above the threshold; best match first, then best
    /// measured prior, then raw key bytes. Spec: BEACON-3.
    fn peers_to_ask(&self, tags: &[String], embedding: &Embedding, count: u32) -> Vec<PublicKey> {
        let state = self.state();
        let parts: Vec<&[u8]> = tags.iter().map(String::as_bytes).collect();
        let bucket =
            symphony_transparency::digest_parts(symphony_transparency::Domain::Bucket, &parts);
        let mut candidates: Vec<(u32, f64, PublicKey)> = self
            .known
            .iter()
            .filter(|(peer, _)| {
                self.reachable.contains(*peer)
                    && !self.exposed.contains(*peer)
                    && !self.retired.contains(*peer)
            })
            .filter(|(_, received)| received.record.valid_at(self.now_ms))
            .filter(|(_, received)| offers_roles(&received.record, tags))
            .map(|(peer, received)| {
                let matched = matched(&received.record, tags, embedding);
                (
                    matched,
                    state.bucket_measures(&bucket, peer).prior(state.params()),
                    *peer,
                )
            })
            .filter(|(matched, ..)| *matched >= state.params().match_threshold_ppm())
            .collect();
        candidates.sort_by(|left, right| {
            right
                .0
                .cmp(&left.0)
                .then(right.1.total_cmp(&left.1))
                .then(left.2.cmp(&right.2))
        });
        candidates.truncate(count as usize);
        let mut asked: Vec<PublicKey> = candidates.into_iter().map(|(.., peer)| peer).collect();
        asked.sort_unstable();
        asked
    }

    fn own_bid(&self, tags: &[String], embedding: &Embedding) -> Option<OwnBid> {
        let profile = self.config.profile.as_ref()?;
        let known = self
            .state()
            .capabilities()
            .get(&self.author())
            .filter(|known| !known.revoked)?;
        let match_ppm = matched(&known.capability, tags, embedding);
        let fits = offers_roles(&known.capability, tags)
            && match_ppm >= self.state().params().match_threshold_ppm()
            && known.capability.valid_at(self.now_ms)
            && self.load() < profile.parallel_max.saturating_add(self.config.queue_max);
        fits.then(|| OwnBid {
            capability: known.entry,
            match_ppm,
            load_ppm: self.load_ppm(),
            queue: self.queue(),
        })
    }
}

fn matched(capability: &Capability, tags: &[String], embedding: &Embedding) -> u32 {
    match_ppm(
        &MatchProfile {
            tags: &capability.tags,
            embedding: &capability.embedding,
        },
        &MatchProfile { tags, embedding },
    )
}

/// The question, after the questions and answers before it. Only as much context as fits is kept, the newest first.
fn prompt(question: &str, context: Option<&Vec<(String, String)>>) -> String {
    let mut room = CONTEXT_SIZE_MAX;
    let mut kept: Vec<String> = Vec::new();
    for (asked, answer) in context.into_iter().flatten().rev() {
        let text = format!("{asked}\nAnswer: {answer}\n\n");
        if text.len() > room {
            break;
        }
        room -= text.len();
        kept.push(text);
    }
    kept.reverse();
    kept.push(question.to_owned());
    kept.concat()
}
