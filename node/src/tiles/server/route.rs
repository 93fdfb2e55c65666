//! What a path names.

use symphony_transparency::{Digest, tiles::TilePath};

/// A resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The list of logs.
    Index,
    /// A log's newest checkpoint.
    Checkpoint(Prefix),
    /// A log's tile or bundle.
    Tile(Prefix, TilePath),
    /// Where cosignatures are asked for.
    AddCheckpoint,
}

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// The node's own, at the root.
    Own,
    /// One that it stores, under its id.
    Log(Digest),
}

impl Route {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    ///
    /// Spec: TILE-1, TILE-6.
    pub(super) fn parse(path: &str) -> Result<Self, String> {
        let path = path.strip_prefix('/').ok_or("a path begins with /")?;
        match path {
            "" => return Ok(Self::Index),
            "add-checkpoint" => return Ok(Self::AddCheckpoint),
            _ => {}
        }
        let (prefix, rest) = match path.strip_prefix("log/") {
            None => (Prefix::Own, path),
            Some(rest) => {
                let (log, rest) = rest
                    .split_once('/')
                    .ok_or("a log's resources lie under /log/<log id>/")?;
                let log = log.parse().map_err(|error| format!("log id: {error}"))?;
                (Prefix::Log(log), rest)
            }
        };
        if rest == "checkpoint" {
            return Ok(Self::Checkpoint(prefix));
        }
        match rest.parse() {
            Ok(tile) => Ok(Self::Tile(prefix, tile)),
            Err(error) => Err(format!("no such resource: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tile_6_logs_lie_at_the_root_and_under_their_ids() {
        let log = Digest::from_bytes([7; 32]);
        let tile: TilePath = "tile/0/x001/234.p/5".parse().expect("a tile");
        assert_eq!(Route::parse("/"), Ok(Route::Index));
        assert_eq!(Route::parse("/add-checkpoint"), Ok(Route::AddCheckpoint));
        assert_eq!(
            Route::parse("/checkpoint"),
            Ok(Route::Checkpoint(Prefix::Own))
        );
        assert_eq!(
            Route::parse(&format!("/log/{log}/checkpoint")),
            Ok(Route::Checkpoint(Prefix::Log(log)))
        );
        assert_eq!(
            Route::parse("/tile/0/x001/234.p/5"),
            Ok(Route::Tile(Prefix::Own, tile))
        );
        assert_eq!(
            Route::parse(&format!("/log/{log}/tile/0/x001/234.p/5")),
            Ok(Route::Tile(Prefix::Log(log), tile))
        );
    }

    #[test]
    fn tile_6_what_is_no_resource_is_none() {
        let log = "07".repeat(32);
        for path in [
            "",
            "checkpoint",
            "//checkpoint",
            "/checkpoint/",
            "/log/07/checkpoint",
            &format!("/log/{log}"),
            &format!("/log/{log}/"),
            &format!("/log/{log}/add-checkpoint"),
            &format!("/log/{}/checkpoint", log.to_uppercase().replace('0', "A")),
            "/tile/0/../checkpoint",
            "/tile/0/000.p/256",
            "/tile/0/%30%30%30",
        ] {
            assert!(Route::parse(path).is_err(), "{path}");
        }
    }
}
