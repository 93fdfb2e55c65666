//! What a newcomer asks: which evidence others keep.

use std::time::Duration;

use symphony_network::{Handle, PeerId, Request, Response};
use symphony_transparency::Digest;
use tokio::sync::mpsc;

use super::EvidenceStore;
use crate::{
    evidence::{digest_of, judge},
    runtime::auditor::AuditorCommand,
};

/// Files fetched from one peer in one session: with the files of a few sessions everything is there.
const FILES_MAX: usize = 256;
/// Time for one question.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks a peer for its list, and for each file that is not kept here; ends at the first file that proves nothing.
pub(in crate::runtime) async fn fetch(
    network: Handle,
    peer: PeerId,
    store: EvidenceStore,
    network_id: Digest,
    auditor: mpsc::Sender<AuditorCommand>,
) {
    let list = network.request(peer, Request::EvidenceList, TIMEOUT).await;
    let Ok(Response::EvidenceList { digests }) = list else {
        tracing::debug!(%peer, "no list of evidence");
        return;
    };
    let unknown = digests.into_iter().filter(|digest| !store.holds(digest));
    for digest in unknown.take(FILES_MAX) {
        let answer = network
            .request(peer, Request::Evidence { digest }, TIMEOUT)
            .await;
        let Ok(Response::Evidence { file }) = answer else {
            tracing::debug!(%peer, %digest, "an evidence file on the list was not given");
            return;
        };
        if digest_of(&file) != digest {
            tracing::warn!(%peer, %digest, "another evidence file than the one asked for");
            return;
        }
        let judged = tokio::task::spawn_blocking({
            let file = file.clone();
            move || judge(&file, Some(&network_id))
        });
        match judged.await {
            Ok(Ok(conviction)) => {
                let command = AuditorCommand::Evidence {
                    file,
                    conviction: Box::new(conviction),
                    answer: None,
                };
                if auditor.send(command).await.is_err() {
                    return;
                }
            }
            Ok(Err(reason)) => {
                tracing::warn!(%peer, %digest, %reason, "evidence that proves nothing");
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "evidence could not be verified");
                return;
            }
        }
    }
}
