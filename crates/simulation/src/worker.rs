//! Simulated models.

use symphony_coordination::{Completion, Execution, ExecutionOutcome};
use symphony_protocol::records::Device;
use symphony_transparency::Digest;

use crate::{questions::Question, random::Random, scenario::Workers};

/// What a simulated model makes of a question, and how long it takes; nothing if it never ends.
pub(crate) fn execute(
    workers: &Workers,
    random: &mut Random,
    peer: u32,
    question: &Question,
) -> Option<Execution> {
    let (least, most) = workers.duration_ms;
    let duration_ms = random.within(least, most);
    if random.chance(workers.hanging_ppm) {
        return None;
    }
    Some(attempt(workers, random, duration_ms, |random| {
        if random.chance(workers.accuracy_ppm(peer, question.skill)) {
            format!("Answer: {}", question.right_answer())
        } else {
            format!("Answer: {}", question.wrong_answer(random))
        }
    }))
}

/// What a simulated planner makes of a prompt: it asks the question itself twice, in JSON as models write it; nothing if it
/// never ends.
pub(crate) fn plan(workers: &Workers, random: &mut Random, prompt: &str) -> Option<Execution> {
    let (least, most) = workers.duration_ms;
    let duration_ms = random.within(least, most);
    if random.chance(workers.hanging_ppm) {
        return None;
    }
    let question = prompt.lines().last().unwrap_or_default();
    Some(attempt(workers, random, duration_ms, |_| {
        format!(
            "```json\n{{'steps': ['{question}', {{'question': '{question}', 'tags': [],}}]}}\n```"
        )
    }))
}

/// An execution that may fail or give text without an answer.
fn attempt(
    workers: &Workers,
    random: &mut Random,
    duration_ms: u64,
    answer: impl FnOnce(&mut Random) -> String,
) -> Execution {
    let outcome = if random.chance(workers.failed_ppm) {
        ExecutionOutcome::Failed
    } else {
        let text = if random.chance(workers.unparsable_ppm) {
            "I cannot say.".to_owned()
        } else {
            answer(random)
        };
        ExecutionOutcome::Completed(Completion {
            text,
            prompt_tokens: 8,
            output_tokens: 3,
            confidence_ppm: u32::try_from(random.within(500_000, 1_000_000)).unwrap_or(500_000),
        })
    };
    Execution {
        model: Digest::ZERO,
        device: Device::Cpu,
        temperature_ppm: 0,
        output_tokens_max: 16,
        duration_ms,
        outcome,
    }
}
