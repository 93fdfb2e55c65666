//! Where the programs lie.

use std::path::{Path, PathBuf};

use symphony_executor::{ExecutorConfig, ExternalCommandConfig};

/// Which program plays a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// The release binary.
    Symphony,
    /// Writes a wrong reward into its log.
    LyingCoordinator,
    /// Bids a match that its capability does not have.
    FalseBidder,
    /// Dies at a boundary, if told to.
    DyingPeer,
}

impl Program {
    pub(crate) fn path(self) -> PathBuf {
        match self {
            Self::Symphony => symphony(),
            Self::LyingCoordinator => env!("CARGO_BIN_EXE_lying-coordinator").into(),
            Self::FalseBidder => env!("CARGO_BIN_EXE_false-bidder").into(),
            Self::DyingPeer => env!("CARGO_BIN_EXE_dying-peer").into(),
        }
    }
}

/// The binary `symphony`, which cargo puts beside this package's programs.
pub(crate) fn symphony() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_scripted-answerer")).with_file_name("symphony");
    assert!(
        path.is_file(),
        "{} is missing: build it with `cargo build -p symphony-node --bins`",
        path.display()
    );
    path
}

/// An executor that adds up the numbers of a question, and is right this often.
pub(crate) fn scripted(right_percent: u32, delay_ms: u32) -> ExecutorConfig {
    let model = format!("adder-{right_percent}");
    let mut config = ExternalCommandConfig::new(env!("CARGO_BIN_EXE_scripted-answerer"), model);
    config.arguments = vec![right_percent.to_string(), delay_ms.to_string()];
    ExecutorConfig::Command(config)
}

/// The model engine, if it is built. `SYMPHONY_REQUIRE_ENGINE` makes its absence a failure.
pub(crate) fn engine() -> Option<PathBuf> {
    let named = std::env::var_os("SYMPHONY_ENGINE_BINARY").map(PathBuf::from);
    let engine = named.filter(|path| path.is_file());
    if engine.is_none() {
        assert!(
            std::env::var_os("SYMPHONY_REQUIRE_ENGINE").is_none(),
            "SYMPHONY_ENGINE_BINARY names no engine, and SYMPHONY_REQUIRE_ENGINE is set"
        );
        println!("skipped: no engine; SYMPHONY_ENGINE_BINARY names one");
    }
    engine
}

/// The folder of the models.
pub(crate) fn models() -> PathBuf {
    std::env::var_os("SYMPHONY_MODELS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../models"),
        PathBuf::from,
    )
}
