//! Requests as bytes.

use symphony_proto::exchange::v1 as proto;
use symphony_proto::exchange::v1::request::Body;
use symphony_transparency::{
    Digest, PublicKey, STATEMENT_SIZE_MAX, decode_canonical, encode as encode_canonical,
};

use super::{WireError, in_range, size_in_range};
use crate::limits::{
    CHALLENGE_SIZE_MAX, CHECKPOINT_SIZE_MAX, GENESIS_ENTRY_SIZE_MAX, PRIVATE_PAYLOAD_SIZE_MAX,
    RANGE_COUNT_MAX, RANGE_SIZE_MAX, REQUEST_SIZE_MAX, SOFTWARE_VERSION_SIZE_MAX,
};
use crate::message::{Hello, LogRange, PrivatePayload, Request, SubmitStatement};

/// What a peer asks: who we are, or something for the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inbound {
    /// Handled by the owner task.
    Hello(Hello),
    /// Handed to the node.
    Request(Request),
}

/// The bytes of a request; it is checked as a receiver would.
pub(crate) fn encode_request(request: Request) -> Result<Vec<u8>, WireError> {
    check_request(&request)?;
    let body = match request {
        Request::SubmitStatement(submission) => Body::SubmitStatement(proto::SubmitStatement {
            statement: submission.statement,
            private_payload: submission.private_payload.expose_bytes().to_vec(),
        }),
        Request::LogStatus { log_id } => Body::LogStatus(proto::LogStatusRequest {
            log_id: bytes_of(&log_id),
        }),
        Request::LogRange(range) => Body::LogRange(proto::LogRangeRequest {
            log_id: bytes_of(&range.log_id),
            first_index: range.first_index,
            count_max: range.count_max,
            size_max: range.size_max,
        }),
        Request::Checkpoint { log_id } => Body::Checkpoint(proto::CheckpointRequest {
            log_id: bytes_of(&log_id),
        }),
        Request::InclusionProof {
            log_id,
            index,
            size,
        } => Body::InclusionProof(proto::InclusionProofRequest {
            log_id: bytes_of(&log_id),
            index,
            size,
        }),
        Request::ConsistencyProof {
            log_id,
            old_size,
            new_size,
        } => Body::ConsistencyProof(proto::ConsistencyProofRequest {
            log_id: bytes_of(&log_id),
            old_size,
            new_size,
        }),
        Request::Reveal { assignment } => Body::Reveal(proto::RevealRequest {
            assignment: bytes_of(&assignment),
        }),
        Request::EvidenceList => Body::EvidenceList(proto::EvidenceListRequest {}),
        Request::Evidence { digest } => Body::Evidence(proto::EvidenceRequest {
            digest: bytes_of(&digest),
        }),
        Request::SubmitCosignature { note } => {
            Body::SubmitCosignature(proto::SubmitCosignature { note })
        }
        Request::Challenge { statement } => Body::Challenge(proto::ChallengeRequest { statement }),
    };
    Ok(encode_canonical(&proto::Request { body: Some(body) }))
}

/// The bytes of our own hello; its limits were checked when it was taken.
pub(crate) fn encode_hello_request(hello: &Hello) -> Vec<u8> {
    encode_canonical(&proto::Request {
        body: Some(Body::Hello(hello_to_proto(hello))),
    })
}

/// Reads a request.
///
/// # Errors
/// [`WireError`]: always the sender's fault.
pub(crate) fn decode_request(bytes: &[u8]) -> Result<Inbound, WireError> {
    let message: proto::Request = decode_canonical(bytes, REQUEST_SIZE_MAX)?;
    let request = match message.body.ok_or(WireError::NoBody)? {
        Body::Hello(hello) => return hello_from_proto(hello).map(Inbound::Hello),
        Body::SubmitStatement(submission) => Request::SubmitStatement(SubmitStatement {
            statement: submission.statement,
            private_payload: PrivatePayload::new(submission.private_payload),
        }),
        Body::LogStatus(request) => Request::LogStatus {
            log_id: digest("log_id", &request.log_id)?,
        },
        Body::LogRange(request) => Request::LogRange(LogRange {
            log_id: digest("log_id", &request.log_id)?,
            first_index: request.first_index,
            count_max: request.count_max,
            size_max: request.size_max,
        }),
        Body::Checkpoint(request) => Request::Checkpoint {
            log_id: digest("log_id", &request.log_id)?,
        },
        Body::InclusionProof(request) => Request::InclusionProof {
            log_id: digest("log_id", &request.log_id)?,
            index: request.index,
            size: request.size,
        },
        Body::ConsistencyProof(request) => Request::ConsistencyProof {
            log_id: digest("log_id", &request.log_id)?,
            old_size: request.old_size,
            new_size: request.new_size,
        },
        Body::Reveal(request) => Request::Reveal {
            assignment: digest("assignment", &request.assignment)?,
        },
        Body::EvidenceList(_) => Request::EvidenceList,
        Body::Evidence(request) => Request::Evidence {
            digest: digest("digest", &request.digest)?,
        },
        Body::SubmitCosignature(request) => Request::SubmitCosignature { note: request.note },
        Body::Challenge(request) => Request::Challenge {
            statement: request.statement,
        },
    };
    check_request(&request)?;
    Ok(Inbound::Request(request))
}

/// The rules that sender and receiver both apply. Spec: NET-22, NET-24, NET-26, NET-35.
fn check_request(request: &Request) -> Result<(), WireError> {
    match request {
        Request::SubmitStatement(submission) => {
            size_in_range(
                "statement",
                submission.statement.len(),
                1..=STATEMENT_SIZE_MAX,
            )?;
            size_in_range(
                "private_payload",
                submission.private_payload.size(),
                0..=PRIVATE_PAYLOAD_SIZE_MAX,
            )
        }
        Request::LogRange(range) => {
            in_range(
                "count_max",
                u64::from(range.count_max),
                1..=u64::from(RANGE_COUNT_MAX),
            )?;
            in_range(
                "size_max",
                u64::from(range.size_max),
                1..=u64::from(RANGE_SIZE_MAX),
            )
        }
        Request::InclusionProof { index, size, .. } => {
            in_range("size", *size, 1..=u64::MAX)?;
            in_range("index", *index, 0..=size.saturating_sub(1))
        }
        Request::ConsistencyProof {
            old_size, new_size, ..
        } => {
            in_range("old_size", *old_size, 1..=u64::MAX)?;
            in_range("new_size", *new_size, *old_size..=u64::MAX)
        }
        Request::SubmitCosignature { note } => {
            size_in_range("note", note.len(), 1..=CHECKPOINT_SIZE_MAX)
        }
        Request::Challenge { statement } => {
            size_in_range("statement", statement.len(), 1..=CHALLENGE_SIZE_MAX)
        }
        Request::LogStatus { .. }
        | Request::Checkpoint { .. }
        | Request::Reveal { .. }
        | Request::EvidenceList
        | Request::Evidence { .. } => Ok(()),
    }
}

/// Refuses a hello whose fields are outside their limits.
///
/// # Errors
/// [`WireError::OutOfRange`] with the field's name.
///
/// Spec: NET-12.
pub(super) fn check_hello_limits(hello: &Hello) -> Result<(), WireError> {
    size_in_range(
        "genesis_entry",
        hello.genesis_entry.len(),
        1..=GENESIS_ENTRY_SIZE_MAX,
    )?;
    size_in_range(
        "software_version",
        hello.software_version.len(),
        0..=SOFTWARE_VERSION_SIZE_MAX,
    )
}

pub(super) fn hello_to_proto(hello: &Hello) -> proto::Hello {
    proto::Hello {
        network_id: bytes_of(&hello.network_id),
        params_fingerprint: bytes_of(&hello.params_fingerprint),
        log_id: bytes_of(&hello.log_id),
        log_public_key: hello.log_public_key.as_bytes().to_vec(),
        genesis_entry: hello.genesis_entry.clone(),
        software_version: hello.software_version.clone(),
    }
}

pub(super) fn hello_from_proto(hello: proto::Hello) -> Result<Hello, WireError> {
    let hello = Hello {
        network_id: digest("network_id", &hello.network_id)?,
        params_fingerprint: digest("params_fingerprint", &hello.params_fingerprint)?,
        log_id: digest("log_id", &hello.log_id)?,
        log_public_key: PublicKey::from_slice(&hello.log_public_key).map_err(|source| {
            WireError::Key {
                field: "log_public_key",
                source,
            }
        })?,
        genesis_entry: hello.genesis_entry,
        software_version: hello.software_version,
    };
    check_hello_limits(&hello)?;
    Ok(hello)
}

fn bytes_of(digest: &Digest) -> Vec<u8> {
    digest.as_bytes().to_vec()
}

pub(super) fn digest(field: &'static str, bytes: &[u8]) -> Result<Digest, WireError> {
    Digest::from_slice(bytes).map_err(|source| WireError::Digest { field, source })
}
