//! The short form of fuzzing, for what peers say to each other: every kind of message, then a fixed number of mutations, the same
//! ones on every machine. Bytes of a stranger make no decoder panic, and what is accepted has exactly one encoding.
//!
//! The decoders are private to the crate, so their sources are read here as modules of this test. What travels by gossip are
//! statements and evidence files, which have targets of their own (`ledger/tests/fuzz`).
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "tests, and modules that are part of a library elsewhere"
)]

#[path = "../src/limits.rs"]
mod limits;
#[path = "../src/message.rs"]
mod message;
#[path = "../../../fuzz/src/mutate.rs"]
mod mutate;
#[path = "../src/wire/mod.rs"]
mod wire;

use message::{
    Hello, LogRange, PrivatePayload, Refusal, RefusalCode, Request, Response, SubmitStatement,
};
use mutate::{Numbers, mutate};
use symphony_transparency::{Digest, SecretKey};
use wire::{
    Answer, Inbound, decode_answer, decode_request, encode_hello_request, encode_hello_response,
    encode_request, encode_response,
};

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn fuzz(seeds: &[Vec<u8>], run: fn(&[u8])) {
    let guarded = |input: &[u8]| {
        let outcome = std::panic::catch_unwind(|| run(input));
        let shown = data_encoding::HEXLOWER.encode(input);
        assert!(outcome.is_ok(), "failed on {shown}");
    };
    seeds.iter().for_each(|seed| guarded(seed));
    let mut numbers = Numbers::new(setting("SYMPHONY_FUZZ_SEED", 1));
    for _ in 0..setting("SYMPHONY_FUZZ_ROUNDS", 50_000) {
        let input = &seeds[numbers.below(seeds.len())];
        let other = &seeds[numbers.below(seeds.len())];
        guarded(&mutate(input, other, &mut numbers));
    }
}

fn hello() -> Hello {
    Hello {
        network_id: Digest::from_bytes([1; 32]),
        params_fingerprint: Digest::from_bytes([1; 32]),
        log_id: Digest::from_bytes([3; 32]),
        log_public_key: SecretKey::from_bytes([4; 32]).public(),
        genesis_entry: vec![5; 100],
        software_version: "symphony 0.1.0".to_owned(),
    }
}

#[test]
fn net_20_a_strangers_request_has_one_encoding() {
    let log_id = Digest::from_bytes([9; 32]);
    let (index, size) = (300, 70_000);
    let requests = [
        Request::SubmitStatement(SubmitStatement {
            statement: vec![1; 200],
            private_payload: PrivatePayload::new(b"True and not False is".to_vec()),
        }),
        Request::LogStatus { log_id },
        Request::LogRange(LogRange {
            log_id,
            first_index: index,
            count_max: 8,
            size_max: 4096,
        }),
        Request::Checkpoint { log_id },
        Request::InclusionProof {
            log_id,
            index,
            size,
        },
        Request::ConsistencyProof {
            log_id,
            old_size: index,
            new_size: size,
        },
        Request::Reveal { assignment: log_id },
        Request::EvidenceList,
        Request::Evidence { digest: log_id },
        Request::SubmitCosignature {
            note: "symphony/v1\n3\nAAAA\n\n\u{2014} witness BBBB\n".to_owned(),
        },
        Request::Challenge {
            statement: vec![1; 300],
        },
    ];
    let mut seeds = vec![encode_hello_request(&hello())];
    seeds.extend(requests.map(|request| encode_request(request).unwrap()));
    fuzz(&seeds, |input| match decode_request(input) {
        Ok(Inbound::Hello(hello)) => assert_eq!(encode_hello_request(&hello), input),
        Ok(Inbound::Request(request)) => assert_eq!(encode_request(request).unwrap(), input),
        Err(_) => {}
    });
}

#[test]
fn net_21_a_strangers_response_has_one_encoding() {
    let note = "symphony/v1\n3\nAAAA\n\n\u{2014} author BBBB\n".to_owned();
    let responses = [
        Response::Acknowledged {
            statement: vec![1; 200],
        },
        Response::Acknowledged {
            statement: Vec::new(),
        },
        Response::LogStatus {
            size: 300,
            checkpoint: note.clone(),
        },
        Response::LogEntries {
            first_index: 4,
            entries: vec![vec![1; 90], vec![2; 130], vec![3; 3]],
        },
        Response::Checkpoint { note },
        Response::Proof {
            nodes: vec![[1; 32], [2; 32], [3; 32]],
        },
        Response::EvidenceList {
            digests: (1..5).map(|byte| Digest::from_bytes([byte; 32])).collect(),
        },
        Response::Evidence { file: vec![7; 300] },
    ];
    let refusals = RefusalCode::ALL.map(|code| Response::Refused(Refusal::new(code, "because")));
    let all = responses.into_iter().chain(refusals);
    let mut seeds: Vec<Vec<u8>> = all.map(|one| encode_response(one).unwrap()).collect();
    seeds.push(encode_hello_response(&hello()));
    fuzz(&seeds, |input| match decode_answer(input) {
        Ok(Answer::Hello(hello)) => assert_eq!(encode_hello_response(&hello), input),
        Ok(Answer::Response(response)) => assert_eq!(encode_response(response).unwrap(), input),
        Err(_) => {}
    });
}
