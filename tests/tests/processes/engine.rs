//! Real engines with real weights.

use std::path::{Path, PathBuf};

use symphony_admin::v1;
use symphony_executor::{EngineModel, EngineProcessConfig, ExecutorConfig};
use symphony_questions::{Skill, Split, distinct_questions};

use crate::support::{Network, Role, ask_step, audit, engine, models};

/// An executor on a local folder.
pub(crate) fn executor(program: &Path, model: PathBuf, cache: &Path) -> ExecutorConfig {
    ExecutorConfig::Engine(EngineProcessConfig {
        program: Some(program.to_owned()),
        data_dir: Some(cache.to_owned()),
        ..EngineProcessConfig::new(EngineModel::Folder(model))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_peers_with_a_real_model_answer_generated_questions_rightly() -> anyhow::Result<()> {
    let Some(program) = engine() else {
        return Ok(());
    };
    let cache = tempfile::tempdir()?;
    let model = models().join("boolean_expressions").canonicalize()?;
    let role = |name| Role {
        tags: &["boolean-expressions"],
        ..Role::answerer(name, executor(&program, model.clone(), cache.path()))
    };
    let network = Network::start(vec![
        Role::asker("asker"),
        role("ada"),
        role("bob"),
        role("cyd"),
    ])
    .await?;
    let client = network.peers[0].client().await?;
    let questions = distinct_questions(Skill::BooleanExpressions, Split::Demo, 11, 10);
    let mut right = 0;
    for question in &questions {
        let step = v1::Step {
            text: question.input.clone(),
            tags: vec!["boolean-expressions".to_owned()],
            form: v1::AnswerForm::Boolean.into(),
        };
        let answered = ask_step(&client, step, 3, 3).await?;
        right += u32::from(answered.answer.as_deref() == Some(question.answer.as_str()));
    }
    assert!(right >= 9, "{right} of {}", questions.len());
    audit(&network.export_all().await?).await?.assert_clean();
    network.assert_no_panic();
    Ok(())
}
