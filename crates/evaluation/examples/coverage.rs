//! How often intervals leave the truth out, how wide they are, and how far estimates are off, where the truth is known.
//!
//! `cargo run -p symphony-evaluation --example coverage -- [RUNS]`

#[path = "../tests/suite/world.rs"]
mod world;

use world::WORLDS;

const ALPHA: f64 = 0.05;

fn main() {
    let runs: u64 = std::env::args()
        .nth(1)
        .and_then(|argument| argument.parse().ok())
        .unwrap_or(1_000);
    println!("{runs} runs each, seeds 1 to {runs}, nominal confidence 95 %");
    println!(
        "| world | votes | IPS: left out ever / at the end | width | DR: left out ever / at the end | width | bias of IPS | of SNIPS | of DR (standard error) |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for world in WORLDS {
        let mut ever = (0, 0);
        let mut end = (0, 0);
        let mut width = (0.0, 0.0);
        let mut errors = [0.0; 3];
        let mut squares = [0.0; 3];
        for seed in 1..=runs {
            let run = world.run(seed, ALPHA);
            let estimate = run.estimate.estimate(ALPHA).expect("votes");
            ever.0 += u64::from(run.missed.0);
            ever.1 += u64::from(run.missed.1);
            let now = run.estimate.refutes(run.truth, ALPHA);
            end.0 += u64::from(now.0);
            end.1 += u64::from(now.1);
            width.0 += estimate.ips_interval.high - estimate.ips_interval.low;
            width.1 += estimate.doubly_robust_interval.high - estimate.doubly_robust_interval.low;
            let made = [
                estimate.ips,
                estimate.snips.unwrap_or(estimate.ips),
                estimate.doubly_robust,
            ];
            for (place, value) in made.into_iter().enumerate() {
                errors[place] += value - run.truth;
                squares[place] += (value - run.truth) * (value - run.truth);
            }
        }
        let count = runs as f64;
        let biases: Vec<String> = errors
            .iter()
            .zip(squares)
            .map(|(error, square)| {
                let deviation = (square / count - (error / count) * (error / count)).sqrt();
                format!("{:+.4} ({:.4})", error / count, deviation / count.sqrt())
            })
            .collect();
        println!(
            "| {} | {} | {} / {} | {:.3} | {} / {} | {:.3} | {} |",
            world.name,
            world.votes,
            ever.0,
            end.0,
            width.0 / count,
            ever.1,
            end.1,
            width.1 / count,
            biases.join(" | ")
        );
    }
}
