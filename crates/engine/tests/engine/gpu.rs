//! The same model on the CPU and on a GPU: equal answers, and log probabilities within a stated tolerance.
//!
//! Runs wherever a GPU is and the engine was built for it; elsewhere it says that it was skipped, and why. The last
//! result stands in `docs/gpu.md`. `SYMPHONY_TEST_MODEL` names another model folder than the first one in `models/`.

use std::time::Instant;

use symphony_engine::device::Device;
use symphony_engine::generation::Generation;

use crate::support::{ask, load, model_folder, question};

/// Largest difference of one token's -ln p between the devices, in nats. F32 on both sides: only the order of sums
/// differs. Decoding and prefill on one CPU differ by 4e-6; other kernels add their own order.
const TOLERANCE_NATS: f64 = 1e-3;
/// Questions that are compared.
const QUESTION_COUNT: u32 = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_gpu_gives_the_answers_and_the_surprisals_of_the_cpu() {
    let device = if cfg!(feature = "metal") {
        Device::Metal
    } else {
        Device::Cuda
    };
    if let Err(error) = device.verify_available() {
        println!("skipped: no GPU: {error}");
        return;
    }
    let Some(folder) = model_folder() else {
        println!("skipped: no model in models/ and no SYMPHONY_TEST_MODEL");
        return;
    };
    let mut on_cpu = Vec::new();
    let mut on_gpu = Vec::new();
    for (device, answers) in [(Device::Cpu, &mut on_cpu), (device, &mut on_gpu)] {
        let model = load(&folder, device).await;
        let begun = Instant::now();
        for number in 0..QUESTION_COUNT {
            answers.push(ask(&model, &question(number)).await);
        }
        let tokens: usize = answers
            .iter()
            .map(|answer: &Generation| answer.measured.tokens.len())
            .sum();
        let rate = tokens as f64 / begun.elapsed().as_secs_f64();
        println!("{}: {tokens} tokens, {rate:.0} tokens/s", device.name());
    }
    let mut largest = 0f64;
    for (cpu, gpu) in on_cpu.iter().zip(&on_gpu) {
        // From a near-tie on, the texts may part; up to there every token must agree.
        for (cpu_token, gpu_token) in cpu.measured.tokens.iter().zip(&gpu.measured.tokens) {
            let difference = cpu_token
                .surprisal_micronats
                .abs_diff(gpu_token.surprisal_micronats) as f64
                / 1e6;
            assert!(
                difference <= TOLERANCE_NATS,
                "{difference} nats apart, at most {TOLERANCE_NATS}"
            );
            largest = largest.max(difference);
            if cpu_token.id != gpu_token.id {
                break;
            }
        }
    }
    let equal = on_cpu
        .iter()
        .zip(&on_gpu)
        .filter(|(cpu, gpu)| cpu.text == gpu.text)
        .count();
    println!("{equal} of {QUESTION_COUNT} texts equal, largest difference {largest:.6} nats");
    assert!(
        equal as f64 >= 0.95 * f64::from(QUESTION_COUNT),
        "only {equal} of {QUESTION_COUNT} texts are equal"
    );
}
