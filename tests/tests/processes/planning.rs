//! Planners that are found by a beacon; tasks that are given up, that run out of time, that are submitted twice.

use symphony_admin::{AdminClient, ClientError, ErrorKind, v1, v1::task_event::Kind};
use symphony_executor::{ExecutorConfig, ExternalCommandConfig};
use symphony_protocol::records::{Body, Entry};
use tokio::process::Command;

use crate::support::{Network, Program, Role, TIME_MAX, audit, entries, scripted, symphony};

/// Too much for one peer: it computes one operation at a time.
const QUESTION: &str = "((2 + 3) * (4 + 5)) - 1";

/// A peer that plans and computes, or only talks.
fn peer(name: &'static str, arguments: &[&str], tags: &'static [&'static str]) -> Role {
    let mut config =
        ExternalCommandConfig::new(env!("CARGO_BIN_EXE_arithmetic-peer"), "arithmetic");
    config.arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
    Role {
        name,
        program: Program::Symphony,
        executor: Some(ExecutorConfig::Command(config)),
        tags,
    }
}

fn question(planners: u32) -> v1::SubmitRequest {
    let step = v1::Step {
        text: QUESTION.to_owned(),
        tags: vec!["sums".to_owned()],
        form: v1::AnswerForm::Integer.into(),
    };
    v1::SubmitRequest {
        work: Some(v1::submit_request::Work::Question(step)),
        settings: Some(settings(planners)),
        ..v1::SubmitRequest::default()
    }
}

fn settings(planners: u32) -> v1::TaskSettings {
    v1::TaskSettings {
        executors: 2,
        bid_window_ms: 1_000,
        execute_ms: 10_000,
        planners,
        ..v1::TaskSettings::default()
    }
}

/// Everything that a task's client is told.
async fn told(client: &AdminClient, request: v1::SubmitRequest) -> anyhow::Result<Vec<Kind>> {
    let mut events = client.submit(request).await?;
    let all = async {
        let mut kinds = Vec::new();
        while let Some(event) = events.message().await? {
            kinds.extend(event.kind);
        }
        Ok::<_, ClientError>(kinds)
    };
    Ok(tokio::time::timeout(TIME_MAX, all).await??)
}

fn answer(kinds: &[Kind]) -> Option<&str> {
    match kinds.last() {
        Some(Kind::Decided(decided)) => Some(decided.answer.as_str()),
        _ => None,
    }
}

fn planned(kinds: &[Kind]) -> Option<&v1::TaskPlanned> {
    kinds.iter().find_map(|kind| match kind {
        Kind::Planned(planned) => Some(planned),
        _ => None,
    })
}

fn task(kinds: &[Kind]) -> Option<u64> {
    kinds.iter().find_map(|kind| match kind {
        Kind::Opened(opened) => Some(opened.task),
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plan_2_a_question_too_hard_for_any_peer_is_answered_by_a_plan() -> anyhow::Result<()> {
    let network = Network::start(vec![
        Role::asker("asker"),
        peer("ada", &[], &["hand-over", "plan", "sums"]),
        peer("bob", &[], &["hand-over", "plan", "sums"]),
        peer("cid", &[], &["hand-over", "sums"]),
    ])
    .await?;
    let client = network.peers[0].client().await?;

    let alone = told(&client, question(0)).await?;
    assert_eq!(answer(&alone), Some(""), "{alone:?}");

    let kinds = told(&client, question(2)).await?;
    assert_eq!(answer(&kinds), Some("44"), "{kinds:?}");
    let planned = planned(&kinds).expect("planned");
    assert!(planned.by_planners);
    let steps: Vec<Vec<&str>> = planned
        .plans
        .iter()
        .map(|plan| plan.steps.iter().map(|step| step.text.as_str()).collect())
        .collect();
    let plan = vec!["2 + 3", "4 + 5", "(2 + 3) * (4 + 5)", QUESTION];
    assert_eq!(steps, [plan.clone(), plan]);

    // The same as a chain: each executor coordinates the next step in its own log.
    let mut request = question(1);
    request.settings = Some(v1::TaskSettings {
        executors: 1,
        chaining: v1::Chaining::HandedOver.into(),
        ..settings(1)
    });
    let kinds = told(&client, request).await?;
    assert_eq!(answer(&kinds), Some("44"), "{kinds:?}");
    let is_beacon = |kind: &&Kind| matches!(kind, Kind::Beacon(_));
    assert_eq!(
        kinds.iter().filter(is_beacon).count(),
        2,
        "to plan, and to begin"
    );

    let exports = network.export_all().await?;
    audit(&exports).await?.assert_clean();
    let mut links = 0;
    for export in &exports[1..] {
        let opened = |entry: &&Entry| matches!(entry.body, Body::TaskOpened(_));
        links += entries(export)?.iter().filter(opened).count();
    }
    assert_eq!(
        links, 3,
        "of four steps, each but the last hands the rest on"
    );
    let roles = Command::new(symphony())
        .args(["policy", "roles", "--json"])
        .arg(network.export(0).await?)
        .output()
        .await?;
    assert!(roles.status.success(), "{roles:?}");
    let kinds: Vec<serde_json::Value> = String::from_utf8(roles.stdout)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let tags: Vec<&str> = kinds
        .iter()
        .filter_map(|kind| kind["tags"][0].as_str())
        .collect();
    assert_eq!(tags, ["hand-over", "plan", "sums"]);
    assert_eq!(kinds[1]["selections"], 3, "two planners, then one");
    network.assert_no_panic();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plan_2_without_a_usable_plan_the_question_is_asked_as_it_is() -> anyhow::Result<()> {
    let network = Network::start(vec![
        Role::asker("asker"),
        peer("ada", &["prose"], &["plan", "sums"]),
        peer("bob", &[], &["sums"]),
    ])
    .await?;
    let client = network.peers[0].client().await?;
    let mut request = question(1);
    if let Some(v1::submit_request::Work::Question(step)) = &mut request.work {
        step.text = "20 - 3".to_owned();
    }
    let kinds = told(&client, request).await?;
    assert_eq!(answer(&kinds), Some("17"), "{kinds:?}");
    let planned = planned(&kinds).expect("planned");
    assert!(!planned.by_planners);
    assert_eq!(planned.plans.len(), 1);
    audit(&network.export_all().await?).await?.assert_clean();
    network.assert_no_panic();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plan_3_a_task_is_given_up_or_runs_out_of_time_and_is_never_opened_twice()
-> anyhow::Result<()> {
    let network = Network::start(vec![
        Role::asker("asker"),
        // Slow, so that what is said at the start arrives before the first step ends.
        Role::answerer("ada", scripted(100, 1_000)),
        Role::answerer("bob", scripted(100, 1_000)),
    ])
    .await?;
    let client = network.peers[0].client().await?;

    // The same submission again reports the same task.
    let named = v1::SubmitRequest {
        submission_id: "once".to_owned(),
        ..question(0)
    };
    let first = told(&client, named.clone()).await?;
    let again = told(&client, named.clone()).await?;
    assert_eq!(first, again);
    let mut other = named;
    other.settings = Some(settings(1));
    let refused = told(&client, other).await?;
    assert!(
        matches!(refused.as_slice(), [Kind::Failed(_)]),
        "{refused:?}"
    );
    let index = task(&first).expect("opened");
    let closed = client.cancel(index).await.expect_err("decided long ago");
    assert_eq!(closed.kind(), ErrorKind::NotFound);

    // Given up in its first step: that one is settled, the second asks nobody.
    let step = |text: &str| v1::Step {
        text: text.to_owned(),
        tags: vec!["sums".to_owned()],
        form: v1::AnswerForm::Integer.into(),
    };
    let plan = v1::Plan {
        steps: vec![step("2 + 3"), step("4 + 5")],
    };
    let plans = v1::SubmitRequest {
        work: Some(v1::submit_request::Work::Plans(v1::Plans {
            plans: vec![plan],
        })),
        settings: Some(settings(0)),
        ..v1::SubmitRequest::default()
    };
    let mut events = client.submit(plans.clone()).await?;
    let mut kinds = Vec::new();
    while let Some(event) = events.message().await? {
        if let Some(Kind::Opened(opened)) = &event.kind {
            client.cancel(opened.task).await?;
        }
        kinds.extend(event.kind);
    }
    assert_eq!(answer(&kinds), Some(""), "{kinds:?}");
    let asked: Vec<u32> = kinds
        .iter()
        .filter_map(|kind| match kind {
            Kind::Beacon(beacon) => Some(beacon.asked),
            _ => None,
        })
        .collect();
    assert_eq!(asked, [2, 0]);
    let stopped_by = |kinds: &[Kind]| {
        kinds.iter().find_map(|kind| match kind {
            Kind::Stopped(stopped) => Some(stopped.by()),
            _ => None,
        })
    };
    assert_eq!(stopped_by(&kinds), Some(v1::StoppedBy::Client));

    // One millisecond is over before anything can be asked a second time.
    let hurried = v1::SubmitRequest {
        settings: Some(v1::TaskSettings {
            task_ms: 1,
            ..settings(0)
        }),
        ..plans
    };
    let kinds = told(&client, hurried).await?;
    assert_eq!(answer(&kinds), Some(""), "{kinds:?}");

    audit(&network.export_all().await?).await?.assert_clean();
    network.assert_no_panic();
    Ok(())
}
