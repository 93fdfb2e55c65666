//! Answers: the forms that they have, and how one is read out of a model's output.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::question::ANSWER_MARK;

/// Longest answer in bytes; a longer one has no form.
pub const ANSWER_SIZE_MAX: usize = 1_024;

/// The form that a valid answer has; the same six as a beacon's (Spec: BEACON-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerForm {
    /// `True` or `False`.
    Boolean,
    /// `Yes` or `No`.
    YesNo,
    /// A decimal integer without leading zeros.
    Integer,
    /// One capital letter in brackets, such as `(B)`.
    Choice,
    /// Closing brackets with one space between.
    Brackets,
    /// Any text of 1 to [`ANSWER_SIZE_MAX`] bytes, one space between words.
    Text,
}

impl AnswerForm {
    /// The name in files and output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::YesNo => "yes_no",
            Self::Integer => "integer",
            Self::Choice => "choice",
            Self::Brackets => "brackets",
            Self::Text => "text",
        }
    }

    /// The one spelling of `answer` under this form, so that equal answers are equal bytes; `None` where it has not this
    /// form. Case, spaces, a full stop and quotation marks around the answer do not matter.
    #[must_use]
    pub fn normalise(self, answer: &str) -> Option<String> {
        // Judged before anything is copied: the answer may come from a stranger.
        if answer.len() > ANSWER_SIZE_MAX {
            return None;
        }
        let words: Vec<&str> = answer.split_whitespace().collect();
        let joined = words.join(" ");
        let bare = joined.trim_matches(|mark| matches!(mark, '"' | '\'' | '`' | '*' | '.'));
        match self {
            Self::Boolean => one_of(bare, ["True", "False"]),
            Self::YesNo => one_of(bare, ["Yes", "No"]),
            Self::Integer => bare.parse::<i64>().ok().map(|number| number.to_string()),
            Self::Choice => choice(bare),
            Self::Brackets => brackets(answer),
            Self::Text => (!joined.is_empty()).then_some(joined),
        }
    }

    /// The answer in a model's whole output: what follows the last [`ANSWER_MARK`], or the whole output where there is no
    /// mark, or its last line. `None` where none of these has this form.
    #[must_use]
    pub fn read_output(self, output: &str) -> Option<String> {
        match output.rfind(ANSWER_MARK) {
            Some(start) => {
                let after = &output[start + ANSWER_MARK.len()..];
                let line = after.trim_start().lines().next().unwrap_or_default();
                self.normalise(line)
            }
            None => {
                let last = output
                    .lines()
                    .rev()
                    .find(|line| !line.trim().is_empty())
                    .unwrap_or_default();
                self.normalise(output).or_else(|| self.normalise(last))
            }
        }
    }
}

impl fmt::Display for AnswerForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

fn one_of(answer: &str, words: [&str; 2]) -> Option<String> {
    words
        .into_iter()
        .find(|word| answer.eq_ignore_ascii_case(word))
        .map(str::to_owned)
}

fn choice(answer: &str) -> Option<String> {
    let inner = answer
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or(answer);
    match inner.as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => {
            Some(format!("({})", char::from(letter.to_ascii_uppercase())))
        }
        _ => None,
    }
}

fn brackets(answer: &str) -> Option<String> {
    let brackets: Vec<char> = answer
        .chars()
        .filter(|mark| !mark.is_whitespace())
        .collect();
    let closing = brackets
        .iter()
        .all(|mark| matches!(mark, ')' | ']' | '}' | '>' | '»'));
    if brackets.is_empty() || !closing {
        return None;
    }
    Some(
        brackets
            .iter()
            .map(char::to_string)
            .collect::<Vec<_>>()
            .join(" "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_what_follows_the_last_mark() {
        let output = "N 3 0 3 ; Answer: Yes\nno wait ; S 3 0 0 ; Answer: No";
        assert_eq!(AnswerForm::YesNo.read_output(output).as_deref(), Some("No"));
        assert_eq!(AnswerForm::Boolean.read_output(output), None);
    }

    #[test]
    fn an_output_without_a_mark_is_read_whole_or_by_its_last_line() {
        assert_eq!(
            AnswerForm::Boolean.read_output(" true. ").as_deref(),
            Some("True")
        );
        assert_eq!(
            AnswerForm::Integer
                .read_output("three and four\n7\n")
                .as_deref(),
            Some("7")
        );
        assert_eq!(AnswerForm::Integer.read_output("seven"), None);
        assert_eq!(AnswerForm::Text.read_output(""), None);
    }

    #[test]
    fn a_mark_with_nothing_after_it_is_no_answer() {
        for form in [
            AnswerForm::Boolean,
            AnswerForm::YesNo,
            AnswerForm::Integer,
            AnswerForm::Text,
        ] {
            assert_eq!(form.read_output("True Yes 3 Answer:"), None);
        }
    }

    #[test]
    fn equal_answers_become_equal_bytes() {
        assert_eq!(
            AnswerForm::YesNo.normalise("\"YES\".").as_deref(),
            Some("Yes")
        );
        assert_eq!(AnswerForm::Integer.normalise("007").as_deref(), Some("7"));
        assert_eq!(AnswerForm::Integer.normalise("-0").as_deref(), Some("0"));
        assert_eq!(AnswerForm::Choice.normalise("b").as_deref(), Some("(B)"));
        assert_eq!(AnswerForm::Choice.normalise("(B)").as_deref(), Some("(B)"));
        assert_eq!(AnswerForm::Choice.normalise("(BC)"), None);
        assert_eq!(
            AnswerForm::Brackets.normalise("]}  >").as_deref(),
            Some("] } >")
        );
        assert_eq!(AnswerForm::Brackets.normalise("] [").as_deref(), None);
        assert_eq!(AnswerForm::Text.normalise("a\n  b").as_deref(), Some("a b"));
    }

    #[test]
    fn an_oversized_answer_has_no_form() {
        assert_eq!(
            AnswerForm::Text.normalise(&"a".repeat(ANSWER_SIZE_MAX + 1)),
            None
        );
        assert!(
            AnswerForm::Text
                .normalise(&"a".repeat(ANSWER_SIZE_MAX))
                .is_some()
        );
    }
}
