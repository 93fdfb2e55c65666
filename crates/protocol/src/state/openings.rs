//! Nodes of a state's tree, as they stand in messages. Spec: EVIDENCE-10.

use symphony_proto::evidence::v1::{
    EmptyNode, HiddenLeaf, InnerNode, MapNode, OpenLeaf, map_node::Node,
};

use crate::{
    map::Opening,
    records::{Reader, RecordError},
};

/// Reads a node. The payload beside a leaf is no part of it.
pub(crate) fn read(node: &MapNode) -> Result<Opening, RecordError> {
    let reader = Reader("MapNode");
    Ok(match reader.require("node", node.node.as_ref())? {
        Node::Empty(EmptyNode {}) => Opening::Empty,
        Node::Hidden(hidden) => Opening::Hidden(reader.digest("hidden", hidden)?),
        Node::HiddenLeaf(leaf) => Opening::HiddenLeaf {
            place: reader.digest("place", &leaf.place)?,
            value: reader.digest("value", &leaf.value)?,
        },
        Node::Leaf(leaf) => Opening::Leaf {
            key: leaf.key.clone(),
            value: leaf.value.clone(),
        },
        Node::Inner(InnerNode {}) => Opening::Inner,
    })
}

/// Writes a node without a payload.
pub(crate) fn bare(opening: Opening) -> MapNode {
    MapNode {
        node: Some(match opening {
            Opening::Empty => Node::Empty(EmptyNode {}),
            Opening::Hidden(digest) => Node::Hidden(digest.as_bytes().to_vec()),
            Opening::HiddenLeaf { place, value } => Node::HiddenLeaf(HiddenLeaf {
                place: place.as_bytes().to_vec(),
                value: value.as_bytes().to_vec(),
            }),
            Opening::Leaf { key, value } => Node::Leaf(OpenLeaf {
                key,
                value,
                payload: Vec::new(),
            }),
            Opening::Inner => Node::Inner(InnerNode {}),
        }),
    }
}
