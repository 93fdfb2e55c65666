//! An answerer without a model, for tests over real processes: an external command that adds up the numbers of a question.
//!
//! Usage: `scripted-answerer RIGHT_PERCENT [DELAY_MS]`. Which questions it gets wrong depends on their text alone, so that a
//! repeated run gives the same answers. It never guesses right by chance: a wrong answer is always the sum plus one.

use std::{
    io::{BufRead as _, Write as _},
    time::Duration,
};

use anyhow::Context as _;
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let right_percent: u64 = arguments
        .next()
        .context("usage: RIGHT_PERCENT [DELAY_MS]")?
        .parse()?;
    let delay = Duration::from_millis(arguments.next().unwrap_or_default().parse().unwrap_or(0));
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let question = request["messages"]
            .as_array()
            .and_then(|messages| messages.last()?["content"].as_str())
            .context("a request without a message")?;
        std::thread::sleep(delay);
        let text = format!("Answer: {}", answer(question, right_percent));
        let answer = json!({ "id": request["id"], "text": text, "output_tokens": 2 });
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn answer(question: &str, right_percent: u64) -> u64 {
    let sum: u64 = question
        .split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|digits| digits.parse::<u64>().ok())
        .fold(0, u64::wrapping_add);
    let wrong = fnv(question) % 100 >= right_percent;
    sum.wrapping_add(u64::from(wrong))
}

/// FNV-1a, for a draw that depends on the text alone.
fn fnv(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash ^ (hash >> 32)
}
