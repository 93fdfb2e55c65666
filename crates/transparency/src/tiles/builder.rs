//! All tiles of a log from its entries, one after another.

use super::bundle::push_entry;
use super::{BundleError, TILE_HEIGHT, TILE_WIDTH, TileKind, TilePath};
use crate::merkle::{Frontier, TreeHead, leaf_hash};

/// Makes the tiles of a log from a stream of its entries. A full tile is given out with the entry that fills it; the partial
/// ones are asked for at the end.
///
/// Memory: one tile for each level, and the entries of one bundle (at most [`BUNDLE_SIZE_MAX`](super::BUNDLE_SIZE_MAX)
/// bytes), whatever the size of the log.
#[derive(Debug, Clone, Default)]
pub struct TileBuilder {
    frontier: Frontier,
    /// Bytes of the bundle at the right edge.
    bundle: Vec<u8>,
    /// Hashes of the tile at the right edge, by level of tiles.
    edges: Vec<Vec<u8>>,
}

impl TileBuilder {
    /// The tiles of the empty log: none.
    pub const fn new() -> Self {
        Self {
            frontier: Frontier::new(),
            bundle: Vec::new(),
            edges: Vec::new(),
        }
    }

    /// Adds the next entry's exact bytes. Returns the tiles that it filled, with their bytes: none, or a bundle and hashes.
    ///
    /// # Errors
    /// [`BundleError::EntryTooLarge`]; nothing was added.
    ///
    /// Spec: TILE-2, TILE-4.
    pub fn append(&mut self, entry: &[u8]) -> Result<Vec<(TilePath, Vec<u8>)>, BundleError> {
        let index = self.frontier.size();
        let position = usize::try_from(index % u64::from(TILE_WIDTH)).expect("it is below 256");
        push_entry(&mut self.bundle, position, entry)?;

        let Self {
            frontier, edges, ..
        } = self;
        frontier.append_leaf_hash_with(leaf_hash(entry), |level, _, hash| {
            if level % TILE_HEIGHT == 0 {
                let level = usize::from(level / TILE_HEIGHT);
                if edges.len() == level {
                    edges.push(Vec::new());
                }
                edges[level].extend_from_slice(&hash);
            }
        });

        let mut filled = Vec::new();
        if position + 1 == usize::from(TILE_WIDTH) {
            let path = self.edge_path(TileKind::Entries, TILE_WIDTH);
            filled.push((path, std::mem::take(&mut self.bundle)));
        }
        for level in 0..self.edges.len() {
            if hash_count(&self.edges[level]) < TILE_WIDTH {
                // A level above has a new hash only if this one is full.
                break;
            }
            let path = self.edge_path(hashes_at(level), TILE_WIDTH);
            filled.push((path, std::mem::take(&mut self.edges[level])));
        }
        Ok(filled)
    }

    /// The partial tiles at the right edge, with their bytes: what a checkpoint of this size needs beside the full ones.
    ///
    /// Spec: TILE-3.
    pub fn partial(&self) -> Vec<(TilePath, Vec<u8>)> {
        let width =
            u16::try_from(self.frontier.size() % u64::from(TILE_WIDTH)).expect("it is below 256");
        let mut tiles = Vec::new();
        if width > 0 {
            tiles.push((
                self.edge_path(TileKind::Entries, width),
                self.bundle.clone(),
            ));
        }
        for (level, edge) in self.edges.iter().enumerate() {
            let width = hash_count(edge);
            if width > 0 {
                tiles.push((self.edge_path(hashes_at(level), width), edge.clone()));
            }
        }
        tiles
    }

    /// Number of entries so far.
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Size and root of the log so far.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.frontier.size(),
            root: self.frontier.root(),
        }
    }

    /// The tile that holds the last hash or entry so far.
    fn edge_path(&self, kind: TileKind, width: u16) -> TilePath {
        let level = match kind {
            TileKind::Hashes { level } => level,
            TileKind::Entries => 0,
        };
        let count = super::path::count_at(level, self.frontier.size());
        let index = (count - 1) / u64::from(TILE_WIDTH);
        TilePath::new(kind, index, width).expect("a tree's own tiles are within its limits")
    }
}

fn hashes_at(level: usize) -> TileKind {
    TileKind::Hashes {
        level: u8::try_from(level).expect("a tree has at most 8 levels of tiles"),
    }
}

fn hash_count(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len() / 32).expect("a tile has at most 256 hashes")
}
