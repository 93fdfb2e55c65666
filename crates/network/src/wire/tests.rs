//! Every message there and back, and everything that is not one refused.

use proptest::prelude::*;
use symphony_transparency::{CanonicalError, Digest, SecretKey};

use super::*;
use crate::limits::{PRIVATE_PAYLOAD_SIZE_MAX, RANGE_SIZE_MAX, REQUEST_SIZE_MAX};
use crate::message::{
    AnsweredEntry, LogRange, PrivatePayload, Refusal, RefusalCode, Request, Response,
    SubmitStatement,
};

fn hello() -> Hello {
    Hello {
        network_id: Digest::from_bytes([1; 32]),
        params_fingerprint: Digest::from_bytes([2; 32]),
        log_id: Digest::from_bytes([3; 32]),
        log_public_key: SecretKey::from_bytes([4; 32]).public(),
        genesis_entry: vec![5; 100],
        software_version: "symphony 0.1.0".to_owned(),
    }
}

fn requests() -> Vec<Request> {
    let log_id = Digest::from_bytes([9; 32]);
    vec![
        Request::SubmitStatement(SubmitStatement {
            statement: vec![1, 2, 3],
            private_payload: PrivatePayload::new(vec![4, 5]),
        }),
        Request::LogStatus { log_id },
        Request::LogRange(LogRange {
            log_id,
            first_index: 7,
            count_max: 8,
            size_max: RANGE_SIZE_MAX,
        }),
        Request::Checkpoint { log_id },
        Request::InclusionProof {
            log_id,
            index: 1,
            size: 2,
        },
        Request::ConsistencyProof {
            log_id,
            old_size: 3,
            new_size: 3,
        },
        Request::Reveal { assignment: log_id },
        Request::EvidenceList,
        Request::Evidence { digest: log_id },
        Request::SubmitCosignature {
            note: "note".to_owned(),
        },
        Request::Challenge {
            statement: vec![1; 7],
        },
    ]
}

fn responses() -> Vec<Response> {
    let mut responses = vec![
        Response::Acknowledged {
            statement: Vec::new(),
        },
        Response::Acknowledged { statement: vec![1] },
        Response::Answer {
            entries: vec![
                AnsweredEntry {
                    entry: vec![1],
                    hashes: Vec::new(),
                },
                AnsweredEntry {
                    entry: vec![2; 9],
                    hashes: vec![[3; 32]; 2],
                },
            ],
        },
        Response::LogStatus {
            size: 3,
            checkpoint: "note".to_owned(),
        },
        Response::LogEntries {
            first_index: 4,
            entries: vec![vec![1], vec![2, 3]],
        },
        Response::Checkpoint {
            note: "note".to_owned(),
        },
        Response::Proof {
            nodes: vec![[1; 32], [2; 32]],
        },
        Response::EvidenceList {
            digests: vec![Digest::from_bytes([1; 32]), Digest::from_bytes([2; 32])],
        },
        Response::Evidence { file: vec![7] },
    ];
    for code in RefusalCode::ALL {
        responses.push(Response::Refused(Refusal::new(code, "because")));
    }
    responses
}

#[test]
fn net_29_a_list_of_evidence_is_strictly_ascending_and_short() {
    let digest = |byte: u8| Digest::from_bytes([byte; 32]);
    for digests in [vec![digest(2), digest(1)], vec![digest(1), digest(1)]] {
        let list = Response::EvidenceList { digests };
        let refused = encode_response(list);
        assert!(
            matches!(refused, Err(WireError::NotAscending { .. })),
            "{refused:?}"
        );
    }
    let digests = (0..=crate::limits::EVIDENCE_LIST_MAX)
        .map(|number| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
            Digest::from_bytes(bytes)
        })
        .collect();
    let refused = encode_response(Response::EvidenceList { digests });
    assert!(
        matches!(refused, Err(WireError::OutOfRange { .. })),
        "{refused:?}"
    );
}

#[test]
fn net_20_every_request_survives_the_trip() {
    for request in requests() {
        let bytes = encode_request(request.clone()).unwrap();
        assert_eq!(decode_request(&bytes), Ok(Inbound::Request(request)));
    }
    let bytes = encode_hello_request(&hello());
    assert_eq!(decode_request(&bytes), Ok(Inbound::Hello(hello())));
}

#[test]
fn net_21_every_response_survives_the_trip() {
    for response in responses() {
        let bytes = encode_response(response.clone()).unwrap();
        assert_eq!(decode_response(&bytes), Ok(response));
    }
    let bytes = encode_hello_response(&hello());
    assert_eq!(decode_answer(&bytes), Ok(Answer::Hello(hello())));
    assert!(matches!(
        decode_response(&bytes),
        Err(WireError::UnexpectedBody { .. })
    ));
}

#[test]
fn net_20_no_truncation_of_a_request_decodes_to_it() {
    let hello_bytes = encode_hello_request(&hello());
    let all = requests()
        .into_iter()
        .map(|request| encode_request(request).unwrap())
        .chain([hello_bytes]);
    for bytes in all {
        let whole = decode_request(&bytes);
        for size in 0..bytes.len() {
            let cut = decode_request(&bytes[..size]);
            assert_ne!(cut, whole, "{size} of {}", bytes.len());
            assert!(cut.is_err(), "{size} of {}", bytes.len());
        }
    }
}

#[test]
fn net_21_no_truncation_of_a_response_decodes() {
    for response in responses() {
        let bytes = encode_response(response).unwrap();
        for size in 0..bytes.len() {
            assert!(decode_answer(&bytes[..size]).is_err());
        }
    }
}

#[test]
fn net_20_a_trailing_byte_or_an_unknown_field_is_refused() {
    for request in requests() {
        let bytes = encode_request(request).unwrap();
        let trailing = [bytes.as_slice(), &[0]].concat();
        assert!(decode_request(&trailing).is_err());
        // Field 1000, a varint: protobuf would skip it.
        let unknown = [bytes.as_slice(), &[0xC0, 0x3E, 0x01]].concat();
        assert!(matches!(
            decode_request(&unknown),
            Err(WireError::Canonical(CanonicalError::NotCanonical { .. }))
        ));
    }
}

#[test]
fn net_20_a_default_value_that_is_spelled_out_is_refused() {
    // An inclusion proof request whose index 0 is written although it is the default.
    let canonical = encode_request(Request::InclusionProof {
        log_id: Digest::from_bytes([9; 32]),
        index: 0,
        size: 1,
    })
    .unwrap();
    let mut inner = canonical[2..34 + 2].to_vec();
    inner.extend_from_slice(&[0x10, 0x00, 0x18, 0x01]);
    let mut bytes = vec![canonical[0], u8::try_from(inner.len()).unwrap()];
    bytes.extend_from_slice(&inner);
    assert!(matches!(
        decode_request(&bytes),
        Err(WireError::Canonical(CanonicalError::NotCanonical { .. }))
    ));
}

#[test]
fn net_20_a_message_without_a_body_is_refused() {
    assert_eq!(decode_request(&[]), Err(WireError::NoBody));
    assert_eq!(decode_answer(&[]), Err(WireError::NoBody));
}

#[test]
fn net_20_an_oversized_message_is_refused_before_decoding() {
    let error = decode_request(&vec![0; REQUEST_SIZE_MAX + 1]).unwrap_err();
    assert!(matches!(
        error,
        WireError::Canonical(CanonicalError::TooLarge { .. })
    ));
}

#[test]
fn net_22_to_26_fields_outside_their_limits_are_refused_by_name() {
    let log_id = Digest::ZERO;
    let range = LogRange {
        log_id,
        first_index: 0,
        count_max: 1,
        size_max: 1,
    };
    let submission = |statement: usize, private: usize| {
        Request::SubmitStatement(SubmitStatement {
            statement: vec![1; statement],
            private_payload: PrivatePayload::new(vec![1; private]),
        })
    };
    let statement_max = symphony_transparency::STATEMENT_SIZE_MAX;
    assert!(encode_request(submission(statement_max, PRIVATE_PAYLOAD_SIZE_MAX)).is_ok());
    for (request, expected) in [
        (submission(0, 0), "statement"),
        (submission(statement_max + 1, 0), "statement"),
        (
            submission(1, PRIVATE_PAYLOAD_SIZE_MAX + 1),
            "private_payload",
        ),
        (
            Request::LogRange(LogRange {
                count_max: 0,
                ..range
            }),
            "count_max",
        ),
        (
            Request::LogRange(LogRange {
                size_max: RANGE_SIZE_MAX + 1,
                ..range
            }),
            "size_max",
        ),
        (
            Request::InclusionProof {
                log_id,
                index: 1,
                size: 1,
            },
            "index",
        ),
        (
            Request::ConsistencyProof {
                log_id,
                old_size: 2,
                new_size: 1,
            },
            "new_size",
        ),
    ] {
        let error = encode_request(request).unwrap_err();
        assert!(
            matches!(error, WireError::OutOfRange { field, .. } if field == expected),
            "{error}"
        );
    }
}

#[test]
fn net_24_a_response_that_does_not_fit_is_not_encoded() {
    let entries = vec![vec![1; 1024 * 1024]];
    let too_large = Response::LogEntries {
        first_index: 0,
        entries,
    };
    assert!(encode_response(too_large).is_err());
    let empty_entry = Response::LogEntries {
        first_index: 0,
        entries: vec![Vec::new()],
    };
    assert!(encode_response(empty_entry).is_err());
}

#[test]
fn net_27_an_unknown_refusal_is_refused() {
    for code in [0_u8, 9] {
        let inner: &[u8] = if code == 0 { &[] } else { &[0x08, code] };
        let mut bytes = vec![0x3A, u8::try_from(inner.len()).unwrap()];
        bytes.extend_from_slice(inner);
        assert_eq!(
            decode_response(&bytes),
            Err(WireError::UnknownRefusal(i32::from(code)))
        );
    }
}

#[test]
fn net_12_a_hello_outside_its_limits_is_refused() {
    let without_genesis = Hello {
        genesis_entry: Vec::new(),
        ..hello()
    };
    assert!(check_hello(without_genesis).is_err());
    let large = Hello {
        genesis_entry: vec![0; 4097],
        ..hello()
    };
    assert!(decode_request(&encode_hello_request(&large)).is_err());
}

proptest! {
    #[test]
    fn net_20_no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(Inbound::Request(request)) = decode_request(&bytes) {
            prop_assert_eq!(encode_request(request).unwrap(), bytes.clone());
        }
        if let Ok(response) = decode_response(&bytes) {
            prop_assert_eq!(encode_response(response).unwrap(), bytes);
        }
    }
}
