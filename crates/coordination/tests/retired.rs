//! A peer whose log has ended gets no more work, and is not held at fault. Spec: STORE-25.
#![allow(clippy::unwrap_used, reason = "tests")]

use symphony_coordination::{
    Chaining, Effect, Event, Output, Peer, PeerConfig, PlanRequest, Profile, StepRequest,
    TaskRequest, TaskSettings,
};
use symphony_protocol::{
    records::{AnswerForm, Body, Entry, Genesis, Params, Policy, Reach, TaskKey},
    replay::Replay,
};
use symphony_transparency::{PeerSecrets, SecretKey, UnverifiedStatement, VerifiedStatement};

const START_MS: u64 = 1_000_000;

fn params() -> Params {
    Params::standard("retired", 0).unwrap()
}

/// A peer that answers boolean questions, and what it says at its start.
fn peer(seed: u8) -> (Peer, Output) {
    let key = |offset: u8| SecretKey::from_bytes([seed + offset; 32]);
    let secrets = PeerSecrets {
        log: key(0),
        transport: key(50),
        witness: key(100),
    };
    let entry_0 = Genesis::bind(&secrets, params())
        .search_stamp(START_MS, 1)
        .unwrap();
    let config = PeerConfig {
        profile: Some(Profile {
            tags: vec!["boolean".to_owned()],
            description: "boolean".to_owned(),
            models: Vec::new(),
            price_microunits: 0,
            parallel_max: 2,
        }),
        policy: Policy::shared(),
        capability_ms: 20_000,
        queue_max: 2,
        tasks_max: 3,
    };
    let mut peer = Peer::new(key(0), Replay::begin(&entry_0, None).unwrap(), config);
    let output = peer.start(START_MS).unwrap();
    (peer, output)
}

fn capability(output: &Output) -> VerifiedStatement {
    let published = output.effects.iter().find_map(|effect| match effect {
        Effect::Publish { statement } => Some(statement.clone()),
        _ => None,
    });
    UnverifiedStatement::parse(&published.unwrap())
        .unwrap()
        .verify(&params().network_id())
        .unwrap()
}

fn heard(statement: VerifiedStatement, token: Option<u64>) -> Event {
    Event::Statement {
        statement,
        private: Vec::new(),
        token,
    }
}

fn question() -> Event {
    let step = StepRequest {
        text: "not True".to_owned(),
        tags: vec!["boolean".to_owned()],
        form: AnswerForm::Boolean,
    };
    Event::Submit {
        request: 1,
        task: TaskRequest {
            plans: vec![PlanRequest { steps: vec![step] }],
            settings: TaskSettings {
                executors: 1,
                shortlist: 2,
                asked: 2,
                bid_window_ms: 200,
                execute_ms: 400,
                reveal_ms: 200,
                reach: Reach::Directed,
                hop_limit: 0,
                planners: 0,
                chaining: Chaining::Coordinated,
                task_ms: None,
            },
            gold: None,
        },
        key: TaskKey::from_bytes([7; 32]),
        planning_key: TaskKey::from_bytes([8; 32]),
    }
}

/// How many peers the coordinator asks for bids.
fn asked(output: &Output) -> usize {
    let network = params().network_id();
    let beacon = output.entries.iter().find_map(|bytes| {
        match Entry::parse(bytes, Some(&network)).unwrap().body {
            Body::BeaconIssued(issued) => Some(issued.record),
            _ => None,
        }
    });
    beacon.map_or(0, |beacon| beacon.asked.len())
}

#[test]
fn store_25_a_retired_peer_is_asked_no_more_and_not_exposed() {
    for (retired, expected) in [(false, 1), (true, 0)] {
        let (mut coordinator, _) = peer(1);
        let (answerer, said) = peer(2);
        let key = answerer.author();
        let reachable = Event::Reachable {
            peer: key,
            reachable: true,
        };
        coordinator.handle(reachable, START_MS).unwrap();
        coordinator
            .handle(heard(capability(&said), None), START_MS)
            .unwrap();
        if retired {
            coordinator
                .handle(Event::Retired { peer: key }, START_MS)
                .unwrap();
        }
        let output = coordinator.handle(question(), START_MS).unwrap();
        assert_eq!(asked(&output), expected, "retired: {retired}");
        let found = output
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Found(_)));
        assert!(!found, "a retirement is no fault");

        let output = coordinator
            .handle(heard(capability(&said), Some(3)), START_MS)
            .unwrap();
        let refused = output
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Refuse { token: 3, .. }));
        assert_eq!(refused, retired, "{:?}", output.effects);
    }
}
