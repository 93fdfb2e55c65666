//! The names of tiles.

use std::fmt;
use std::str::FromStr;

use super::{TILE_HEIGHT, TILE_LEVELS, TILE_WIDTH};

/// Longest path in bytes: `tile/entries/`, an index of 64 bits in seven groups of digits, and `.p/255`.
pub const TILE_PATH_LENGTH_MAX: usize = 52;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of complete nodes. Level 0 holds the leaves' hashes, each hash of the next level the root of a full tile.
    Hashes {
        /// Level of the tile, 0 to 63; trees have levels 0 to 7.
        level: u8,
    },
    /// Exact bytes of entries.
    Entries,
}

/// The name of one tile, as it stands in a URL and on disk: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
///
/// `Display` writes the one form that [`FromStr`] reads.
///
/// Spec: TILE-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// Why a text names no tile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TilePathError {
    /// Longer than any path of a tile.
    #[error("the path of a tile has at most {limit} bytes, not {actual}")]
    TooLong {
        /// [`TILE_PATH_LENGTH_MAX`].
        limit: usize,
        /// The length that was given.
        actual: usize,
    },
    /// Not of the form that names a tile.
    #[error(
        "a tile is named tile/<level or entries>/<index>, with .p/<width> behind if it is partial"
    )]
    BadForm,
    /// The level is no number from 0 to 63 without leading zeros.
    #[error("the level of a tile is a number from 0 to 63")]
    BadLevel,
    /// The index is not written in groups of three digits, all but the last after an x, or is no number of 64 bits.
    #[error("the index of a tile is written in groups of three digits, such as x001/x234/067")]
    BadIndex,
    /// The width of a partial tile is no number from 1 to 255 without leading zeros.
    #[error("the width of a partial tile is a number from 1 to 255")]
    BadWidth,
}

impl TilePath {
    /// Names a tile; `None` if no tree has one like it: a level above 7, a width of 0 or above [`TILE_WIDTH`], or an index
    /// whose entries would be beyond 64 bits.
    pub fn new(kind: TileKind, index: u64, width: u16) -> Option<Self> {
        let path = Self { kind, index, width };
        let is_level = path.tile_level() < TILE_LEVELS;
        let is_width = (1..=TILE_WIDTH).contains(&width);
        (is_level && is_width && path.end().is_some()).then_some(path)
    }

    /// What the tile holds.
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// Position of the tile within its level, from 0.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Number of hashes or entries, 1 to [`TILE_WIDTH`].
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it has all of its [`TILE_WIDTH`] hashes or entries: such a tile is the same in every larger tree.
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// Index of the first hash within its level of tiles, or of the first entry.
    pub fn start(&self) -> u64 {
        self.index.saturating_mul(u64::from(TILE_WIDTH))
    }

    /// Whether a tree of `size` leaves has all hashes or entries of the tile.
    ///
    /// Spec: TILE-3.
    pub fn exists_at(&self, size: u64) -> bool {
        self.end()
            .is_some_and(|end| end <= count_at(self.tile_level(), size))
    }

    /// Every tile that a tree of `size` leaves consists of, bundles first, then hashes by level: full ones, and the partial
    /// ones at the right edge.
    ///
    /// Spec: TILE-3.
    pub fn all_at(size: u64) -> impl Iterator<Item = Self> {
        let hashes = (0..TILE_LEVELS).map(|level| TileKind::Hashes { level });
        std::iter::once(TileKind::Entries)
            .chain(hashes)
            .flat_map(move |kind| {
                let level = Self::level_of(kind);
                let count = count_at(level, size);
                let width = u64::from(TILE_WIDTH);
                let full = (0..count / width).map(move |index| Self {
                    kind,
                    index,
                    width: TILE_WIDTH,
                });
                let partial = u16::try_from(count % width).ok().filter(|width| *width > 0);
                full.chain(partial.map(move |partial| Self {
                    kind,
                    index: count / width,
                    width: partial,
                }))
            })
    }

    /// Level of the tile; that of an entry bundle is 0, since it lies under the tile of that level.
    pub(super) const fn tile_level(&self) -> u8 {
        Self::level_of(self.kind)
    }

    const fn level_of(kind: TileKind) -> u8 {
        match kind {
            TileKind::Hashes { level } => level,
            TileKind::Entries => 0,
        }
    }

    /// Behind the last hash within its level of tiles, or the last entry.
    fn end(&self) -> Option<u64> {
        self.index
            .checked_mul(u64::from(TILE_WIDTH))?
            .checked_add(u64::from(self.width))
    }
}

/// Number of hashes that a tree of `size` leaves has at a level of tiles.
pub(super) fn count_at(tile_level: u8, size: u64) -> u64 {
    let level = u32::from(tile_level) * u32::from(TILE_HEIGHT);
    size.checked_shr(level).unwrap_or(0)
}

impl fmt::Display for TilePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(formatter, "tile/{level}/")?,
            TileKind::Entries => formatter.write_str("tile/entries/")?,
        }
        let digits = self.index.to_string();
        let digits = format!(
            "{digits:0>width$}",
            width = digits.len().next_multiple_of(3)
        );
        let groups = digits.len() / 3;
        for group in 0..groups {
            let last = group + 1 == groups;
            let prefix = if last { "" } else { "x" };
            let suffix = if last { "" } else { "/" };
            write!(
                formatter,
                "{prefix}{}{suffix}",
                &digits[3 * group..3 * group + 3]
            )?;
        }
        if !self.is_full() {
            write!(formatter, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > TILE_PATH_LENGTH_MAX {
            return Err(TilePathError::TooLong {
                limit: TILE_PATH_LENGTH_MAX,
                actual: text.len(),
            });
        }
        let (kind, rest) = text
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(TilePathError::BadForm)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes {
                level: decimal(level)
                    .and_then(|level| u8::try_from(level).ok())
                    .filter(|level| *level < 64)
                    .ok_or(TilePathError::BadLevel)?,
            },
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((index, width)) => {
                let width = decimal(width).and_then(|width| u16::try_from(width).ok());
                let width = width.filter(|width| (1..TILE_WIDTH).contains(width));
                (index, width.ok_or(TilePathError::BadWidth)?)
            }
        };
        Ok(Self {
            kind,
            index: parse_index(index).ok_or(TilePathError::BadIndex)?,
            width,
        })
    }
}

/// A number as it is written here: no sign, no leading zero.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn parse_index(text: &str) -> Option<u64> {
    let (groups, last) = text
        .rsplit_once('/')
        .map_or((None, text), |(groups, last)| (Some(groups), last));
    let mut digits = String::new();
    for group in groups.into_iter().flat_map(|groups| groups.split('/')) {
        digits.push_str(group.strip_prefix('x').filter(|group| is_group(group))?);
    }
    // A leading group of zeros would be a second name of the same tile.
    if digits.starts_with("000") || !is_group(last) {
        return None;
    }
    digits.push_str(last);
    digits.parse().ok()
}

fn is_group(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())
}
