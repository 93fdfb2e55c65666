//! A log as static files (C2SP tlog-tiles): what any web server can serve and any reader of transparency logs can check.
//!
//! A *hash tile* holds up to [`TILE_WIDTH`] consecutive complete nodes (LOG-8) of one level of the tree, every
//! [`TILE_HEIGHT`]th level; an *entry bundle* holds the exact bytes of the entries under a tile of level 0. Whoever has the
//! tiles computes every root and proof from them, so that a log needs no service that computes.
//!
//! - [`TilePath`] names one file and says when it exists;
//! - [`TileBuilder`] makes all files from a stream of entries, with memory for one tile a level;
//! - [`tile_bytes`] makes one hash tile from stored nodes, [`encode_bundle`] one bundle from stored entries;
//! - [`TileTree`] reads nodes back from tiles, for roots and proofs.
//!
//! A tile is a claim: a reader relies on it once the root computed from it is that of a signed checkpoint.
//!
//! Spec: TILE-1 to TILE-5.

mod builder;
mod bundle;
mod path;
mod tree;

pub use builder::TileBuilder;
pub use bundle::{BUNDLE_SIZE_MAX, BundleError, decode_bundle, encode_bundle};
pub use path::{TILE_PATH_LENGTH_MAX, TileKind, TilePath, TilePathError};
pub use tree::{TileTree, tile_bytes};

/// Levels of the tree that one hash tile spans.
///
/// Spec: TILE-2.
pub const TILE_HEIGHT: u8 = 8;

/// Hashes in a full tile, and entries in a full bundle.
///
/// Spec: TILE-2.
pub const TILE_WIDTH: u16 = 1 << TILE_HEIGHT;

/// Levels of tiles that a tree of the largest size has.
const TILE_LEVELS: u8 = 8;
