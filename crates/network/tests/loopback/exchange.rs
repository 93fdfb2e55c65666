//! Requests and responses between two nodes.

use std::time::Duration;

use symphony_network::{
    Limits, LogRange, NetworkConfig, NetworkEvent, PrivatePayload, Quota, RefusalCode, ReplyError,
    Request, RequestError, Response, SubmitStatement,
};
use symphony_transparency::Digest;

use crate::support::{bounded, pair, quic, start, submission, tcp};

async fn exchange_both_ways(config: NetworkConfig) {
    let (mut one, mut two) = pair(config.clone(), config).await;
    let request = Request::SubmitStatement(SubmitStatement {
        statement: b"a bid".to_vec(),
        private_payload: PrivatePayload::new(b"the answer".to_vec()),
    });
    let (asked, answered) = tokio::join!(one.ask(two.peer(), request.clone()), async {
        let (peer, received, reply) = two
            .until("a request", |event| match event {
                NetworkEvent::Request {
                    peer,
                    request,
                    reply,
                } => Some((peer, request, reply)),
                _ => None,
            })
            .await;
        assert_eq!((peer, received), (one.peer(), request.clone()));
        let statement = b"entry 7".to_vec();
        two.handle
            .reply(reply, Response::Acknowledged { statement })
            .await
    });
    assert_eq!(answered, Ok(()));
    let statement = b"entry 7".to_vec();
    assert_eq!(asked.unwrap(), Response::Acknowledged { statement });

    // The listener asks the dialler over the same connection, and gets the largest range.
    let range = LogRange {
        log_id: Digest::ZERO,
        first_index: 3,
        count_max: 4096,
        size_max: 960 * 1024,
    };
    let entries = vec![vec![9; 64 * 1024]; 15];
    let response = Response::LogEntries {
        first_index: 3,
        entries,
    };
    let (asked, answered) = tokio::join!(two.ask(one.peer(), Request::LogRange(range)), async {
        let reply = one
            .until("a request", |event| match event {
                NetworkEvent::Request { reply, .. } => Some(reply),
                _ => None,
            })
            .await;
        one.handle.reply(reply, response.clone()).await
    });
    assert_eq!(answered, Ok(()));
    assert_eq!(asked.unwrap(), response);
}

#[tokio::test]
async fn net_4_two_nodes_exchange_over_tcp() {
    exchange_both_ways(tcp()).await;
}

#[tokio::test]
async fn net_4_two_nodes_exchange_over_quic() {
    exchange_both_ways(quic()).await;
}

#[tokio::test]
async fn a_request_dials_a_peer_whose_address_is_known() {
    let one = start(1, quic()).await;
    let two = start(2, quic()).await;
    let (peer, address) = (two.peer(), two.address().await);
    let unknown = one.ask(peer, submission(b"x")).await;
    assert!(
        matches!(unknown, Err(RequestError::Unreachable { .. })),
        "{unknown:?}"
    );
    let two = two.echo();
    one.handle.add_address(peer, address).await.unwrap();
    let statement = b"x".to_vec();
    assert_eq!(
        one.ask(peer, submission(b"x")).await.unwrap(),
        Response::Acknowledged { statement }
    );
    drop(two);
}

#[tokio::test]
async fn more_requests_than_may_be_under_way_wait_their_turn() {
    let (one, two) = pair(quic(), quic()).await;
    let peer = two.peer();
    let _two = two.echo();
    let limits = Limits::default();
    let count = limits.requests_pending_per_peer_max * 4;
    let requests = (0..count).map(|number| {
        let handle = one.handle.clone();
        async move {
            let statement = (number as u64).to_be_bytes().to_vec();
            let response = handle
                .request(peer, submission(&statement), Duration::from_secs(30))
                .await;
            (statement, response)
        }
    });
    for (statement, response) in bounded("all responses", futures::future::join_all(requests)).await
    {
        assert_eq!(response.unwrap(), Response::Acknowledged { statement });
    }
}

#[tokio::test]
async fn net_16_requests_over_the_quota_are_refused() {
    let strict = NetworkConfig {
        limits: Limits {
            request_quota: Quota {
                burst: 6,
                per_second: 1,
            },
            ..Limits::default()
        },
        ..quic()
    };
    let (one, two) = pair(quic(), strict).await;
    let peer = two.peer();
    let two = two.echo();
    let mut outcomes = Vec::new();
    for _ in 0..20 {
        outcomes.push(one.ask(peer, submission(b"x")).await.unwrap());
    }
    let is_refused = |response: &Response| matches!(response, Response::Refused(refusal) if refusal.code == RefusalCode::RateLimited);
    assert!(!is_refused(&outcomes[0]), "the first is within the quota");
    assert!(outcomes.iter().any(is_refused), "{outcomes:?}");
    assert!(two.metrics().requests_refused(RefusalCode::RateLimited) > 0);
}

#[tokio::test]
async fn net_19_an_unanswered_request_is_refused_as_busy_and_its_token_expires() {
    let hasty = NetworkConfig {
        limits: Limits {
            reply_timeout: Duration::from_millis(200),
            ..Limits::default()
        },
        ..quic()
    };
    let (one, mut two) = pair(quic(), hasty).await;
    let (asked, reply) = tokio::join!(
        one.ask(two.handle.local_peer_id(), submission(b"x")),
        two.until("a request", |event| match event {
            NetworkEvent::Request { reply, .. } => Some(reply),
            _ => None,
        })
    );
    let response = asked.unwrap();
    assert!(
        matches!(&response, Response::Refused(refusal) if refusal.code == RefusalCode::Busy),
        "{response:?}"
    );
    let late = Response::Acknowledged {
        statement: Vec::new(),
    };
    assert_eq!(
        two.handle.reply(reply, late).await,
        Err(ReplyError::Expired)
    );
}

#[tokio::test]
async fn net_19_one_peer_cannot_fill_the_table_of_replies() {
    let narrow = NetworkConfig {
        limits: Limits {
            replies_pending_per_peer_max: 2,
            ..Limits::default()
        },
        ..quic()
    };
    let (one, two) = pair(quic(), narrow).await;
    let peer = two.peer();
    // Nobody answers: the first two wait, and the third is refused at once.
    let requests: Vec<_> = (0..3_u8)
        .map(|number| {
            let handle = one.handle.clone();
            Box::pin(async move {
                handle
                    .request(peer, submission(&[number]), Duration::from_secs(30))
                    .await
            })
        })
        .collect();
    let (first_answer, _, _) = bounded("a refusal", futures::future::select_all(requests)).await;
    assert!(
        matches!(first_answer.unwrap(), Response::Refused(refusal) if refusal.code == RefusalCode::Busy)
    );
    drop(two);
}

#[tokio::test]
async fn net_22_an_oversized_statement_is_not_sent() {
    let one = start(1, quic()).await;
    let result = one
        .ask(one.peer(), submission(&vec![0; 64 * 1024 + 1]))
        .await;
    assert!(
        matches!(result, Err(RequestError::Unencodable(_))),
        "{result:?}"
    );
}

#[tokio::test]
async fn net_24_a_response_that_is_too_large_tells_both_sides() {
    let (one, mut two) = pair(quic(), quic()).await;
    let peer = two.peer();
    let (asked, replied) = tokio::join!(one.ask(peer, submission(b"x")), async {
        let reply = two
            .until("a request", |event| match event {
                NetworkEvent::Request { reply, .. } => Some(reply),
                _ => None,
            })
            .await;
        let entries = vec![vec![1; 1024 * 1024]; 2];
        let too_large = Response::LogEntries {
            first_index: 0,
            entries,
        };
        two.handle.reply(reply, too_large).await
    });
    assert!(
        matches!(replied, Err(ReplyError::Unencodable(_))),
        "{replied:?}"
    );
    assert!(
        matches!(asked.unwrap(), Response::Refused(refusal) if refusal.code == RefusalCode::Busy)
    );
}
