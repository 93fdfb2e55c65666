//! Who plays: fifteen peers, honest and not, weak and strong.

/// What is special about a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Opens the tasks; has no model.
    Asker,
    /// Does its best.
    Honest,
    /// Honest and slow.
    Slow,
    /// Is killed in the middle.
    Mortal,
    /// Claims every skill.
    OverClaimer,
    /// Bids a match that its capability does not have.
    FalseBidder,
    /// Coordinates a few tasks of its own and writes a wrong reward into its log.
    Liar,
}

/// A peer of the demo.
#[derive(Clone, Debug)]
pub(super) struct Player {
    /// What the demo calls it.
    pub(super) name: &'static str,
    /// What is special about it.
    pub(super) part: Part,
    /// Folder of its model.
    pub(super) model: Option<&'static str>,
    /// Skills that it claims.
    pub(super) tags: &'static [&'static str],
}

const BOOLEAN: &str = "boolean-expressions";
const NAVIGATION: &str = "navigation";
const TRUTH: &str = "truth-chains";
const ALL: &[&str] = &[
    "boolean-expressions",
    "brackets",
    "counting",
    "general",
    "navigation",
    "truth-chains",
];

impl Part {
    /// The program that plays it, when it is not `symphony` itself.
    pub(super) fn program(self) -> Option<&'static str> {
        match self {
            Self::Slow => Some("slow-peer"),
            Self::FalseBidder => Some("false-bidder"),
            Self::Liar => Some("lying-coordinator"),
            Self::Asker | Self::Honest | Self::Mortal | Self::OverClaimer => None,
        }
    }

    /// In words, for people.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Asker => "asks and coordinates",
            Self::Honest => "honest",
            Self::Slow => "honest, slow",
            Self::Mortal => "honest, dies in the middle",
            Self::OverClaimer => "claims every skill",
            Self::FalseBidder => "bids a false match",
            Self::Liar => "coordinates, writes a wrong reward",
        }
    }
}

/// The cast. Which model a peer holds is data: no code depends on it.
pub(super) fn cast() -> Vec<Player> {
    let player = |name, part, model, tags| Player {
        name,
        part,
        model,
        tags,
    };
    vec![
        player("asker", Part::Asker, None, &[]),
        player("liar", Part::Liar, None, &[]),
        player("bo", Part::Honest, Some("boolean_expressions"), &[BOOLEAN]),
        player(
            "half-bo",
            Part::Honest,
            Some("boolean_expressions-half"),
            &[BOOLEAN],
        ),
        player("mo", Part::Mortal, Some("boolean_expressions"), &[BOOLEAN]),
        player("nav", Part::Honest, Some("navigate"), &[NAVIGATION]),
        player(
            "half-nav",
            Part::Honest,
            Some("navigate-half"),
            &[NAVIGATION],
        ),
        player("vera", Part::Slow, Some("web_of_lies"), &[TRUTH]),
        player(
            "half-vera",
            Part::Honest,
            Some("web_of_lies-half"),
            &[TRUTH],
        ),
        player(
            "gene",
            Part::Honest,
            Some("generalist"),
            &[BOOLEAN, "general", NAVIGATION, TRUTH],
        ),
        player("knows-all", Part::OverClaimer, Some("navigate-early"), ALL),
        player(
            "early-vera",
            Part::Honest,
            Some("web_of_lies-early"),
            &[TRUTH],
        ),
        player(
            "early-nav",
            Part::Honest,
            Some("navigate-early"),
            &[NAVIGATION],
        ),
        player(
            "early-bo",
            Part::Honest,
            Some("boolean_expressions-early"),
            &[BOOLEAN],
        ),
        player(
            "fibber",
            Part::FalseBidder,
            Some("boolean_expressions-early"),
            &[BOOLEAN, "general", "poetry"],
        ),
    ]
}
