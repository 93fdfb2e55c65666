//! Nodes on loopback, and bounded waits for what they report.

use std::future::Future;
use std::time::Duration;

use symphony_network::{
    Events, Handle, Hello, Multiaddr, Network, NetworkConfig, NetworkEvent, PeerId, Request,
    Response, SubmitStatement, Topic, TransportSecret,
};
use symphony_transparency::{Digest, SecretKey};

/// Longest wait for anything: far above what a slow machine needs, so that only a hang reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The network that nodes belong to unless a test says otherwise.
pub(crate) const NETWORK: Digest = Digest::from_bytes([0xA1; 32]);

/// One running node.
pub(crate) struct Node {
    pub(crate) handle: Handle,
    pub(crate) events: Events,
}

/// What a node with this seed says about itself.
pub(crate) fn hello(seed: u8, network_id: Digest) -> Hello {
    Hello {
        network_id,
        params_fingerprint: network_id,
        log_id: Digest::from_bytes([seed; 32]),
        log_public_key: SecretKey::from_bytes([seed; 32]).public(),
        genesis_entry: vec![seed; 64],
        software_version: "test".to_owned(),
    }
}

/// Settings for one transport on loopback, without Kademlia.
pub(crate) fn quic() -> NetworkConfig {
    listening_on("/ip4/127.0.0.1/udp/0/quic-v1")
}

/// Settings for one transport on loopback, without Kademlia.
pub(crate) fn tcp() -> NetworkConfig {
    listening_on("/ip4/127.0.0.1/tcp/0")
}

fn listening_on(address: &str) -> NetworkConfig {
    NetworkConfig {
        listen_addresses: vec![address.parse().unwrap()],
        kademlia: symphony_network::KademliaMode::Off,
        ..NetworkConfig::loopback()
    }
}

/// Starts a node of the usual network.
pub(crate) async fn start(seed: u8, config: NetworkConfig) -> Node {
    start_in(seed, NETWORK, config).await
}

/// Starts a node of any network.
pub(crate) async fn start_in(seed: u8, network_id: Digest, config: NetworkConfig) -> Node {
    let secret = TransportSecret::from_bytes([seed; 32]);
    let (handle, events) = Network::start(config, &secret, hello(seed, network_id))
        .await
        .unwrap();
    Node { handle, events }
}

/// Bounds a wait.
pub(crate) async fn bounded<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}

impl Node {
    pub(crate) fn peer(&self) -> PeerId {
        self.handle.local_peer_id()
    }

    /// The first address to dial.
    pub(crate) async fn address(&self) -> Multiaddr {
        self.handle.listen_addresses().await.unwrap().remove(0)
    }

    /// Waits for the first event that gives something; drops the others.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(NetworkEvent) -> Option<T>,
    ) -> T {
        bounded(what, async {
            loop {
                let event = self.events.next().await.expect("the network runs");
                if let Some(value) = wanted(event) {
                    return value;
                }
            }
        })
        .await
    }

    /// Waits until both hellos with a peer are through.
    pub(crate) async fn until_introduced(&mut self, to: PeerId) -> Hello {
        self.until("a hello", |event| match event {
            NetworkEvent::PeerHello { peer, hello } if peer == to => Some(hello),
            _ => None,
        })
        .await
    }

    /// Waits until both hellos with a peer are through and it has subscribed to every topic, in whatever order.
    pub(crate) async fn until_ready(&mut self, to: PeerId) {
        let (mut is_introduced, mut topics) = (false, 0);
        self.until("a hello and the subscriptions", |event| {
            match event {
                NetworkEvent::PeerHello { peer, .. } if peer == to => is_introduced = true,
                NetworkEvent::PeerSubscribed { peer, .. } if peer == to => topics += 1,
                _ => {}
            }
            (is_introduced && topics >= Topic::ALL.len()).then_some(())
        })
        .await;
    }

    /// Waits until a peer is gone.
    pub(crate) async fn until_disconnected(&mut self, from: PeerId) {
        self.until("a disconnection", |event| {
            matches!(event, NetworkEvent::PeerDisconnected { peer } if peer == from).then_some(())
        })
        .await;
    }

    /// Sends a request with the usual patience.
    pub(crate) async fn ask(
        &self,
        peer: PeerId,
        request: Request,
    ) -> Result<Response, symphony_network::RequestError> {
        bounded("a response", self.handle.request(peer, request, PATIENCE)).await
    }

    /// Answers every request in a task of its own, with what it submitted as the acknowledgement.
    pub(crate) fn echo(mut self) -> Handle {
        let handle = self.handle.clone();
        tokio::spawn(async move {
            while let Some(event) = self.events.next().await {
                if let NetworkEvent::Request { request, reply, .. } = event {
                    let statement = match request {
                        Request::SubmitStatement(submission) => submission.statement,
                        _ => Vec::new(),
                    };
                    let response = Response::Acknowledged { statement };
                    // The peer may have gone away.
                    let _ = self.handle.reply(reply, response).await;
                }
            }
        });
        handle
    }
}

/// Starts two nodes and introduces them.
pub(crate) async fn pair(one: NetworkConfig, two: NetworkConfig) -> (Node, Node) {
    let (mut one, mut two) = (start(1, one).await, start(2, two).await);
    connect(&mut one, &mut two).await;
    (one, two)
}

/// Connects two nodes and waits until each is introduced to the other and hears its gossip.
pub(crate) async fn connect(one: &mut Node, two: &mut Node) {
    let dialled = bounded("a connection", one.handle.dial(two.address().await)).await;
    assert_eq!(dialled, Ok(two.peer()));
    one.until_ready(two.peer()).await;
    two.until_ready(one.peer()).await;
}

/// A statement to submit; its bytes mean nothing here.
pub(crate) fn submission(statement: &[u8]) -> Request {
    Request::SubmitStatement(SubmitStatement {
        statement: statement.to_vec(),
        private_payload: Default::default(),
    })
}
