//! Death at every boundary of append, sync, sign and send, and what must be there afterwards. Spec: STORE-12.

use symphony_admin::{AdminClient, LogName, v1};
use symphony_node::runtime::Boundary;

use crate::{
    kills::{
        assert_acknowledged_is_there, assert_every_step_is_settled, assert_nobody_is_exposed,
        resumed,
    },
    support::{
        Network, Program, Role, TIME_MAX, ask_within, audit, entries, read_export, scripted,
        sum_question, sum_step,
    },
};

/// At which passings of a boundary a process dies: at its first, and amid a question.
const PASSINGS: [u64; 3] = [1, 4, 9];
/// Questions after which it must have died. Checkpoints are signed at intervals, however fast questions are answered.
const QUESTIONS_MAX: u32 = 2_000;

/// What asks until a process is dead, and whether every question that it does not interrupt must be answered.
struct Questions {
    number: u32,
    answered: u32,
}

impl Questions {
    async fn ask(&mut self, client: &AdminClient) -> anyhow::Result<Option<bool>> {
        let (question, sum) = sum_question(self.number);
        self.number += 1;
        let settings = v1::TaskSettings {
            executors: 2,
            close_bids: 3,
            bid_window_ms: 500,
            execute_ms: 500,
            reveal_ms: 500,
            ..v1::TaskSettings::default()
        };
        let answered = ask_within(client, sum_step(&question), settings).await?;
        self.answered += u32::from(answered.answer.is_some());
        Ok(answered.answer.map(|answer| answer == sum))
    }
}

/// One life: the peer `dying` is started, dies at the boundary while `asker` asks, and is dead afterwards.
async fn live_until(
    network: &mut Network,
    (asker, dying): (usize, usize),
    (boundary, passings): (Boundary, u64),
    questions: &mut Questions,
) -> anyhow::Result<()> {
    let flags = [
        "--boundary".to_owned(),
        boundary.name().to_owned(),
        "--passings".to_owned(),
        passings.to_string(),
    ];
    network.start_again(dying, &flags)?;
    let what = format!("{} passings of {}", passings, boundary.name());
    let living = async {
        // It may die before it is ready.
        if network.peers[dying].ready().await.is_err() {
            return Ok(());
        }
        let Ok(client) = network.peers[asker].client().await else {
            return Ok(());
        };
        for _ in 0..QUESTIONS_MAX {
            let asked = questions.ask(&client).await;
            if network.peers[dying].has_ended()? {
                return Ok(());
            }
            if asker == dying {
                // Only what was open at the death may stay unanswered: whoever has just come back is heard.
                match asked {
                    Ok(right) => assert_eq!(right, Some(true), "{what}"),
                    Err(_) => return Ok(()),
                }
            }
        }
        anyhow::bail!("{what}: still alive after {QUESTIONS_MAX} questions")
    };
    tokio::time::timeout(TIME_MAX, living).await??;
    let status = network.peers[dying].ended().await?;
    assert!(!status.success(), "{what}: {status}");
    Ok(())
}

/// Every copy that another peer holds of a log is a part of it: nobody was ever shown another history.
async fn assert_copies_agree(network: &Network, index: usize) -> anyhow::Result<()> {
    let own = network.file("own.symlog");
    network.peers[index].export(LogName::Own, &own).await?;
    let (header, own) = read_export(&own)?;
    for (number, other) in network.peers.iter().enumerate() {
        if number == index {
            continue;
        }
        let copy = network.file("copy.symlog");
        other
            .export(LogName::Id(*header.log_id.as_bytes()), &copy)
            .await?;
        let (_, copy) = read_export(&copy)?;
        assert!(!copy.is_empty(), "{} holds nothing", other.name);
        assert_eq!(copy[..], own[..copy.len()], "the copy of {}", other.name);
    }
    Ok(())
}

async fn survives(asker: usize, dying: usize, passings: &[u64]) -> anyhow::Result<()> {
    let role = |index: usize, role: Role| {
        if index == dying {
            role.played_by(Program::DyingPeer)
        } else {
            role
        }
    };
    let mut network = Network::start(vec![
        role(0, Role::asker("asker")),
        role(1, Role::answerer("ada", scripted(100, 0))),
        Role::answerer("bob", scripted(100, 0)),
        Role::answerer("cyd", scripted(100, 0)),
    ])
    .await?;
    let mut questions = Questions {
        number: 0,
        answered: 0,
    };
    network.peers[dying].kill().await?;
    for boundary in Boundary::ALL {
        for passings in passings {
            live_until(
                &mut network,
                (asker, dying),
                (boundary, *passings),
                &mut questions,
            )
            .await?;
        }
    }
    network.restart(dying).await?;
    let client = network.peers[asker].client().await?;
    assert_eq!(questions.ask(&client).await?, Some(true));
    assert!(questions.answered > 1, "no life answered anything");

    assert_nobody_is_exposed(&network).await?;
    assert_copies_agree(&network, dying).await?;
    let files = network.export_all().await?;
    audit(&files).await?.assert_clean();
    let own = entries(&files[dying])?;
    assert_every_step_is_settled(&own);
    let lives = Boundary::ALL.len() * passings.len() + 1;
    // A life that ends at its first append leaves none.
    assert!((2..=lives).contains(&resumed(&own)), "{}", resumed(&own));
    for index in 0..network.peers.len() {
        let provable = assert_acknowledged_is_there(&network, index, &files)?;
        assert!(provable > 0, "nobody holds an acknowledgement of {index}");
    }
    network.assert_no_panic();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_12_a_coordinator_that_dies_at_any_boundary_loses_and_forks_nothing()
-> anyhow::Result<()> {
    survives(0, 0, &PASSINGS).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_12_an_executor_that_dies_at_any_boundary_loses_and_forks_nothing()
-> anyhow::Result<()> {
    survives(0, 1, &PASSINGS[..2]).await
}
