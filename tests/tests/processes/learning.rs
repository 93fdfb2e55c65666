//! Who holds which skill is data: the network finds out.

use crate::support::{Network, Role, ask, audit, scripted, sum_question};

/// Questions of a run.
const QUESTIONS: u32 = 60;

/// How often the skilled one of two rivals was selected, in the first and in the last half.
async fn selections_of_the_skilled(right_percents: [u32; 2]) -> anyhow::Result<(usize, usize)> {
    let [left, right] = right_percents;
    let network = Network::start(vec![
        Role::asker("asker"),
        // Two who are always right: with one of the rivals they are a quorum.
        Role::answerer("ada", scripted(100, 0)),
        Role::answerer("bob", scripted(100, 0)),
        Role::answerer("left", scripted(left, 0)),
        Role::answerer("right", scripted(right, 0)),
    ])
    .await?;
    let skilled = if left > right { 3 } else { 4 };
    let skilled = network.peers[skilled].did_key.clone();
    let client = network.peers[0].client().await?;
    let mut selected = Vec::new();
    for number in 0..QUESTIONS {
        let (question, _) = sum_question(number);
        let answered = ask(&client, &question, 3, 4).await?;
        selected.push(answered.executors.contains(&skilled));
    }
    let audited = audit(&[network.export(0).await?]).await?;
    audited.assert_clean();
    network.assert_no_panic();
    let half = QUESTIONS as usize / 2;
    let count = |part: &[bool]| part.iter().filter(|selected| **selected).count();
    Ok((count(&selected[..half]), count(&selected[half..])))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_skilled_one_is_asked_more_often_whichever_home_holds_the_skill() -> anyhow::Result<()>
{
    for right_percents in [[100, 10], [10, 100]] {
        let (first, last) = selections_of_the_skilled(right_percents).await?;
        println!("{right_percents:?}: {first}, then {last}");
        let half = QUESTIONS as usize / 2;
        assert!(
            last >= first,
            "{right_percents:?}: {first}, then {last} of {half}"
        );
        assert!(
            last * 3 >= half * 2,
            "{right_percents:?}: {first}, then {last} of {half}"
        );
    }
    Ok(())
}
