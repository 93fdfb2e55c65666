//! Challenges: whoever has entries that a log's author signed for gives them to anybody who asks, and passes the question on
//! where it does not have them. Spec: EVIDENCE-14, EVIDENCE-15, NET-38.

use std::{sync::Arc, time::Duration};

use symphony_ledger::{Ledger, LedgerError, LogReader};
use symphony_network::{
    AnsweredEntry, PeerId, Refusal, RefusalCode, ReplyToken, Request, Response,
};
use symphony_protocol::records::{Challenge, Received};
use symphony_transparency::{Digest, PublicKey, SignedCheckpoint};

use super::{
    Met, Pump,
    judge::{author_of, verified},
};

/// Time for each peer that a challenge is passed on to: all together answer before the challenger gives up.
const RELAY_TIMEOUT: Duration = Duration::from_secs(2);

/// A challenge that can be answered by somebody: its log is known, and its author signed for the entries.
struct Asked {
    challenge: Challenge,
    signer: PublicKey,
    author: PublicKey,
}

impl Pump {
    /// Answers a challenge from the ledger, or from others, away from the event loop.
    pub(super) fn challenged(&self, from: PeerId, met: Met, statement: Vec<u8>, reply: ReplyToken) {
        let (network, ledger, network_id) =
            (self.network.clone(), self.ledger.clone(), self.network_id);
        let (relaying, began) = (Arc::clone(&self.relaying), self.began);
        let others: Vec<PeerId> = self
            .connected
            .keys()
            .filter(|peer| **peer != from)
            .copied()
            .collect();
        tokio::spawn(async move {
            let bytes = statement.clone();
            let looked = tokio::task::spawn_blocking(move || {
                let asked = read(&ledger, &network_id, &bytes)?;
                let entries = entries(&ledger, &asked.challenge).unwrap_or_else(|error| {
                    tracing::warn!(%error, "a challenge could not be answered");
                    None
                });
                Ok((asked, entries))
            });
            let response = match looked.await {
                Ok(Ok((_, Some(entries)))) => Response::Answer { entries },
                // One who passes it on is not the one who asks: so a question goes no further than one step.
                Ok(Ok((asked, None))) if asked.signer == met.key => {
                    let helpers = relaying.peers_for(&asked.challenge, &others, began.elapsed());
                    match relay(&network, &asked, &statement, &helpers).await {
                        Some(entries) => Response::Answer { entries },
                        None => Response::Refused(not_found()),
                    }
                }
                Ok(Ok((_, None))) => Response::Refused(not_found()),
                Ok(Err(refusal)) => Response::Refused(refusal),
                Err(_) => Response::Refused(Refusal::new(
                    RefusalCode::Busy,
                    "the challenge could not be answered",
                )),
            };
            let _ = network.reply(reply, response).await;
        });
    }
}

fn not_found() -> Refusal {
    Refusal::new(
        RefusalCode::NotFound,
        "this node does not hold these entries",
    )
}

/// Reads a challenge. Its log must be held here in part: of others nobody here knows the author.
fn read(ledger: &Ledger, network: &Digest, bytes: &[u8]) -> Result<Asked, Refusal> {
    let malformed = |what: &str| Refusal::new(RefusalCode::Malformed, what.to_owned());
    let statement = verified(bytes, network).map_err(|_| malformed("no statement"))?;
    let received = Received::<Challenge>::from_statement(statement)
        .map_err(|error| malformed(&error.to_string()))?;
    let author = author_of(ledger, &received.record.log()).ok_or_else(not_found)?;
    SignedCheckpoint::parse_and_verify(received.record.note(), &author).map_err(|_| {
        Refusal::new(
            RefusalCode::NotAccepted,
            "the log's author did not sign that checkpoint",
        )
    })?;
    Ok(Asked {
        signer: *received.statement.author(),
        challenge: received.record,
        author,
    })
}

/// The entries with their proofs, if they are here, under the very root that was signed.
fn entries(
    ledger: &Ledger,
    challenge: &Challenge,
) -> Result<Option<Vec<AnsweredEntry>>, LedgerError> {
    let (Some(reader), Ok(checkpoint)) = (
        ledger.log(&challenge.log())?,
        SignedCheckpoint::parse_unverified(challenge.note()),
    ) else {
        return Ok(None);
    };
    if reader.size()? < checkpoint.size || reader.root_at(checkpoint.size)? != checkpoint.root {
        return Ok(None);
    }
    challenge
        .indices()
        .map(|index| entry(&reader, index, checkpoint.size))
        .collect()
}

fn entry(reader: &LogReader, index: u64, size: u64) -> Result<Option<AnsweredEntry>, LedgerError> {
    let Some(entry) = reader.entry(index)? else {
        return Ok(None);
    };
    let hashes = reader.inclusion_proof(index, size)?;
    Ok(Some(AnsweredEntry { entry, hashes }))
}

/// The first right answer of these peers.
async fn relay(
    network: &symphony_network::Handle,
    asked: &Asked,
    statement: &[u8],
    helpers: &[PeerId],
) -> Option<Vec<AnsweredEntry>> {
    for peer in helpers {
        let request = Request::Challenge {
            statement: statement.to_vec(),
        };
        if let Ok(Response::Answer { entries }) =
            network.request(*peer, request, RELAY_TIMEOUT).await
            && asked
                .challenge
                .check_answer(&asked.author, &given(&entries))
                .is_ok()
        {
            return Some(entries);
        }
    }
    None
}

/// An answer as the rules read it.
pub(in crate::runtime) fn given(
    entries: &[AnsweredEntry],
) -> Vec<symphony_protocol::records::AnsweredEntry> {
    entries
        .iter()
        .map(|answered| symphony_protocol::records::AnsweredEntry {
            bytes: answered.entry.clone(),
            hashes: answered.hashes.clone(),
        })
        .collect()
}
