//! Gossip among three nodes in a line: what the middle one accepts goes on, and nothing else.

use std::time::Duration;

use symphony_network::{
    Acceptance, GossipToken, IgnoreReason, Limits, NetworkConfig, NetworkEvent, PeerId,
    PublishError, Quota, RefusalCode, RejectReason, ReportError, Response, Topic,
};

use crate::support::{Node, bounded, connect, pair, quic, start, submission};

async fn next_message(node: &mut Node) -> (PeerId, Vec<u8>, GossipToken) {
    node.until("a gossip message", |event| match event {
        NetworkEvent::Gossip {
            source,
            data,
            token,
            ..
        } => Some((source, data, token)),
        _ => None,
    })
    .await
}

/// Three nodes, the middle one connected to both others.
async fn line(middle: NetworkConfig) -> (Node, Node, Node) {
    let mut one = start(1, quic()).await;
    let mut two = start(2, middle).await;
    let mut three = start(3, quic()).await;
    connect(&mut one, &mut two).await;
    connect(&mut three, &mut two).await;
    (one, two, three)
}

#[tokio::test]
async fn net_30_only_what_a_node_accepts_goes_on() {
    let (one, mut two, mut three) = line(quic()).await;
    let judgements = [
        (&b"wrong"[..], Acceptance::Reject(RejectReason::Signature)),
        (
            b"expired",
            Acceptance::Ignore(IgnoreReason::OutsideValidity),
        ),
        (b"right", Acceptance::Accept),
    ];
    for (data, acceptance) in judgements {
        one.handle
            .publish(Topic::Checkpoint, data.to_vec())
            .await
            .unwrap();
        let (source, received, token) = next_message(&mut two).await;
        assert_eq!((source, received.as_slice()), (one.peer(), data));
        assert_eq!(two.handle.report(token, acceptance).await, Ok(()));
        let judged = two
            .handle
            .metrics()
            .gossip_judged(Topic::Checkpoint, acceptance);
        assert_eq!(judged, 1);
    }
    let (source, received, token) = next_message(&mut three).await;
    assert_eq!((source, received.as_slice()), (two.peer(), &b"right"[..]));
    assert_eq!(three.handle.report(token, Acceptance::Accept).await, Ok(()));
}

#[tokio::test]
async fn net_33_the_same_bytes_travel_once() {
    let (one, mut two, _three) = line(quic()).await;
    let publish = |data: &[u8]| one.handle.publish(Topic::Checkpoint, data.to_vec());
    publish(b"first").await.unwrap();
    assert_eq!(publish(b"first").await, Err(PublishError::Duplicate));
    publish(b"second").await.unwrap();
    let mut received = Vec::new();
    for _ in 0..2 {
        let (_, data, token) = next_message(&mut two).await;
        two.handle.report(token, Acceptance::Accept).await.unwrap();
        received.push(data);
    }
    received.sort();
    assert_eq!(received, [b"first".to_vec(), b"second".to_vec()]);
}

#[tokio::test]
async fn net_50_a_message_that_nobody_judges_is_ignored_and_its_token_expires() {
    let hasty = NetworkConfig {
        limits: Limits {
            validation_timeout: Duration::from_millis(100),
            reply_timeout: Duration::from_millis(400),
            ..Limits::default()
        },
        ..quic()
    };
    let (one, mut two) = pair(quic(), hasty).await;
    one.handle
        .publish(Topic::Checkpoint, b"unjudged".to_vec())
        .await
        .unwrap();
    let (_, _, token) = next_message(&mut two).await;
    // The answer "no answer in time" comes 400 ms later, when 100 ms have certainly passed.
    let peer = two.peer();
    let (asked, ()) = tokio::join!(one.ask(peer, submission(b"clock")), async {
        two.until("a request", |event| {
            matches!(event, NetworkEvent::Request { .. }).then_some(())
        })
        .await;
    });
    assert!(
        matches!(asked.unwrap(), Response::Refused(refusal) if refusal.code == RefusalCode::Busy)
    );
    let late = two.handle.report(token, Acceptance::Accept).await;
    assert_eq!(late, Err(ReportError::Expired));
    let ignored = Acceptance::Ignore(IgnoreReason::NotJudged);
    let judged = two
        .handle
        .metrics()
        .gossip_judged(Topic::Checkpoint, ignored);
    assert_eq!(judged, 1);
}

#[tokio::test]
async fn net_49_a_forwarder_over_its_quota_is_ignored() {
    let strict = NetworkConfig {
        limits: Limits {
            // Three tokens go to the subscriptions; two messages fit.
            gossip_quota: Quota {
                burst: 5,
                per_second: 1,
            },
            ..Limits::default()
        },
        ..quic()
    };
    let (one, two) = pair(quic(), strict).await;
    let over_quota = Acceptance::Ignore(IgnoreReason::OverQuota);
    let peer = two.peer();
    let two = two.echo();
    bounded("an ignored message", async {
        for number in 0_u64.. {
            let data = number.to_be_bytes().to_vec();
            one.handle.publish(Topic::Checkpoint, data).await.unwrap();
            // One round trip, in which the message arrives sooner or later.
            one.ask(peer, submission(b"clock")).await.unwrap();
            if two.metrics().gossip_judged(Topic::Checkpoint, over_quota) > 0 {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn net_32_empty_and_oversized_messages_are_not_published() {
    let one = start(1, quic()).await;
    for size in [0, 64 * 1024 + 1] {
        let result = one.handle.publish(Topic::Beacon, vec![0; size]).await;
        assert!(
            matches!(result, Err(PublishError::Size { actual, .. }) if actual == size),
            "{result:?}"
        );
    }
    let alone = one.handle.publish(Topic::Beacon, vec![1]).await;
    assert_eq!(alone, Err(PublishError::NoPeers));
}

#[tokio::test]
async fn net_32_the_largest_message_arrives() {
    let (one, mut two) = pair(quic(), quic()).await;
    let largest = vec![7; 64 * 1024];
    one.handle
        .publish(Topic::Checkpoint, largest.clone())
        .await
        .unwrap();
    let (_, received, _) = next_message(&mut two).await;
    assert_eq!(received.len(), largest.len());
}

#[tokio::test]
async fn net_36_gossip_of_a_punished_peer_is_no_longer_read() {
    let (one, mut two, three) = line(quic()).await;
    let publish = |node: &Node, data: &[u8]| {
        let (handle, data) = (node.handle.clone(), data.to_vec());
        async move { handle.publish(Topic::Beacon, data).await }
    };
    publish(&one, b"before").await.unwrap();
    assert_eq!(next_message(&mut two).await.0, one.peer());
    two.handle.punish(one.peer()).await.unwrap();
    // Each round trip of a request gives the message before it all the time that it needs.
    for number in 0..5_u8 {
        publish(&one, &[number]).await.unwrap();
        let peer = two.peer();
        let handle = two.handle.clone();
        let answering = async {
            let reply = two
                .until("a request", |event| match event {
                    NetworkEvent::Request { reply, .. } => Some(reply),
                    NetworkEvent::Gossip { source, .. } => panic!("gossip of {source}"),
                    _ => None,
                })
                .await;
            let statement = Vec::new();
            handle
                .reply(reply, Response::Acknowledged { statement })
                .await
        };
        let (asked, replied) = tokio::join!(one.ask(peer, submission(b"x")), answering);
        asked.unwrap();
        replied.unwrap();
    }
    publish(&three, b"of another").await.unwrap();
    assert_eq!(next_message(&mut two).await.0, three.peer());
}
