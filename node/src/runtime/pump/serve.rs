//! Questions about logs, answered from the ledger.

use symphony_ledger::Ledger;
use symphony_network::{Refusal, RefusalCode, Request, Response};
use symphony_transparency::Digest;

/// The answer, or a refusal. Reads the ledger: not for the event loop.
pub(super) fn answer(ledger: &Ledger, question: &Request) -> Response {
    answer_question(ledger, question).unwrap_or_else(Response::Refused)
}

fn answer_question(ledger: &Ledger, question: &Request) -> Result<Response, Refusal> {
    let failed = |error: symphony_ledger::LedgerError| {
        tracing::warn!(%error, "a log could not be read");
        Refusal::new(RefusalCode::Busy, "the log could not be read")
    };
    let reader = |log: &Digest| {
        ledger
            .log(log)
            .map_err(failed)?
            .ok_or_else(|| Refusal::new(RefusalCode::NotFound, "this node does not hold that log"))
    };
    let note = |log: &Digest| {
        Ok::<_, Refusal>(
            ledger
                .latest_checkpoint(log)
                .map_err(failed)?
                .map(|stored| stored.text),
        )
    };
    Ok(match question {
        Request::LogStatus { log_id } => {
            let size = reader(log_id)?.size().map_err(failed)?;
            Response::LogStatus {
                size,
                checkpoint: note(log_id)?.unwrap_or_default(),
            }
        }
        Request::LogRange(range) => {
            let page = reader(&range.log_id)?
                .range(
                    range.first_index,
                    range.count_max as usize,
                    range.size_max as usize,
                )
                .map_err(failed)?;
            Response::LogEntries {
                first_index: page.first_index,
                entries: page.entries,
            }
        }
        Request::Checkpoint { log_id } => match note(log_id)? {
            Some(note) => Response::Checkpoint { note },
            None => {
                return Err(Refusal::new(
                    RefusalCode::NotFound,
                    "no checkpoint of that log yet",
                ));
            }
        },
        Request::InclusionProof {
            log_id,
            index,
            size,
        } => Response::Proof {
            nodes: reader(log_id)?
                .inclusion_proof(*index, *size)
                .map_err(failed)?,
        },
        Request::ConsistencyProof {
            log_id,
            old_size,
            new_size,
        } => Response::Proof {
            nodes: reader(log_id)?
                .consistency_proof(*old_size, *new_size)
                .map_err(failed)?,
        },
        _ => return Err(Refusal::new(RefusalCode::NotOffered, "not offered")),
    })
}
