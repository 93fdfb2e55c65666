//! Windows put together by hand, as a liar would.

use symphony_proto::evidence::v1 as wire;
use symphony_protocol::{
    evidence::{Evidence, EvidenceError},
    map::{Opening, StateMap, Wanted},
    state::State,
};
use symphony_transparency::{MerkleTree, encode};

use crate::kit::Author;

/// The author's state after its first `size` entries, its root computed.
pub(crate) fn state_after(author: &Author, size: usize) -> State {
    let replay = crate::kit::replay(&author.entries[..size]).expect("an honest log");
    let mut state = replay.state().clone();
    state.root();
    state
}

/// The payload of the capability or beacon that a value of the map names.
fn payload(state: &State, key: &[u8]) -> Vec<u8> {
    if let Some(peer) = key.strip_prefix(b"capability/".as_slice()) {
        let known = state
            .capabilities()
            .iter()
            .find(|(known, _)| known.as_bytes() == peer);
        return known.map_or_else(Vec::new, |(_, known)| known.capability.encode());
    }
    if let Some(index) = key.strip_prefix(b"beacon/".as_slice()) {
        let index = u64::from_be_bytes(index.try_into().unwrap());
        return state
            .step(index)
            .map_or_else(Vec::new, |step| step.beacon.encode());
    }
    Vec::new()
}

pub(crate) fn open(state: &State, map: &StateMap, wanted: &Wanted) -> wire::OpenState {
    use wire::map_node::Node;
    let nodes = map.openings(wanted).into_iter().map(|opening| {
        let node = match opening {
            Opening::Empty => Node::Empty(wire::EmptyNode {}),
            Opening::Hidden(digest) => Node::Hidden(digest.as_bytes().to_vec()),
            Opening::HiddenLeaf { place, value } => Node::HiddenLeaf(wire::HiddenLeaf {
                place: place.as_bytes().to_vec(),
                value: value.as_bytes().to_vec(),
            }),
            Opening::Leaf { key, value } => Node::Leaf(wire::OpenLeaf {
                payload: payload(state, &key),
                key,
                value,
            }),
            Opening::Inner => Node::Inner(wire::InnerNode {}),
        };
        wire::MapNode { node: Some(node) }
    });
    wire::OpenState {
        nodes: nodes.collect(),
    }
}

/// Every key of the map.
pub(crate) fn everything(map: &StateMap) -> Wanted {
    let mut wanted = Wanted::default();
    for (key, _) in map.iter() {
        wanted.add_key(key);
    }
    wanted
}

/// A window of the author's entries `first..=last` on the state before it, of which `wanted` is opened.
pub(crate) fn window(
    author: &Author,
    first: usize,
    last: usize,
    wanted: impl FnOnce(&StateMap) -> Wanted,
) -> wire::Window {
    let state = state_after(author, first);
    let mut before = state.clone();
    let base = author.checkpoint(&author.entries[..first], before.root());
    let end = author.checkpoint(
        &author.entries[..=last],
        state_after(author, last + 1).root(),
    );
    let mut tree = MerkleTree::new();
    for entry in &author.entries[..=last] {
        tree.append(entry);
    }
    let hashes = tree
        .inclusion_proof(last as u64, tree.size())
        .expect("the entry is in the tree");
    wire::Window {
        genesis: author.entries[0].clone(),
        base: Some(wire::window::Base::FromCheckpoint(wire::CheckpointBase {
            checkpoint: base.into_bytes(),
            state: Some(open(&state, state.map(), &wanted(state.map()))),
        })),
        entries: author.entries[first..=last].to_vec(),
        checkpoint: end.into_bytes(),
        hashes: hashes.iter().map(|hash| hash.to_vec()).collect(),
    }
}

/// Reads and checks what a liar made.
pub(crate) fn judge(
    proof: wire::evidence::Proof,
) -> Result<symphony_protocol::evidence::Conviction, EvidenceError> {
    Evidence::parse(&encode(&wire::Evidence { proof: Some(proof) }))?.verify()
}
