//! Chapter 03: a peer's three keys.

use symphony_transparency::{BindingError, KeyBinding, KeyRole, PeerSecrets, Signature};

use crate::{secret, some_digest};

fn peer(log: u8, transport: u8, witness: u8) -> PeerSecrets {
    PeerSecrets {
        log: secret(log),
        transport: secret(transport),
        witness: secret(witness),
    }
}

#[test]
fn keys_6_three_keys_are_bound_on_one_network_only() {
    let (peer, network) = (peer(1, 2, 3), some_digest(1));
    let binding = peer.bind(&network);
    assert_eq!(peer.public().verify_binding(&network, &binding), Ok(()));
    let elsewhere = peer.public().verify_binding(&some_digest(2), &binding);
    assert!(matches!(
        elsewhere,
        Err(BindingError::Signature {
            role: KeyRole::Log,
            ..
        })
    ));
}

#[test]
fn keys_7_nobody_binds_a_key_that_did_not_agree() {
    let network = some_digest(1);
    let victim = peer(1, 2, 3).public();
    let (mut keys, mut binding) = (peer(4, 5, 6).public(), peer(4, 5, 6).bind(&network));
    keys.transport = victim.transport;
    binding.transport = peer(1, 2, 3).bind(&network).transport;
    assert!(keys.verify_binding(&network, &binding).is_err());
}

#[test]
fn keys_7_each_of_the_three_signatures_counts() {
    let (peer, network) = (peer(1, 2, 3), some_digest(1));
    let good = peer.bind(&network);
    let bad = Signature::from_bytes([7; 64]);
    for (binding, wanted) in [
        (KeyBinding { log: bad, ..good }, KeyRole::Log),
        (
            KeyBinding {
                transport: bad,
                ..good
            },
            KeyRole::Transport,
        ),
        (
            KeyBinding {
                witness: bad,
                ..good
            },
            KeyRole::Witness,
        ),
    ] {
        let refused = peer.public().verify_binding(&network, &binding);
        assert!(
            matches!(refused, Err(BindingError::Signature { role, .. }) if role == wanted),
            "{refused:?}"
        );
    }
}

#[test]
fn keys_7_one_key_for_two_roles_is_refused() {
    let network = some_digest(1);
    for (peer, first, second) in [
        (peer(1, 1, 3), KeyRole::Log, KeyRole::Transport),
        (peer(1, 2, 1), KeyRole::Log, KeyRole::Witness),
        (peer(1, 2, 2), KeyRole::Transport, KeyRole::Witness),
    ] {
        let refused = peer.public().verify_binding(&network, &peer.bind(&network));
        assert_eq!(refused, Err(BindingError::SameKey { first, second }));
    }
}
