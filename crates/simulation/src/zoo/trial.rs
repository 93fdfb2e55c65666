//! Trials: a network for each cheat, and networks in which everything goes wrong that can go wrong to honest peers.

use symphony_coordination::TaskSettings;
use symphony_protocol::records::{Policy, Reach};

use super::cheat::{Cheat, Side};
use crate::{
    random::Random,
    scenario::{Character, Links, Neighbours, Scenario, Troubles, Workers},
};

/// Peers of a network with a cheat.
const PEERS: u32 = 7;
/// The executor that cheats: no coordinator.
const EXECUTOR: u32 = 3;
/// Chances that a cheat lets pass at most.
const PATIENCE_MAX: u64 = 3;

/// A network of honest peers with one cheat in it (two where a cheat needs an accomplice), with loss, delay, disorder and
/// restarts. The same seed gives the same network.
pub fn cheat_scenario(cheat: Cheat, seed: u64) -> Scenario {
    let mut random = Random::new(seed);
    let patience = u32::try_from(random.within(0, PATIENCE_MAX)).unwrap_or(0);
    let peer = match cheat.side() {
        Side::Coordinator => 0,
        Side::Executor => EXECUTOR,
    };
    let mut characters = vec![(peer, Character::Cheat { cheat, patience })];
    if cheat == Cheat::NonOpeningCounted {
        // Somebody must reveal what does not open: an accomplice, who is convicted too.
        let accomplice = Character::Cheat {
            cheat: Cheat::NonOpeningReveal,
            patience: 0,
        };
        characters[0].1 = Character::Cheat { cheat, patience: 0 };
        characters.push((EXECUTOR, accomplice));
    }
    let coordinators = if cheat == Cheat::NonOpeningCounted {
        1
    } else {
        2
    };
    // Nobody asks a peer whose capability is over: only a beacon for everyone reaches it.
    let reach = if cheat == Cheat::ExpiredReliance {
        Reach::Gossip
    } else {
        Reach::Directed
    };
    let standard = Scenario::default();
    Scenario {
        seed,
        peers: PEERS,
        settings: TaskSettings {
            reach,
            asked: PEERS - 1,
            ..standard.settings
        },
        coordinators,
        policy: if cheat.needs_chance() {
            Policy::random_top()
        } else {
            Policy::shared()
        },
        tasks: 30,
        task_interval_ms: 400,
        links: Links {
            loss_ppm: 20_000,
            duplicate_ppm: 20_000,
            delay_ms: (1, 80),
            late_ppm: 5_000,
            late_ms: 5_000,
            neighbours: Neighbours::Everyone,
        },
        workers: Workers {
            hanging_ppm: 60_000,
            ..Workers::default()
        },
        troubles: Troubles {
            crashes: 5,
            boundary_crash_ppm: 500,
            clock_skew_ms: 200,
            ..Troubles::default()
        },
        followers: PEERS - 1,
        characters,
        ..standard
    }
}

/// A network of peers of which none cheats: they crash at every boundary, their clocks jump, their disks are put back, they
/// are gone for an hour; messages are lost, doubled, late and out of order; others try to have them exposed. The same seed
/// gives the same network.
pub fn honest_scenario(seed: u64) -> Scenario {
    let mut random = Random::new(seed);
    let mut draw = |least: u32, most: u32| {
        u32::try_from(random.within(least.into(), most.into())).unwrap_or(least)
    };
    let peers = draw(5, 8);
    let framers = draw(0, 2);
    let plan_steps = match draw(0, 3) {
        0 => vec![2, 1],
        1 => vec![1, 1, 2],
        _ => vec![1],
    };
    let policy = match draw(0, 3) {
        0 => Policy::paper(),
        1 => Policy::random_top(),
        _ => Policy::shared(),
    };
    let (reach, asked) = if draw(0, 3) == 0 {
        (Reach::Gossip, 4)
    } else {
        (Reach::Directed, 10)
    };
    let from_ms = u64::from(draw(2_000, 8_000));
    let partition_ms = (from_ms, from_ms + u64::from(draw(0, 8_000)));
    let clock_jump_ms = [1_000, 30_000, 7_200_000][draw(0, 2) as usize];
    let links = Links {
        loss_ppm: draw(0, 60_000),
        duplicate_ppm: draw(0, 100_000),
        delay_ms: (1, u64::from(draw(1, 150))),
        late_ppm: draw(0, 20_000),
        late_ms: u64::from(draw(100, 60_000)),
        neighbours: Neighbours::Everyone,
    };
    let troubles = Troubles {
        crashes: draw(0, 10),
        boundary_crash_ppm: draw(0, 8_000),
        down_ms: (200, 4_000),
        clock_skew_ms: u64::from(draw(0, 2_000)),
        partition_below: draw(0, peers),
        partition_ms,
        clock_jumps: draw(0, 6),
        clock_jump_ms,
        restored_backups: draw(0, 3),
        outages: u32::from(draw(0, 5) == 0),
        strangers: draw(0, 1),
        afterwards_ms: 40_000,
    };
    let workers = Workers {
        failed_ppm: draw(0, 40_000),
        unparsable_ppm: draw(0, 40_000),
        hanging_ppm: draw(0, 60_000),
        ..Workers::default()
    };
    Scenario {
        seed,
        peers,
        coordinators: 2,
        tasks: draw(10, 24),
        task_interval_ms: u64::from(draw(200, 1_200)),
        plan_steps,
        imports: draw(0, 4),
        settings: TaskSettings {
            bid_window_ms: 300,
            execute_ms: 2_000,
            reveal_ms: 600,
            reach,
            asked,
            ..TaskSettings::default()
        },
        policy,
        links,
        workers,
        troubles,
        followers: peers - 1,
        characters: (0..framers)
            .map(|number| (peers - 1 - number, Character::Framer))
            .collect(),
        ..Scenario::default()
    }
}
