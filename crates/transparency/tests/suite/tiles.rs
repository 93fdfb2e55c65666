//! Chapter 17: tiles. Paths, hashes and bundles are vectors; here is what must hold for every log.

use std::collections::BTreeMap;

use proptest::prelude::*;
use symphony_transparency::merkle::{NodeStore as _, root_at};
use symphony_transparency::tiles::{
    BUNDLE_SIZE_MAX, BundleError, TILE_PATH_LENGTH_MAX, TILE_WIDTH, TileBuilder, TileKind,
    TilePath, TilePathError, TileTree, decode_bundle, encode_bundle, tile_bytes,
};
use symphony_transparency::{
    ENTRY_SIZE_MAX, MerkleTree, TreeHead, consistency_proof, inclusion_proof, leaf_hash,
    verify_consistency, verify_inclusion,
};

use crate::vector::Vector;

fn entry(index: u64) -> Vec<u8> {
    index.to_be_bytes().to_vec()
}

fn tree(size: u64) -> MerkleTree {
    let mut tree = MerkleTree::new();
    for index in 0..size {
        tree.append(&entry(index));
    }
    tree
}

/// All files of a log, as a builder gives them out.
fn files(size: u64) -> (BTreeMap<TilePath, Vec<u8>>, TileBuilder) {
    let mut builder = TileBuilder::new();
    let mut files = BTreeMap::new();
    for index in 0..size {
        files.extend(builder.append(&entry(index)).expect("a good value"));
    }
    files.extend(builder.partial());
    (files, builder)
}

/// Spec: TILE-1, TILE-2, TILE-3, TILE-4, TILE-5.
#[test]
fn vectors_tiles() {
    for vector in Vector::folder("tiles") {
        match vector.name.split('-').next() {
            Some("path") => check_path(&vector),
            Some("hashes") => check_hashes(&vector),
            Some("bundle") => check_bundle(&vector),
            _ => panic!("{}: unknown kind of vector", vector.name),
        }
    }
}

fn check_path(vector: &Vector) {
    let outcome = vector.text("path").parse::<TilePath>();
    let path = vector.check(outcome, |error| {
        let name = match error {
            TilePathError::TooLong { .. } => "too-long",
            TilePathError::BadForm => "bad-form",
            TilePathError::BadLevel => "bad-level",
            TilePathError::BadIndex => "bad-index",
            TilePathError::BadWidth => "bad-width",
            _ => "other",
        };
        name.to_owned()
    });
    if let Some(path) = path {
        let kind = match path.kind() {
            TileKind::Entries => "entries".to_owned(),
            TileKind::Hashes { level } => level.to_string(),
        };
        assert_eq!(kind, vector.text("kind"), "{}", vector.name);
        assert_eq!(path.index(), vector.number("index"), "{}", vector.name);
        let width = u64::from(path.width());
        assert_eq!(width, vector.number("width"), "{}", vector.name);
        assert_eq!(path.to_string(), vector.text("path"), "{}", vector.name);
    }
}

fn check_hashes(vector: &Vector) {
    let size = vector.number("size");
    let path: TilePath = vector.text("path").parse().expect("a good value");
    if vector.expect == "missing" {
        assert!(!path.exists_at(size), "{}", vector.name);
        assert!(tile_bytes(&tree(size), &path).is_err() || size > 1000);
        return;
    }
    assert!(path.exists_at(size), "{}", vector.name);
    let bytes = tile_bytes(&tree(size), &path).expect("a good value");
    assert_eq!(bytes, vector.bytes("bytes"), "{}", vector.name);
    let is_of_this_size = TilePath::all_at(size).any(|known| known == path);
    assert_eq!(is_of_this_size, !vector.name.ends_with("narrower"));
}

fn check_bundle(vector: &Vector) {
    let width = u16::try_from(vector.number("width")).expect("a good value");
    let outcome = decode_bundle(vector.bytes("bytes"), width);
    let entries = vector.check(outcome, |error| {
        let name = match error {
            BundleError::EntryTooLarge { .. } => "entry-too-large",
            BundleError::Count { .. } => "count",
            BundleError::Truncated { .. } => "truncated",
            _ => "other",
        };
        name.to_owned()
    });
    if let Some(entries) = entries {
        assert_eq!(entries, vector.all("entry"), "{}", vector.name);
        let bytes = encode_bundle(entries).expect("a good value");
        assert_eq!(bytes, vector.bytes("bytes"), "{}", vector.name);
    }
}

/// Spec: TILE-1: the longest path is read, and no longer one is.
#[test]
fn tile_1_length_is_checked_first() {
    let longest = TilePath::new(TileKind::Entries, u64::MAX / 256 - 1, 255).unwrap();
    assert!(longest.to_string().len() <= TILE_PATH_LENGTH_MAX);
    assert_eq!(longest.to_string().parse(), Ok(longest));
    let text = "x".repeat(TILE_PATH_LENGTH_MAX + 1);
    assert_eq!(
        text.parse::<TilePath>(),
        Err(TilePathError::TooLong {
            limit: TILE_PATH_LENGTH_MAX,
            actual: TILE_PATH_LENGTH_MAX + 1
        })
    );
}

/// Spec: TILE-2: names of tiles that no tree has are not made.
#[test]
fn tile_2_only_tiles_of_trees_are_named() {
    let hashes = |level| TileKind::Hashes { level };
    assert!(TilePath::new(hashes(7), 0, 1).is_some());
    assert_eq!(TilePath::new(hashes(8), 0, 1), None);
    assert_eq!(TilePath::new(hashes(0), 0, 0), None);
    assert_eq!(TilePath::new(hashes(0), 0, TILE_WIDTH + 1), None);
    assert_eq!(TilePath::new(TileKind::Entries, u64::MAX, 1), None);
}

/// Spec: TILE-3: the files of a tree are those that its size lists, and C2SP's example has the widths that it says.
#[test]
fn tile_3_a_tree_of_70000_has_the_tiles_of_the_example() {
    let all: Vec<String> = TilePath::all_at(70_000)
        .map(|path| path.to_string())
        .collect();
    let full = all
        .iter()
        .filter(|path| path.starts_with("tile/0/") && !path.contains(".p"));
    assert_eq!(full.count(), 273);
    for path in [
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ] {
        assert!(all.contains(&path.to_owned()), "{path}");
    }
    assert_eq!(all.len(), 2 * 274 + 2 + 1);
    assert_eq!(TilePath::all_at(0).count(), 0);
}

/// Spec: TILE-2, TILE-3, TILE-4: what the builder gives out is exactly what the size lists, with the store's hashes and the
/// entries' bytes, at every size around the borders of tiles.
#[test]
fn tile_3_the_builder_gives_exactly_the_tiles_of_the_size() {
    for size in [
        0, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_793,
    ] {
        let (files, builder) = files(size);
        let tree = tree(size);
        assert_eq!(builder.head(), tree.head(), "{size}");
        let mut listed: Vec<TilePath> = TilePath::all_at(size).collect();
        listed.sort_unstable();
        assert_eq!(files.keys().copied().collect::<Vec<_>>(), listed, "{size}");
        for (path, bytes) in &files {
            assert!(
                path.exists_at(size) && (size == 0 || !path.exists_at(path.start())),
                "{path}"
            );
            match path.kind() {
                TileKind::Hashes { .. } => assert_eq!(tile_bytes(&tree, path).as_ref(), Ok(bytes)),
                TileKind::Entries => {
                    let entries = decode_bundle(bytes, path.width()).unwrap();
                    for (index, bytes) in (path.start()..).zip(entries) {
                        assert_eq!(bytes, entry(index));
                        assert_eq!(tree.node(0, index), Some(leaf_hash(bytes)), "TILE-4");
                    }
                }
            }
        }
    }
}

/// Spec: TILE-4, LOG-5: a bundle of the largest entries fits the limit, and nothing larger goes in.
#[test]
fn tile_4_the_largest_bundle_has_the_stated_size() {
    let largest = vec![7; ENTRY_SIZE_MAX];
    let mut builder = TileBuilder::new();
    for _ in 1..TILE_WIDTH {
        assert_eq!(builder.append(&largest), Ok(Vec::new()));
    }
    let filled = builder.append(&largest).unwrap();
    assert_eq!(filled[0].1.len(), BUNDLE_SIZE_MAX);
    let before = builder.head();
    assert!(builder.append(&vec![7; ENTRY_SIZE_MAX + 1]).is_err());
    assert_eq!(builder.head(), before);
    let many = vec![&b"entry"[..]; usize::from(TILE_WIDTH) + 1];
    assert!(matches!(
        encode_bundle(many),
        Err(BundleError::Count { .. })
    ));
}

/// Spec: TILE-5: what tiles do not say is no node, so that no proof rests on it.
#[test]
fn tile_5_tiles_of_a_wrong_length_are_none() {
    let (files, _) = files(300);
    let short = |path: &TilePath| files.get(path).map(|bytes| bytes[1..].to_vec());
    assert!(root_at(&TileTree::new(300, short), 300).is_err());
    let all = |path: &TilePath| files.get(path).cloned();
    let tiled = TileTree::new(300, all);
    assert_eq!(tiled.node(0, 300), None);
    assert_eq!(tiled.node(9, 0), None);
    assert_eq!(tiled.node(255, u64::MAX), None);
    assert_eq!(root_at(&tiled, 300), tree(300).root_at(300));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Spec: TILE-1: every path has one text.
    #[test]
    fn tile_1_every_path_round_trips(level in 0..8_u8, entries in any::<bool>(), index in 0..u64::MAX / 512, width in 1..=256_u16) {
        let kind = if entries { TileKind::Entries } else { TileKind::Hashes { level } };
        let path = TilePath::new(kind, index, width).unwrap();
        prop_assert_eq!(path.to_string().parse(), Ok(path));
    }

    /// Spec: TILE-1: no text causes a panic, and what is read is written the same.
    #[test]
    fn tile_1_any_text_is_read_without_a_panic(text in "(tile/)?(entries|[0-9]{1,3})/(x[0-9]{3}/){0,7}[0-9x]{1,4}(\\.p/[0-9]{0,4})?|\\PC{0,60}") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
            let _ = path.exists_at(u64::MAX);
            let _ = path.start();
        }
    }

    /// Spec: TILE-5: no bytes cause a panic, and what is read is written the same.
    #[test]
    fn tile_5_any_bundle_is_read_without_a_panic(bytes in prop::collection::vec(0..4_u8, 0..40), width in 0..20_u16) {
        if let Ok(entries) = decode_bundle(&bytes, width) {
            prop_assert_eq!(entries.len(), usize::from(width));
            prop_assert_eq!(encode_bundle(entries), Ok(bytes.clone()));
        }
    }

    /// Spec: TILE-2, TILE-5: tiles alone give the proofs that the tree gives, at this size and at older ones.
    #[test]
    fn tile_5_tiles_give_every_proof(size in 1..1500_u64, at in any::<prop::sample::Index>(), old in any::<prop::sample::Index>()) {
        let (files, _) = files(size);
        let tree = tree(size);
        let tiled = TileTree::new(size, |path: &TilePath| files.get(path).cloned());
        let index = at.index(size as usize) as u64;
        let proof = inclusion_proof(&tiled, index, size).unwrap();
        prop_assert_eq!(verify_inclusion(&leaf_hash(&entry(index)), index, size, &proof, &tree.root()), Ok(()));
        let old_size = old.index(size as usize) as u64;
        let proof = consistency_proof(&tiled, old_size, size).unwrap();
        let old = TreeHead { size: old_size, root: tree.root_at(old_size).unwrap() };
        prop_assert_eq!(verify_consistency(&old, &tree.head(), &proof), Ok(()));
    }

    /// Spec: TILE-5: a changed byte of any tile shows in the root, or in no node at all.
    #[test]
    fn tile_5_a_changed_byte_never_proves_anything(size in 1..600_u64, at in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), flip in 1..=u8::MAX) {
        let (mut files, builder) = files(size);
        let path = *at.get(&files.keys().copied().collect::<Vec<_>>());
        let bytes = files.get_mut(&path).unwrap();
        let byte = byte.index(bytes.len());
        bytes[byte] ^= flip;
        if path.kind() == TileKind::Entries {
            let all_hold = decode_bundle(&bytes.clone(), path.width()).is_ok_and(|entries| {
                (path.start()..).zip(entries).all(|(index, bytes)| leaf_hash(bytes) == leaf_hash(&entry(index)))
            });
            prop_assert!(!all_hold);
            return Ok(());
        }
        let tiled = TileTree::new(size, |path: &TilePath| files.get(path).cloned());
        let all_hold = (0..size).all(|index| {
            inclusion_proof(&tiled, index, size).is_ok_and(|proof| {
                verify_inclusion(&leaf_hash(&entry(index)), index, size, &proof, &builder.head().root).is_ok()
            })
        });
        // The root of a full tile stands in the tile above too, and is read there if the proof needs that level.
        let leaves_hold = (0..size).all(|index| tiled.node(0, index) == Some(leaf_hash(&entry(index))));
        prop_assert!(!all_hold || !leaves_hold || root_at(&tiled, size) != Ok(builder.head().root));
    }
}
