//! Responses as bytes.

use symphony_proto::exchange::v1 as proto;
use symphony_proto::exchange::v1::response::Body;
use symphony_transparency::{STATEMENT_SIZE_MAX, decode_canonical, encode as encode_canonical};

use super::request::{digest, hello_from_proto, hello_to_proto};
use super::{WireError, size_in_range};
use crate::limits::{
    ANSWERED_ENTRIES_MAX, CHECKPOINT_SIZE_MAX, EVIDENCE_LIST_MAX, EVIDENCE_SIZE_MAX,
    PROOF_NODES_MAX, RANGE_COUNT_MAX, REFUSAL_MESSAGE_SIZE_MAX, RESPONSE_SIZE_MAX,
};
use crate::message::{AnsweredEntry, Hello, Refusal, RefusalCode, Response};

/// What a peer answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The answer to a hello.
    Hello(Hello),
    /// The answer to anything else; also the refusal of a hello.
    Response(Response),
}

/// The bytes of a response; it is checked as a receiver would.
pub(crate) fn encode_response(response: Response) -> Result<Vec<u8>, WireError> {
    check_response(&response)?;
    let body = match response {
        Response::Acknowledged { statement } => {
            Body::Acknowledged(proto::Acknowledged { statement })
        }
        Response::LogStatus { size, checkpoint } => {
            Body::LogStatus(proto::LogStatus { size, checkpoint })
        }
        Response::LogEntries {
            first_index,
            entries,
        } => Body::LogEntries(proto::LogEntries {
            first_index,
            entries,
        }),
        Response::Checkpoint { note } => Body::Checkpoint(proto::Checkpoint { note }),
        Response::Proof { nodes } => Body::Proof(proto::Proof {
            nodes: nodes.iter().map(|node| node.to_vec()).collect(),
        }),
        Response::EvidenceList { digests } => Body::EvidenceList(proto::EvidenceList {
            digests: digests
                .iter()
                .map(|digest| digest.as_bytes().to_vec())
                .collect(),
        }),
        Response::Evidence { file } => Body::Evidence(proto::EvidenceFile { file }),
        Response::Answer { entries } => Body::Answer(proto::ChallengeAnswer {
            entries: entries
                .into_iter()
                .map(|answered| proto::AnsweredEntry {
                    entry: answered.entry,
                    hashes: answered.hashes.iter().map(|node| node.to_vec()).collect(),
                })
                .collect(),
        }),
        Response::Refused(refusal) => Body::Refused(refusal_to_proto(&refusal)),
    };
    let bytes = encode_canonical(&proto::Response { body: Some(body) });
    size_in_range("response", bytes.len(), 1..=RESPONSE_SIZE_MAX)?;
    Ok(bytes)
}

/// The bytes of our own hello as an answer; its limits were checked when it was taken.
pub(crate) fn encode_hello_response(hello: &Hello) -> Vec<u8> {
    encode_canonical(&proto::Response {
        body: Some(Body::Hello(hello_to_proto(hello))),
    })
}

/// The bytes of a refusal, whose text is short by construction.
pub(crate) fn encode_refusal(refusal: &Refusal) -> Vec<u8> {
    encode_canonical(&proto::Response {
        body: Some(Body::Refused(refusal_to_proto(refusal))),
    })
}

/// The bytes of "ask again later".
pub(crate) fn encode_busy(message: &str) -> Vec<u8> {
    encode_refusal(&Refusal::new(RefusalCode::Busy, message))
}

/// Reads the answer to anything but a hello.
pub(crate) fn decode_response(bytes: &[u8]) -> Result<Response, WireError> {
    match decode_answer(bytes)? {
        Answer::Response(response) => Ok(response),
        Answer::Hello(_) => Err(WireError::UnexpectedBody {
            expected: "a response",
            actual: "a hello",
        }),
    }
}

/// Reads any answer.
pub(crate) fn decode_answer(bytes: &[u8]) -> Result<Answer, WireError> {
    let message: proto::Response = decode_canonical(bytes, RESPONSE_SIZE_MAX)?;
    let response = match message.body.ok_or(WireError::NoBody)? {
        Body::Hello(hello) => return hello_from_proto(hello).map(Answer::Hello),
        Body::Acknowledged(acknowledged) => Response::Acknowledged {
            statement: acknowledged.statement,
        },
        Body::LogStatus(status) => Response::LogStatus {
            size: status.size,
            checkpoint: status.checkpoint,
        },
        Body::LogEntries(range) => Response::LogEntries {
            first_index: range.first_index,
            entries: range.entries,
        },
        Body::Checkpoint(checkpoint) => Response::Checkpoint {
            note: checkpoint.note,
        },
        Body::Proof(proof) => Response::Proof {
            nodes: proof
                .nodes
                .iter()
                .map(|node| proof_node(node))
                .collect::<Result<_, _>>()?,
        },
        Body::EvidenceList(list) => {
            // Before the digests are read one by one.
            size_in_range("digests", list.digests.len(), 0..=EVIDENCE_LIST_MAX)?;
            Response::EvidenceList {
                digests: list
                    .digests
                    .iter()
                    .map(|bytes| digest("digests", bytes))
                    .collect::<Result<_, _>>()?,
            }
        }
        Body::Evidence(evidence) => Response::Evidence {
            file: evidence.file,
        },
        Body::Answer(answer) => Response::Answer {
            entries: answer
                .entries
                .into_iter()
                .map(answered_entry)
                .collect::<Result<_, _>>()?,
        },
        Body::Refused(refused) => Response::Refused(refusal_from_proto(refused)?),
    };
    check_response(&response)?;
    Ok(Answer::Response(response))
}

/// The rules that sender and receiver both apply. Spec: NET-22 to NET-27, NET-29.
fn check_response(response: &Response) -> Result<(), WireError> {
    match response {
        Response::Acknowledged { statement } => {
            size_in_range("statement", statement.len(), 0..=STATEMENT_SIZE_MAX)
        }
        Response::LogStatus { checkpoint, .. } => {
            size_in_range("checkpoint", checkpoint.len(), 0..=CHECKPOINT_SIZE_MAX)
        }
        Response::LogEntries { entries, .. } => {
            size_in_range("entries", entries.len(), 0..=RANGE_COUNT_MAX as usize)?;
            entries
                .iter()
                .try_for_each(|entry| size_in_range("entry", entry.len(), 1..=RESPONSE_SIZE_MAX))
        }
        Response::Checkpoint { note } => size_in_range("note", note.len(), 1..=CHECKPOINT_SIZE_MAX),
        Response::Proof { nodes } => size_in_range("nodes", nodes.len(), 0..=PROOF_NODES_MAX),
        Response::EvidenceList { digests } => {
            size_in_range("digests", digests.len(), 0..=EVIDENCE_LIST_MAX)?;
            match digests.windows(2).all(|pair| pair[0] < pair[1]) {
                true => Ok(()),
                false => Err(WireError::NotAscending { field: "digests" }),
            }
        }
        Response::Evidence { file } => size_in_range("file", file.len(), 1..=EVIDENCE_SIZE_MAX),
        Response::Answer { entries } => {
            size_in_range("entries", entries.len(), 1..=ANSWERED_ENTRIES_MAX)?;
            entries.iter().try_for_each(|answered| {
                size_in_range("entry", answered.entry.len(), 1..=RESPONSE_SIZE_MAX)?;
                size_in_range("hashes", answered.hashes.len(), 0..=PROOF_NODES_MAX)
            })
        }
        // Its text is cut when a refusal is made.
        Response::Refused(_) => Ok(()),
    }
}

fn answered_entry(answered: proto::AnsweredEntry) -> Result<AnsweredEntry, WireError> {
    Ok(AnsweredEntry {
        entry: answered.entry,
        hashes: answered
            .hashes
            .iter()
            .map(|node| proof_node(node))
            .collect::<Result<_, _>>()?,
    })
}

fn proof_node(bytes: &[u8]) -> Result<[u8; 32], WireError> {
    <[u8; 32]>::try_from(bytes).map_err(|_| WireError::OutOfRange {
        field: "node",
        minimum: 32,
        maximum: 32,
        actual: bytes.len() as u64,
    })
}

fn refusal_to_proto(refusal: &Refusal) -> proto::Refused {
    let code = match refusal.code {
        RefusalCode::Malformed => proto::RefusalCode::Malformed,
        RefusalCode::RateLimited => proto::RefusalCode::RateLimited,
        RefusalCode::Busy => proto::RefusalCode::Busy,
        RefusalCode::HelloRequired => proto::RefusalCode::HelloRequired,
        RefusalCode::OtherNetwork => proto::RefusalCode::OtherNetwork,
        RefusalCode::NotFound => proto::RefusalCode::NotFound,
        RefusalCode::NotAccepted => proto::RefusalCode::NotAccepted,
        RefusalCode::NotOffered => proto::RefusalCode::NotOffered,
    };
    proto::Refused {
        code: code.into(),
        message: refusal.message().to_owned(),
    }
}

fn refusal_from_proto(refused: proto::Refused) -> Result<Refusal, WireError> {
    size_in_range(
        "message",
        refused.message.len(),
        0..=REFUSAL_MESSAGE_SIZE_MAX,
    )?;
    let code = match proto::RefusalCode::try_from(refused.code) {
        Ok(proto::RefusalCode::Malformed) => RefusalCode::Malformed,
        Ok(proto::RefusalCode::RateLimited) => RefusalCode::RateLimited,
        Ok(proto::RefusalCode::Busy) => RefusalCode::Busy,
        Ok(proto::RefusalCode::HelloRequired) => RefusalCode::HelloRequired,
        Ok(proto::RefusalCode::OtherNetwork) => RefusalCode::OtherNetwork,
        Ok(proto::RefusalCode::NotFound) => RefusalCode::NotFound,
        Ok(proto::RefusalCode::NotAccepted) => RefusalCode::NotAccepted,
        Ok(proto::RefusalCode::NotOffered) => RefusalCode::NotOffered,
        Ok(proto::RefusalCode::Unspecified) | Err(_) => {
            return Err(WireError::UnknownRefusal(refused.code));
        }
    };
    Ok(Refusal::new(code, refused.message))
}
