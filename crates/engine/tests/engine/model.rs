//! The engine on a real model of the repository, on the CPU. Without one in `models/` the tests say that they were skipped.

use std::path::PathBuf;
use std::sync::Arc;

use symphony_engine::device::Device;
use symphony_engine::generation::{Finish, GenerationError, Input};
use symphony_engine::model::LoadedModel;
use symphony_engine::queue::Queue;
use symphony_engine::surprisal::Measured;

use crate::support::{MAX_TOKENS, ask, conversation, load, model_folder, question};

async fn model() -> Option<(PathBuf, LoadedModel)> {
    let Some(folder) = model_folder() else {
        println!("skipped: no model in models/ and no SYMPHONY_TEST_MODEL");
        return None;
    };
    let model = load(&folder, Device::Cpu).await;
    Some((folder, model))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn greedy_answers_and_their_surprisals_repeat_to_the_last_digit() {
    let Some((folder, model)) = model().await else {
        return;
    };
    let again = load(&folder, Device::Cpu).await;
    for number in 0..4 {
        let first = ask(&model, &question(number)).await;
        let second = ask(&model, &question(number)).await;
        let third = ask(&again, &question(number)).await;
        assert!(!first.text.is_empty());
        for other in [second, third] {
            assert!(
                first.text == other.text && first.measured == other.measured,
                "question {number}"
            );
        }
    }
    assert_eq!(model.digest(), again.digest());
}

/// As the service runs them by default: one at a time. Together, mistral.rs 0.8.1 gives prompts of different length other
/// texts than alone, which is why `--max-running` is 1.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn requests_at_the_same_time_get_the_answers_of_requests_alone() {
    let Some((_, model)) = model().await else {
        return;
    };
    let model = Arc::new(model);
    let mut alone = Vec::new();
    for number in 0..4 {
        alone.push(ask(&model, &question(number)).await.text);
    }
    let queue = Queue::new(1, 4);
    let together = (0..4).map(|number| {
        let model = Arc::clone(&model);
        let place = queue.enter().expect("room for four");
        tokio::spawn(async move {
            let _turn = place.turn().await;
            ask(&model, &question(number)).await.text
        })
    });
    let mut texts = Vec::new();
    for task in together.collect::<Vec<_>>() {
        texts.push(task.await.expect("ran"));
    }
    assert!(texts == alone);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_token_limit_is_kept_and_reported() {
    let Some((_, model)) = model().await else {
        return;
    };
    let generation = model
        .generate(conversation(&question(0)), 2)
        .await
        .expect("answered");
    assert_eq!(generation.measured.tokens.len(), 2);
    assert_eq!(generation.finish, Finish::Length);
    assert!(generation.measured.prompt_tokens > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_prompt_beyond_the_context_is_refused_without_being_quoted() {
    let Some((_, model)) = model().await else {
        return;
    };
    let long = "True and ".repeat(1 + model.context_length_tokens() as usize);
    let error = model
        .generate(conversation(&long), MAX_TOKENS)
        .await
        .err()
        .expect("refused");
    assert!(matches!(error, GenerationError::Refused { .. }), "{error}");
    assert!(!error.to_string().contains("True and"));
}

/// mistral.rs 0.8.1 fails at the first token beyond the context; what was said until then is the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_ends_with_the_context() {
    let Some((_, model)) = model().await else {
        return;
    };
    let context = model.context_length_tokens();
    let mut reached = 0;
    for words in context - 24..context {
        let text = "True and ".repeat(words as usize / 2);
        let Ok(generation) = model.generate(Input::Prompt(text), 400).await else {
            continue;
        };
        let measured = &generation.measured;
        let length = measured.prompt_tokens + measured.tokens.len() as u32;
        assert!(length <= context + 1, "{length} tokens of {context}");
        if length >= context {
            assert_eq!(generation.finish, Finish::Length);
            reached += 1;
        }
    }
    assert!(reached > 0, "no prompt came near the end of the context");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_text_is_continued_without_the_chat_template() {
    let Some((_, model)) = model().await else {
        return;
    };
    let generation = model
        .generate(Input::Prompt("True and False".to_owned()), 4)
        .await
        .expect("answered");
    assert_ne!(generation.measured, Measured::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_abandoned_request_leaves_the_model_usable() {
    let Some((_, model)) = model().await else {
        return;
    };
    let before = ask(&model, &question(1)).await.text;
    // Polled once, so that it reaches the model, and dropped.
    tokio::select! {
        biased;
        _ = model.generate(conversation(&question(2)), MAX_TOKENS) => {}
        () = std::future::ready(()) => {}
    }
    assert!(ask(&model, &question(1)).await.text == before);
}
