//! From stored nodes to tiles, and from tiles back to nodes.

use super::path::count_at;
use super::{TILE_HEIGHT, TILE_WIDTH, TileKind, TilePath};
use crate::merkle::{NodeHash, NodeStore, ProofError, node_hash};

/// Size of a hash in bytes.
const HASH_SIZE: usize = 32;

/// The bytes of a hash tile, from a store's nodes.
///
/// # Errors
/// [`ProofError::MissingNode`] if the store's tree does not have all hashes of the tile. An entry bundle has no hashes: it
/// gives no bytes.
///
/// Spec: TILE-2.
pub fn tile_bytes(store: &impl NodeStore, path: &TilePath) -> Result<Vec<u8>, ProofError> {
    let TileKind::Hashes { level } = path.kind() else {
        return Ok(Vec::new());
    };
    let mut bytes = Vec::with_capacity(usize::from(path.width()) * HASH_SIZE);
    for position in 0..u64::from(path.width()) {
        let index = path.start().saturating_add(position);
        let level = level.saturating_mul(TILE_HEIGHT);
        let hash = store
            .node(level, index)
            .ok_or(ProofError::MissingNode { level, index })?;
        bytes.extend_from_slice(&hash);
    }
    Ok(bytes)
}

/// A tree that is read from its tiles, as a client of a log does: a [`NodeStore`], from which roots and proofs follow.
///
/// Tiles are claims. [`root_at`](crate::merkle::root_at) reads the nodes of the right edge only, so an inclusion proof that
/// was made from tiles is checked against the signed root like one that was sent.
#[derive(Debug, Clone)]
pub struct TileTree<F> {
    size: u64,
    fetch: F,
}

impl<F: Fn(&TilePath) -> Option<Vec<u8>>> TileTree<F> {
    /// The tree of `size` leaves whose tiles `fetch` gives: those that [`TilePath::all_at`] lists for the size.
    pub const fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch }
    }
}

impl<F: Fn(&TilePath) -> Option<Vec<u8>>> NodeStore for TileTree<F> {
    /// Spec: TILE-5: a tile of any other length than its path says is none.
    fn node(&self, level: u8, index: u64) -> Option<NodeHash> {
        let (tile_level, below) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let first = index.checked_mul(1 << below)?;
        let count = count_at(tile_level, self.size);
        if first.checked_add(1 << below)? > count {
            return None;
        }
        let tile = first / u64::from(TILE_WIDTH);
        let start = tile * u64::from(TILE_WIDTH);
        let width = (count - start).min(u64::from(TILE_WIDTH));
        let kind = TileKind::Hashes { level: tile_level };
        let path = TilePath::new(kind, tile, u16::try_from(width).ok()?)?;
        let bytes = (self.fetch)(&path)?;
        if bytes.len() != usize::from(path.width()) * HASH_SIZE {
            return None;
        }
        let first = usize::try_from(first - start).ok()?;
        let mut hashes: Vec<NodeHash> = bytes
            .chunks_exact(HASH_SIZE)
            .skip(first)
            .take(1 << below)
            .filter_map(|hash| hash.try_into().ok())
            .collect();
        while hashes.len() > 1 {
            hashes = hashes
                .chunks_exact(2)
                .map(|pair| node_hash(&pair[0], &pair[1]))
                .collect();
        }
        hashes.pop()
    }
}
