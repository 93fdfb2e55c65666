//! What ordinary peers see while the show goes on: whom they have exposed, and when.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use symphony_admin::{AdminClient, v1};
use tokio::time::{Instant, sleep};

use super::{LIST_MAX, POLL, Stage};
use crate::demo::cast::Part;

/// How often a peer is asked whom it has exposed.
const LOOK: Duration = Duration::from_millis(500);

/// Who saw which fault first.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Sighting {
    pub(in crate::demo) seen_by: String,
    pub(in crate::demo) accused: String,
    pub(in crate::demo) rule: String,
    pub(in crate::demo) entry: u64,
    pub(in crate::demo) expected: String,
    pub(in crate::demo) found: String,
    pub(in crate::demo) after: Duration,
}

impl Stage {
    /// Asks every ordinary peer again and again whom it has exposed, while the show goes on.
    pub(super) fn watch(&mut self) {
        let names: BTreeMap<String, String> = self
            .actors
            .iter()
            .map(|actor| (actor.did_key.clone(), actor.player.name.to_owned()))
            .collect();
        for actor in self
            .actors
            .iter()
            .filter(|actor| matches!(actor.player.part, Part::Honest | Part::Asker))
        {
            let (socket, seen_by, names) = (
                actor.socket.clone(),
                actor.player.name.to_owned(),
                names.clone(),
            );
            let (sightings, began) = (Arc::clone(&self.sightings), self.began);
            self.watchers.push(tokio::spawn(async move {
                let mut client = None;
                loop {
                    for peer in exposed(&mut client, &socket).await.unwrap_or_default() {
                        let accused = peer.name.map(|name| name.did_key).unwrap_or_default();
                        let accused = names.get(&accused).cloned().unwrap_or(accused);
                        let mut sightings = sightings.lock().await;
                        let known = sightings
                            .iter()
                            .any(|known| known.accused == accused && known.seen_by == seen_by);
                        if let Some(fault) = peer.fault.filter(|_| !known) {
                            sightings.push(Sighting {
                                seen_by: seen_by.clone(),
                                accused,
                                rule: fault.rule,
                                entry: fault.entry,
                                expected: fault.expected,
                                found: fault.found,
                                after: began.elapsed(),
                            });
                        }
                    }
                    sleep(LOOK).await;
                }
            }));
        }
    }

    /// Waits until somebody has exposed every cheat, or the time is over. Returns who saw what, in order.
    pub(in crate::demo) async fn await_judgement(&mut self, limit: Duration) -> Vec<Sighting> {
        let cheats: Vec<&str> = self
            .actors
            .iter()
            .filter(|actor| matches!(actor.player.part, Part::Liar | Part::FalseBidder))
            .map(|actor| actor.player.name)
            .collect();
        let until = Instant::now() + limit;
        loop {
            let sightings = self.sightings.lock().await.clone();
            let all = cheats
                .iter()
                .all(|cheat| sightings.iter().any(|sighting| sighting.accused == *cheat));
            if all || Instant::now() > until {
                for watcher in self.watchers.drain(..) {
                    watcher.abort();
                }
                return sightings;
            }
            sleep(POLL).await;
        }
    }
}

/// Whom the peer at `socket` has exposed. `held` keeps the connection from one call to the next.
async fn exposed(held: &mut Option<AdminClient>, socket: &Path) -> anyhow::Result<Vec<v1::Peer>> {
    let client = match held.take() {
        Some(client) => client,
        None => AdminClient::connect_unix(socket).await?,
    };
    let peers = client.peers().await?.collect_at_most(LIST_MAX).await?;
    *held = Some(client);
    Ok(peers
        .into_iter()
        .filter(|peer| peer.verdict() == v1::Verdict::Exposed)
        .collect())
}
