//! How long one file of evidence takes to check, from its bytes.

use std::time::Instant;

use symphony_protocol::{
    evidence::Evidence,
    records::{Body, Policy},
};
use symphony_transparency::Digest;

use crate::Settings;
use crate::kit::{World, replay};
use crate::table::{Required, Runs, Table};

/// Checks of one run.
const CHECKS: u32 = 50;

pub(crate) fn rows(settings: &Settings, table: &mut Table) {
    for (what, evidence) in cases() {
        let bytes = evidence.bytes().to_vec();
        let checked = Runs::of(settings.runs, || {
            let start = Instant::now();
            for _ in 0..CHECKS {
                let read = Evidence::parse(std::hint::black_box(&bytes)).unwrap();
                read.verify().unwrap();
            }
            start.elapsed().as_secs_f64() * 1e3 / f64::from(CHECKS)
        });
        table.row(
            format!("check of evidence of {what}, {} bytes", bytes.len()),
            &checked,
            "ms",
            "",
            Required::AtMost(5.0),
        );
    }
}

/// Wrong decisions of a coordinator that settled some tasks of ten bids: what they open grows in this order.
fn cases() -> [(&'static str, Evidence); 3] {
    let closing = |world: &mut World| {
        world.open(1).announce(0).take_bids();
    };
    let voted = |world: &mut World| {
        world.until_voted();
    };
    [
        (
            "a wrong ranking",
            evidence(closing, |body| {
                if let Body::Close(close) = body {
                    close.ranking.swap(0, 1);
                }
            }),
        ),
        (
            "a wrong reward",
            evidence(voted, |body| {
                if let Body::Settlement(settlement) = body {
                    settlement.outcomes[0].reward = 0.25;
                }
            }),
        ),
        (
            "a wrong state root",
            evidence(voted, |body| {
                if let Body::Settlement(settlement) = body {
                    settlement.state_root = Digest::ZERO;
                }
            }),
        ),
    ]
}

fn evidence(until: fn(&mut World), falsify: fn(&mut Body)) -> Evidence {
    let mut world = World::new(10, Policy::shared());
    world.shortlist = 5;
    world.picked = 3;
    for _ in 0..8 {
        world.whole_task();
        world.pass(1);
    }
    until(&mut world);
    let mut body = world.coordinator.decision();
    falsify(&mut body);
    let author = &world.coordinator;
    let entries = [author.entries.as_slice(), &[author.entry(body).encode()]].concat();
    let fault = replay(&entries).err().unwrap();
    author.prove(&entries, &fault)
}
