//! A planner and an answerer without a model, for tests over real processes: an external command for which arithmetic is hard.
//! It computes one operation at a time, so a question with more of them is answered by a plan or not at all.
//!
//! Usage: `arithmetic-peer [prose]`. As a planner (`stage` is `plan`) it takes an expression apart at its brackets; with
//! `prose` it only talks about it.

use std::io::{BufRead as _, Write as _};

use anyhow::Context as _;
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let only_talks = std::env::args().nth(1).as_deref() == Some("prose");
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let content = request["messages"]
            .as_array()
            .and_then(|messages| messages.last()?["content"].as_str())
            .context("a request without a message")?;
        let text = match request["stage"].as_str() {
            Some("plan") if only_talks => {
                "One could begin with the brackets [and go on].".to_owned()
            }
            Some("plan") => plan(content),
            _ => answer(content),
        };
        let answer = json!({ "id": request["id"], "text": text, "output_tokens": 2 });
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

/// A step for what stands in each pair of brackets, inner ones first, then the whole: as a model would write it.
fn plan(content: &str) -> String {
    let question = content
        .split_once("Question:\n")
        .map_or(content, |(_, question)| question);
    let mut open = Vec::new();
    let mut steps = Vec::new();
    for (at, letter) in question.char_indices() {
        match (letter, open.last().copied()) {
            ('(', _) => open.push(at + 1),
            (')', Some(begin)) => {
                steps.push(json!({ "question": question[begin..at], "tags": ["sums"] }));
                open.pop();
            }
            _ => {}
        }
    }
    steps.push(json!({ "question": question, "tags": ["sums"] }));
    format!(
        "Here is the plan:\n```json\n{}\n```",
        json!({ "steps": steps })
    )
}

/// The value of the last question, with the answers of those before it in place of their brackets.
fn answer(content: &str) -> String {
    let mut blocks: Vec<&str> = content.split("\n\n").collect();
    let mut question = blocks.pop().unwrap_or_default().to_owned();
    // The last answer covers the earlier ones that its question holds.
    for block in blocks.into_iter().rev() {
        if let Some((asked, answered)) = block.split_once("\nAnswer: ") {
            question = question.replace(&format!("({asked})"), answered);
        }
    }
    let words: Vec<&str> = question.split_whitespace().collect();
    let value = match words.as_slice() {
        [left, operation, right] => compute(left, operation, right),
        _ => None,
    };
    value.map_or_else(
        || "That is too much at once.".to_owned(),
        |value| format!("Answer: {value}"),
    )
}

fn compute(left: &str, operation: &str, right: &str) -> Option<i64> {
    let (left, right): (i64, i64) = (left.parse().ok()?, right.parse().ok()?);
    match operation {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        _ => None,
    }
}
