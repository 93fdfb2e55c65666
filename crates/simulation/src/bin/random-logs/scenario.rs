//! Networks to take logs from.

use symphony_coordination::TaskSettings;
use symphony_protocol::{
    policy::{PolicyKind, PolicyParameters},
    records::{Policy, Reach},
    vote::VoteRule,
};
use symphony_simulation::{Links, Random, Scenario, Troubles, Workers};

/// A small network in which anything may go wrong that can go wrong to honest peers, under any policy.
pub(crate) fn scenario(random: &mut Random) -> Scenario {
    let share = |random: &mut Random, most: u32| u32_within(random, 0, most);
    let kind = PolicyKind::ALL[below(random, PolicyKind::ALL.len())];
    let mut policy = Policy::of_kind(kind);
    if kind.may_discount() && random.chance(500_000) {
        policy.parameters.discount_ppm = u32_within(random, 500_000, 1_000_000);
    }
    if random.chance(100_000) {
        policy.parameters.frozen_after = Some(random.within(0, 30));
    }
    policy.vote_rule = [
        VoteRule::Reliability,
        VoteRule::Screening,
        VoteRule::Majority,
    ][below(random, 3)];
    policy.parameters = PolicyParameters {
        lambda_ppm: u32_within(random, 1_000, 5_000_000),
        delta_ppm: u32_within(random, 1, 999_999),
        exploration_ppm: share(random, 2_000_000),
        ..policy.parameters
    };
    policy.winner_bonus_ppm = share(random, 2_000_000);
    policy.latency_penalty_ppm = share(random, 1_000_000);
    if random.chance(300_000) {
        // Nobody checks answers in a simulation; a changed entry may say that somebody did.
        policy.checker_ppm = share(random, 1_000_000);
    }
    let shortlist = u32_within(random, 1, 7);
    let troubled = random.chance(500_000);
    let peers = u32_within(random, 3, 9);
    Scenario {
        seed: random.bits(),
        peers,
        coordinators: u32_within(random, 1, peers.min(3)),
        tasks: u32_within(random, 1, 25),
        task_interval_ms: random.within(50, 600),
        plan_steps: (0..u32_within(random, 1, 3))
            .map(|_| u32_within(random, 1, 3))
            .collect(),
        imports: if random.chance(400_000) {
            u32_within(random, 1, 8)
        } else {
            0
        },
        settings: TaskSettings {
            executors: u32_within(random, 1, shortlist.min(4)),
            shortlist,
            asked: u32_within(random, 1, 10),
            bid_window_ms: u32_within(random, 50, 400),
            execute_ms: u32_within(random, 150, 2_000),
            reveal_ms: u32_within(random, 30, 600),
            reach: if random.chance(300_000) {
                Reach::Gossip
            } else {
                Reach::Directed
            },
            ..TaskSettings::default()
        },
        policy,
        workers: Workers {
            skilled_every: u32_within(random, 1, 4),
            failed_ppm: share(random, 100_000),
            unparsable_ppm: share(random, 100_000),
            hanging_ppm: share(random, 60_000),
            ..Workers::default()
        },
        links: Links {
            loss_ppm: if troubled { share(random, 40_000) } else { 0 },
            duplicate_ppm: share(random, 50_000),
            delay_ms: (1, random.within(2, 90)),
            ..Scenario::default().links
        },
        troubles: Troubles {
            crashes: if troubled { share(random, 12) } else { 0 },
            boundary_crash_ppm: if troubled { share(random, 4_000) } else { 0 },
            down_ms: (200, 3_000),
            clock_skew_ms: random.within(0, 300),
            ..Scenario::default().troubles
        },
        ..Scenario::default()
    }
}

fn u32_within(random: &mut Random, least: u32, most: u32) -> u32 {
    u32::try_from(random.within(u64::from(least), u64::from(most))).unwrap_or(most)
}

/// An index below `count`, which is not 0.
pub(crate) fn below(random: &mut Random, count: usize) -> usize {
    let most = u64::try_from(count.saturating_sub(1)).unwrap_or(u64::MAX);
    usize::try_from(random.within(0, most)).unwrap_or(0)
}
