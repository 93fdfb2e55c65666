//! An honest peer that dies at the n-th passing of a boundary, as if its power had been cut there.
//!
//! Usage: `dying-peer --home DIR [--bootstrap ADDRESS]… [--boundary NAME --passings N]`. Without a boundary it lives on.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::Context as _;
use symphony_node::runtime::{Boundaries, Boundary, Hooks};

/// Ends the process, without a goodbye, when it has passed a boundary often enough.
struct Death {
    boundary: Boundary,
    passings_left: AtomicU64,
}

impl Boundaries for Death {
    fn pass(&self, boundary: Boundary) {
        if boundary == self.boundary && self.passings_left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}

fn main() -> anyhow::Result<()> {
    let (mut home, mut bootstrap, mut boundary, mut passings) = (None, Vec::new(), None, 1);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments
            .next()
            .with_context(|| format!("{flag}: a value is missing"))?;
        match flag.as_str() {
            "--home" => home = Some(value),
            "--bootstrap" => bootstrap.push(value),
            "--boundary" => {
                let named = Boundary::ALL
                    .into_iter()
                    .find(|known| known.name() == value);
                boundary = Some(named.with_context(|| format!("no boundary {value}"))?);
            }
            "--passings" => passings = value.parse()?,
            _ => anyhow::bail!("unknown flag {flag}"),
        }
    }
    let home = home.context("--home DIR is missing")?;
    let mut hooks = Hooks::faithful();
    if let Some(boundary) = boundary {
        hooks.boundaries = Arc::new(Death {
            boundary,
            passings_left: AtomicU64::new(passings),
        });
    }
    symphony_tests::run_node(home.as_ref(), bootstrap, hooks)
}
