//! From a model's output to a normalised answer. Spec: BEACON-4, EXEC-11.
//!
//! A plan is looked for anywhere; any other answer behind the last `Answer:` or `answer is`; without such a mark, in the last line that holds one.

use symphony_protocol::records::AnswerForm;

use crate::plan::Plan;

/// Longest answer of the form `Text`, in bytes.
const TEXT_SIZE_MAX: usize = 1024;
/// Most digits of an integer.
const DIGITS_MAX: usize = 30;

/// The normalised answer that an output holds under an answer form, if it holds one.
pub fn extract(output: &str, form: AnswerForm) -> Option<String> {
    if form == AnswerForm::Plan {
        return Plan::repair(output).map(|plan| plan.text());
    }
    if let Some(marked) = after_mark(output) {
        return first_match(marked, form);
    }
    output.lines().rev().find_map(|line| last_match(line, form))
}

/// What follows the last mark of an answer.
fn after_mark(output: &str) -> Option<&str> {
    let lower = output.to_ascii_lowercase();
    ["answer:", "answer is"]
        .iter()
        .filter_map(|mark| lower.rfind(mark).map(|at| at + mark.len()))
        .max()
        .map(|at| &output[at..])
}

fn first_match(text: &str, form: AnswerForm) -> Option<String> {
    match form {
        AnswerForm::Text => text_answer(text),
        AnswerForm::Brackets => brackets(text.trim_start().lines().next()?),
        _ => text
            .split_whitespace()
            .find_map(|word| word_answer(word, form)),
    }
}

fn last_match(line: &str, form: AnswerForm) -> Option<String> {
    match form {
        AnswerForm::Text => text_answer(line),
        AnswerForm::Brackets => brackets(line),
        _ => line
            .split_whitespace()
            .rev()
            .find_map(|word| word_answer(word, form)),
    }
}

fn word_answer(word: &str, form: AnswerForm) -> Option<String> {
    let bare = word.trim_matches(|letter: char| {
        letter.is_ascii_punctuation() && letter != '-' && letter != '(' && letter != ')'
    });
    match form {
        AnswerForm::Boolean => one_of(bare, ["True", "False"]),
        AnswerForm::YesNo => one_of(bare, ["Yes", "No"]),
        AnswerForm::Integer => integer(bare),
        AnswerForm::Choice => choice(bare),
        AnswerForm::Brackets | AnswerForm::Text | AnswerForm::Plan => None,
    }
}

fn one_of(word: &str, words: [&str; 2]) -> Option<String> {
    words
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(word))
        .map(str::to_owned)
}

fn integer(word: &str) -> Option<String> {
    let (sign, digits) = word
        .strip_prefix('-')
        .map_or(("", word), |digits| ("-", digits));
    if digits.is_empty()
        || digits.len() > DIGITS_MAX
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    Some(if digits.is_empty() {
        "0".to_owned()
    } else {
        format!("{sign}{digits}")
    })
}

fn choice(word: &str) -> Option<String> {
    let letter = word
        .strip_prefix('(')
        .unwrap_or(word)
        .strip_suffix(')')
        .unwrap_or(word.strip_prefix('(').unwrap_or(word));
    let mut letters = letter.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii_uppercase() => Some(format!("({letter})")),
        _ => None,
    }
}

fn brackets(line: &str) -> Option<String> {
    let mut closing = Vec::new();
    for letter in line.chars().filter(|letter| !letter.is_whitespace()) {
        if !matches!(letter, ')' | ']' | '}' | '>') {
            return None;
        }
        closing.push(letter.to_string());
    }
    let answer = closing.join(" ");
    (!answer.is_empty() && answer.len() <= TEXT_SIZE_MAX).then_some(answer)
}

fn text_answer(text: &str) -> Option<String> {
    let answer = text.trim().lines().next()?.trim();
    (1..=TEXT_SIZE_MAX)
        .contains(&answer.len())
        .then(|| answer.to_owned())
}

/// Whether a normalised answer is one of the form: what a coordinator checks of a revealed answer.
pub fn parses(answer: &str, form: AnswerForm) -> bool {
    let again = match form {
        AnswerForm::Plan => return Plan::parse(answer).is_some(),
        AnswerForm::Text => text_answer(answer),
        AnswerForm::Brackets => brackets(answer),
        _ => word_answer(answer, form),
    };
    again.as_deref() == Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exec_11_finds_the_answer_behind_the_last_mark() {
        for (output, form, expected) in [
            (
                "not True = False ; Answer: False",
                AnswerForm::Boolean,
                Some("False"),
            ),
            (
                "Answer: True. No wait. The answer is false.",
                AnswerForm::Boolean,
                Some("False"),
            ),
            ("so no", AnswerForm::YesNo, Some("No")),
            ("first yes\nthen No.\nhm", AnswerForm::YesNo, Some("No")),
            ("Answer: 042", AnswerForm::Integer, Some("42")),
            ("Answer: -0", AnswerForm::Integer, Some("0")),
            ("It is -17 in all", AnswerForm::Integer, Some("-17")),
            ("Answer: (B)", AnswerForm::Choice, Some("(B)")),
            ("Answer: B.", AnswerForm::Choice, Some("(B)")),
            ("Answer: ] ) >", AnswerForm::Brackets, Some("] ) >")),
            ("Answer: ])", AnswerForm::Brackets, Some("] )")),
            ("Answer: [ )", AnswerForm::Brackets, None),
            ("Answer:", AnswerForm::Boolean, None),
            ("", AnswerForm::Text, None),
            (
                "Answer: the blue one\nmore",
                AnswerForm::Text,
                Some("the blue one"),
            ),
        ] {
            assert_eq!(
                extract(output, form).as_deref(),
                expected,
                "{output:?} as {form:?}"
            );
        }
    }

    #[test]
    fn exec_11_every_extracted_answer_parses_again() {
        for (output, form) in [
            ("Answer: yes", AnswerForm::YesNo),
            ("Answer: 0012", AnswerForm::Integer),
            ("x (C)", AnswerForm::Choice),
        ] {
            let answer = extract(output, form).expect("holds an answer");
            assert!(parses(&answer, form), "{answer}");
        }
        assert!(
            !parses("true", AnswerForm::Boolean),
            "only the normalised form parses"
        );
        assert!(!parses("012", AnswerForm::Integer));
    }

    #[test]
    fn exec_11_no_output_panics() {
        for output in [
            "Ａｎｓｗｅｒ: True",
            "answer is",
            "é answer: é",
            "((((",
            "-",
            "----5",
            "İ answer: yes",
        ] {
            for form in [
                AnswerForm::Boolean,
                AnswerForm::Integer,
                AnswerForm::Choice,
                AnswerForm::Brackets,
                AnswerForm::Text,
                AnswerForm::Plan,
            ] {
                let _ = extract(output, form);
            }
        }
    }
}
