//! Whole networks: the same seed gives the same logs, and no honest peer is ever exposed.

use symphony_coordination::TaskSettings;
use symphony_protocol::records::{Policy, Reach};
use symphony_simulation::{
    Links, Neighbours, Report, Scenario, TaskOutcome, Troubles, Workers, run,
};

fn describe(name: &str, report: &Report) {
    let entries: u64 = report.peers.iter().map(|peer| peer.size).sum();
    let void: u64 = report
        .peers
        .iter()
        .map(|peer| peer.counters.void_settlements)
        .sum();
    println!(
        "{name}: {} ms virtual, {} entries, {} messages ({} lost), {} crashes, {} selections settled, {void} void; \
         tasks right {} wrong {} unanswered {} refused {} lost {}; accuracy {:.3} then {:.3}; skilled {:.3} then {:.3}",
        report.virtual_ms,
        entries,
        report.messages,
        report.lost,
        report.crashes,
        report.selections.len(),
        report.count(TaskOutcome::Right),
        report.count(TaskOutcome::Wrong),
        report.count(TaskOutcome::Unanswered),
        report.count(TaskOutcome::Refused),
        report.count(TaskOutcome::Lost),
        report.accuracy(0, 25),
        report.accuracy(50, 100),
        report.skilled(0, 25),
        report.skilled(50, 100),
    );
}

/// Runs a scenario and checks what holds at the end of every run of honest peers.
fn run_checked(name: &str, scenario: &Scenario) -> Report {
    let report =
        run(scenario).unwrap_or_else(|error| panic!("{name} (seed {}): {error}", scenario.seed));
    describe(name, &report);
    assert_eq!(report.faults, [], "{name}: no honest peer is at fault");
    assert_eq!(report.violations, [""; 0], "{name}: nothing is lost");
    assert_eq!(
        report.peers.len(),
        scenario.peers as usize,
        "{name}: every peer is up at the end"
    );
    for (number, peer) in report.peers.iter().enumerate() {
        assert_eq!(
            peer.state_root, peer.replayed_root,
            "{name}: peer {number} replays to its own root"
        );
        assert_eq!(peer.open_steps, 0, "{name}: peer {number} has no open step");
        assert_eq!(
            peer.counters.tasks, peer.counters.tasks_decided,
            "{name}: peer {number} decided every task"
        );
    }
    report
}

/// One run's luck says little about learning; the mean of so many does.
const LEARNING_SEEDS: std::ops::RangeInclusive<u64> = 1..=4;

/// Everything goes wrong that can go wrong to honest peers.
fn troubled(seed: u64) -> Scenario {
    Scenario {
        seed,
        links: Links {
            loss_ppm: 20_000,
            duplicate_ppm: 50_000,
            delay_ms: (1, 80),
            ..Scenario::default().links
        },
        troubles: Troubles {
            crashes: 20,
            boundary_crash_ppm: 3_000,
            down_ms: (200, 3_000),
            clock_skew_ms: 400,
            partition_below: 5,
            partition_ms: (8_000, 12_000),
            ..Troubles::default()
        },
        workers: Workers {
            failed_ppm: 30_000,
            unparsable_ppm: 20_000,
            hanging_ppm: 20_000,
            ..Workers::default()
        },
        ..Scenario::default()
    }
}

#[test]
fn simulation_fifty_peers_with_loss_and_crashes_twice_give_equal_roots() {
    let scenario = Scenario {
        peers: 50,
        coordinators: 5,
        tasks: 100,
        ..troubled(50)
    };
    let first = run_checked("fifty", &scenario);
    assert!(first.crashes >= 15, "{} crashes", first.crashes);
    assert!(first.count(TaskOutcome::Right) > 20);
    let second = run(&scenario).expect("runs again");
    assert_eq!(first, second, "equal seeds give equal roots and equal logs");
}

#[test]
fn simulation_skilled_peers_are_selected_more_and_more() {
    for policy in [Policy::shared(), Policy::paper()] {
        let kind = policy.parameters.kind;
        let (mut before, mut after) = (0.0, 0.0);
        for seed in LEARNING_SEEDS {
            let scenario = Scenario {
                seed,
                coordinators: 1,
                tasks: 120,
                policy: policy.clone(),
                followers: 0,
                ..Scenario::default()
            };
            let report = run_checked(&format!("learning {kind:?} {seed}"), &scenario);
            before += report.skilled(0, 10);
            after += report.skilled(50, 100);
        }
        let runs = LEARNING_SEEDS.count() as f64;
        assert!(
            after > before + 0.05 * runs,
            "{kind:?}: skilled share {} then {}",
            before / runs,
            after / runs
        );
    }
}

/// Nobody beyond the limit hears a beacon, everybody within it does, and the answers come from those alone.
#[test]
fn beacon_15_a_hop_limit_reaches_exactly_the_peers_within_it() {
    for hop_limit in [0, 1, 3, 7] {
        let scenario = Scenario {
            peers: 9,
            coordinators: 1,
            tasks: 12,
            settings: TaskSettings {
                reach: Reach::Gossip,
                hop_limit,
                ..Scenario::default().settings
            },
            links: Links {
                neighbours: Neighbours::Line,
                loss_ppm: 0,
                ..Scenario::default().links
            },
            ..Scenario::default()
        };
        let report = run_checked(&format!("{hop_limit} hops"), &scenario);
        let expected: Vec<u64> = (0..9_u32)
            .map(|peer| {
                if (1..=hop_limit).contains(&peer) {
                    12
                } else {
                    0
                }
            })
            .collect();
        assert_eq!(report.beacons_heard, expected, "{hop_limit} hops");
        assert_eq!(report.refused, 0);
    }
}

#[test]
fn simulation_many_seeds_of_trouble_expose_nobody() {
    for seed in 1..=12 {
        let mut scenario = Scenario {
            peers: 9,
            tasks: 30,
            task_interval_ms: 250,
            ..troubled(seed)
        };
        if seed % 3 == 0 {
            scenario.plan_steps = vec![2, 1, 3];
        }
        if seed % 4 == 0 {
            scenario.settings = TaskSettings {
                reach: Reach::Gossip,
                asked: 4,
                ..scenario.settings
            };
        }
        if seed % 5 == 0 {
            scenario.policy = Policy::paper();
        }
        run_checked(&format!("trouble {seed}"), &scenario);
    }
}

#[test]
fn simulation_without_anybody_to_ask_a_task_ends_soon() {
    let scenario = Scenario {
        peers: 2,
        coordinators: 1,
        tasks: 5,
        troubles: Troubles {
            partition_below: 1,
            partition_ms: (0, 10_000_000),
            ..Scenario::default().troubles
        },
        ..Scenario::default()
    };
    let report = run_checked("alone", &scenario);
    assert_eq!(
        report.count(TaskOutcome::Right) + report.count(TaskOutcome::Wrong),
        5,
        "the coordinator itself answers"
    );
}
