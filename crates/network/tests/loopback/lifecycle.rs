//! Starting, stopping, and ports.

use std::time::Duration;

use symphony_network::{
    Closed, DialError, Multiaddr, Network, NetworkConfig, NetworkEvent, Response, StartError,
    Topic, TransportSecret,
};

use crate::support::{NETWORK, bounded, hello, pair, quic, start, submission, tcp};

fn without_peer(address: &Multiaddr) -> Multiaddr {
    let mut address = address.clone();
    address.pop();
    address
}

fn listening_on(address: Multiaddr, config: NetworkConfig) -> NetworkConfig {
    NetworkConfig {
        listen_addresses: vec![address],
        ..config
    }
}

async fn a_port_in_use_is_an_error(config: NetworkConfig) {
    let first = start(1, config.clone()).await;
    let address = without_peer(&first.address().await);
    let secret = TransportSecret::from_bytes([2; 32]);
    let second = Network::start(
        listening_on(address.clone(), config),
        &secret,
        hello(2, NETWORK),
    )
    .await;
    match second {
        Err(StartError::AddressInUse { address: refused }) => assert_eq!(refused, address),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn net_4_a_tcp_port_in_use_is_an_error() {
    a_port_in_use_is_an_error(tcp()).await;
}

#[tokio::test]
async fn net_4_a_quic_port_in_use_is_an_error() {
    a_port_in_use_is_an_error(quic()).await;
}

#[tokio::test]
async fn an_address_of_another_machine_is_an_error() {
    let elsewhere = "/ip4/192.0.2.1/tcp/0".parse().unwrap();
    let secret = TransportSecret::from_bytes([1; 32]);
    let result = Network::start(listening_on(elsewhere, tcp()), &secret, hello(1, NETWORK)).await;
    assert!(
        matches!(result, Err(StartError::Listen { .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn settings_and_hello_are_checked_before_anything_is_opened() {
    let secret = TransportSecret::from_bytes([1; 32]);
    let mut config = quic();
    config.limits.connections_max = 0;
    let refused = Network::start(config, &secret, hello(1, NETWORK)).await;
    assert!(matches!(refused, Err(StartError::Config(_))), "{refused:?}");
    let mut without_genesis = hello(1, NETWORK);
    without_genesis.genesis_entry.clear();
    let refused = Network::start(quic(), &secret, without_genesis).await;
    assert!(matches!(refused, Err(StartError::Hello(_))), "{refused:?}");
}

async fn shutdown_closes_everything(config: NetworkConfig) {
    let (one, mut two) = pair(config.clone(), config.clone()).await;
    let peer = one.peer();
    let full_address = one.address().await;
    let mut events = one.events;
    bounded("the shutdown", one.handle.shutdown()).await;
    bounded("the end of events", async {
        while events.next().await.is_some() {}
    })
    .await;
    assert_eq!(one.handle.peers().await, Err(Closed));
    let published = one.handle.publish(Topic::Beacon, vec![1]).await;
    assert!(published.is_err());
    bounded("a second shutdown", one.handle.shutdown()).await;
    two.until_disconnected(peer).await;
    let dialled = bounded("a failed dial", two.handle.dial(full_address.clone())).await;
    assert!(
        matches!(dialled, Err(DialError::Failed { .. })),
        "{dialled:?}"
    );
    // The port is free again.
    let again = listening_on(without_peer(&full_address), config);
    let restarted = start(1, again).await;
    assert_eq!(restarted.address().await, full_address);
}

#[tokio::test]
async fn shutdown_closes_listeners_and_connections_over_tcp() {
    shutdown_closes_everything(tcp()).await;
}

#[tokio::test]
async fn shutdown_closes_listeners_and_connections_over_quic() {
    shutdown_closes_everything(quic()).await;
}

#[tokio::test]
async fn dropping_every_handle_shuts_down() {
    let node = start(1, quic()).await;
    let mut events = node.events;
    drop(node.handle);
    bounded("the end of events", async {
        while events.next().await.is_some() {}
    })
    .await;
}

#[tokio::test]
async fn the_first_event_says_where_the_node_listens() {
    let mut node = start(1, quic()).await;
    let listed = without_peer(&node.address().await);
    let announced = node
        .until("an address", |event| match event {
            NetworkEvent::ListeningOn { address } => Some(address),
            _ => None,
        })
        .await;
    assert_eq!(announced, listed);
}

#[tokio::test]
async fn net_5_a_bootstrap_peer_that_comes_back_is_dialled_again() {
    let mut first = start(1, tcp()).await;
    let address = first.address().await;
    let follower = NetworkConfig {
        bootstrap_addresses: vec![address.clone()],
        redial_interval: Duration::from_millis(100),
        ..tcp()
    };
    let mut second = start(2, follower).await;
    second.until_introduced(first.peer()).await;
    first.until_introduced(second.peer()).await;
    bounded("the shutdown", first.handle.shutdown()).await;
    second.until_disconnected(first.peer()).await;
    let back = listening_on(without_peer(&address), tcp());
    let mut first = start(1, back).await;
    second.until_introduced(first.peer()).await;
    first.until_introduced(second.peer()).await;
}

#[tokio::test]
async fn net_5_a_bootstrap_peer_that_starts_later_is_met_long_before_the_interval() {
    let port = free_tcp_port();
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
    let follower = NetworkConfig {
        bootstrap_addresses: vec![address.clone()],
        redial_interval: Duration::from_secs(3600),
        ..tcp()
    };
    let mut early = start(1, follower).await;
    early
        .until("the failed dial", |event| {
            matches!(event, NetworkEvent::BootstrapTried).then_some(())
        })
        .await;
    let late = start(2, listening_on(address, tcp())).await;
    early.until_introduced(late.peer()).await;
}

/// A port that nobody listens on now.
fn free_tcp_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn net_14_after_a_restart_both_sides_hear_subscriptions_and_hellos_again() {
    let mut survivor = start(1, quic()).await;
    let peer = survivor.peer();
    let doomed_runtime = tokio::runtime::Runtime::new().unwrap();
    let bootstrapped = NetworkConfig {
        bootstrap_addresses: vec![survivor.address().await],
        ..quic()
    };
    let config = bootstrapped.clone();
    let doomed = doomed_runtime
        .spawn(async move {
            let mut doomed = start(2, config).await;
            doomed.until_ready(peer).await;
            doomed
        })
        .await
        .unwrap();
    survivor.until_ready(doomed.peer()).await;
    doomed_runtime.shutdown_background();
    let mut restarted = start(2, bootstrapped).await;
    restarted.until_ready(survivor.peer()).await;
    survivor.until_ready(restarted.peer()).await;
    drop(doomed);
}

#[tokio::test]
async fn net_14_a_peer_that_was_killed_and_restarted_is_served_at_once() {
    let mut survivor = start(1, quic()).await;
    let peer = survivor.peer();
    // A runtime that is shut down drops the node's tasks: its connections end without a word, as when it is killed.
    let doomed_runtime = tokio::runtime::Runtime::new().unwrap();
    let address = survivor.address().await;
    let bootstrapped = NetworkConfig {
        bootstrap_addresses: vec![address],
        ..quic()
    };
    let config = bootstrapped.clone();
    let doomed = doomed_runtime
        .spawn(async move {
            let mut doomed = start(2, config).await;
            doomed.until_introduced(peer).await;
            doomed
        })
        .await
        .unwrap();
    survivor.until_introduced(doomed.peer()).await;
    doomed_runtime.shutdown_background();
    let mut restarted = start(2, bootstrapped).await;
    restarted.until_introduced(survivor.peer()).await;
    let peer = restarted.peer();
    let _restarted = restarted.echo();
    for number in 0..6_u8 {
        let statement = vec![number + 1];
        assert_eq!(
            survivor.ask(peer, submission(&statement)).await.unwrap(),
            Response::Acknowledged { statement }
        );
    }
    drop(doomed);
}
