//! A peer's two names.

use std::collections::BTreeMap;

use symphony_admin::v1::PeerName;
use symphony_transparency::{Digest, PublicKey};

use crate::runtime::NodeHandle;

/// The name of a peer whose log may be unknown.
pub(super) fn peer_name(key: &PublicKey, log: Option<&Digest>) -> PeerName {
    PeerName {
        log_id: log.map(ToString::to_string).unwrap_or_default(),
        did_key: key.to_string(),
    }
}

/// Log ids by log key, as far as the node knows them.
pub(super) struct Names(BTreeMap<PublicKey, Digest>);

impl Names {
    /// The names that the node knows now.
    pub(super) fn of(node: &NodeHandle) -> Self {
        let about = node.about();
        let mut names: BTreeMap<PublicKey, Digest> = node
            .peers()
            .iter()
            .filter_map(|view| Some((view.key, view.log?)))
            .collect();
        names.insert(about.key, about.log);
        Self(names)
    }

    /// Adds a name that a statement stated.
    pub(super) fn learn(&mut self, key: PublicKey, log: Digest) {
        self.0.insert(key, log);
    }

    /// The name of a peer.
    pub(super) fn name(&self, key: &PublicKey) -> PeerName {
        peer_name(key, self.0.get(key))
    }
}
