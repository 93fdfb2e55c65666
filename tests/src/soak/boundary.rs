//! Where a writer can end itself.

/// A boundary in the work of whoever appends and releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Boundary {
    /// The request is queued, and nothing is known of it.
    Queued,
    /// The entries are on the device; the signing record does not cover them.
    Synced,
    /// The signing record covers them; nobody was told.
    Recorded,
    /// They were released.
    Released,
    /// The database is open, and nothing else was done.
    Opened,
}

impl Boundary {
    /// All boundaries.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Synced,
        Self::Recorded,
        Self::Released,
        Self::Opened,
    ];

    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Synced => "synced",
            Self::Recorded => "recorded",
            Self::Released => "released",
            Self::Opened => "opened",
        }
    }

    /// The boundary of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|boundary| boundary.name() == name)
    }
}
