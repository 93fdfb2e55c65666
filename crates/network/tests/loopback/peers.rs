//! Who is connected, who is blocked, and who finds whom.

use std::time::Duration;

use symphony_network::{
    BlockError, DialError, Hello, HelloError, KademliaMode, NetworkConfig, NetworkEvent,
    RequestError, peer_id_of_transport_key, transport_key_of_peer_id,
};
use symphony_transparency::{Digest, SecretKey};

use crate::support::{NETWORK, bounded, connect, hello, pair, quic, start, submission};

#[tokio::test]
async fn net_12_both_sides_learn_who_the_other_is() {
    let (mut one, mut two) = (start(1, quic()).await, start(2, quic()).await);
    one.handle.dial(two.address().await).await.unwrap();
    assert_eq!(one.until_introduced(two.peer()).await, hello(2, NETWORK));
    assert_eq!(two.until_introduced(one.peer()).await, hello(1, NETWORK));
    let peers = one.handle.peers().await.unwrap();
    assert_eq!(peers.len(), 1);
    assert_eq!(peers[0].peer, two.peer());
    assert_eq!(peers[0].hello, Some(hello(2, NETWORK)));
    let key = transport_key_of_peer_id(&two.peer()).unwrap();
    assert_eq!(peer_id_of_transport_key(&key), Some(two.peer()));
}

#[tokio::test]
async fn net_12_a_changed_hello_is_said_again() {
    let (one, mut two) = pair(quic(), quic()).await;
    let rotated = Hello {
        log_public_key: SecretKey::from_bytes([77; 32]).public(),
        ..hello(1, NETWORK)
    };
    one.handle.set_hello(rotated.clone()).await.unwrap();
    assert_eq!(two.until_introduced(one.peer()).await, rotated);
    let elsewhere = hello(1, Digest::ZERO);
    let refused = one.handle.set_hello(elsewhere).await;
    assert!(
        matches!(refused, Err(HelloError::OtherNetwork { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_ping_measures_the_round_trip() {
    let pinging = NetworkConfig {
        ping_interval: Duration::from_millis(100),
        ..quic()
    };
    let (one, _two) = pair(pinging, quic()).await;
    bounded("a round trip", async {
        while one.handle.peers().await.unwrap()[0].round_trip.is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn net_15_a_blocked_peer_is_cut_off_until_it_is_unblocked() {
    let (mut one, mut two) = pair(quic(), quic()).await;
    let peer = two.peer();
    assert_eq!(one.handle.block(peer).await, Ok::<(), BlockError>(()));
    one.until_disconnected(peer).await;
    two.until_disconnected(one.peer()).await;
    let asked = one.ask(peer, submission(b"x")).await;
    assert!(matches!(asked, Err(RequestError::Blocked)), "{asked:?}");
    let dialled = one.handle.dial(two.address().await).await;
    assert!(
        matches!(dialled, Err(DialError::Failed { .. })),
        "{dialled:?}"
    );
    one.handle.unblock(peer).await.unwrap();
    connect(&mut one, &mut two).await;
}

#[tokio::test]
async fn a_peer_that_is_disconnected_may_come_back() {
    let (mut one, mut two) = pair(quic(), quic()).await;
    one.handle.disconnect(two.peer()).await.unwrap();
    one.until_disconnected(two.peer()).await;
    two.until_disconnected(one.peer()).await;
    connect(&mut two, &mut one).await;
}

#[tokio::test]
async fn a_dial_to_the_wrong_peer_fails() {
    let (one, two) = (start(1, quic()).await, start(2, quic()).await);
    let mut address = two.address().await;
    address.pop();
    let stranger = start(3, quic()).await.peer();
    let misnamed = address.with_p2p(stranger).unwrap();
    let dialled = bounded("a failed dial", one.handle.dial(misnamed)).await;
    assert!(
        matches!(dialled, Err(DialError::Failed { .. })),
        "{dialled:?}"
    );
}

#[tokio::test]
async fn net_5_peers_find_each_other_through_a_third() {
    let with_table = || NetworkConfig {
        kademlia: KademliaMode::Server,
        ..quic()
    };
    let middle = start(1, with_table()).await;
    let bootstrapped = NetworkConfig {
        bootstrap_addresses: vec![middle.address().await],
        ..with_table()
    };
    let mut one = start(2, bootstrapped.clone()).await;
    one.until_introduced(middle.peer()).await;
    let mut two = start(3, bootstrapped).await;
    two.until_introduced(one.peer()).await;
    one.until("the other", |event| match event {
        NetworkEvent::PeerHello { peer, .. } if peer == two.peer() => Some(()),
        _ => None,
    })
    .await;
}
