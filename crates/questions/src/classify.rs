//! What kind of work a question is and what form its answer has, guessed from the shape of its text.
//!
//! A guess from the text alone, made by the asker's node where the asker says nothing; no rule of the protocol rests on
//! it. It looks for the shape of a kind of question, never for a particular one.

use crate::answer::AnswerForm;

/// Bytes at the start and at the end of a question that are looked at; a question may be long, its shape shows early or
/// late.
const LOOKED_AT: usize = 8 * 1024;

/// The guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    /// Requirement tags, sorted, at least one: `boolean-expressions`, `navigation`, `truth-chains`, `brackets`, `counting`,
    /// `arithmetic`, or `general` where nothing fits.
    pub tags: Vec<String>,
    /// The form of the answer.
    pub form: AnswerForm,
}

/// Guesses tags and answer form. Total: every text has a classification.
#[must_use]
pub fn classify(input: &str) -> Classification {
    let text = excerpt(input);
    let lower = text.to_lowercase();
    let (tag, form) = if is_boolean_expression(&text) {
        ("boolean-expressions", AnswerForm::Boolean)
    } else if is_open_brackets(&text, &lower) {
        ("brackets", AnswerForm::Brackets)
    } else if is_arithmetic(&text) {
        ("arithmetic", AnswerForm::Integer)
    } else {
        let form = form_of_prose(&text, &lower);
        (tag_of_prose(&lower, form), form)
    };
    Classification {
        tags: vec![tag.to_owned()],
        form,
    }
}

/// The text where it is short, else its beginning and its end.
fn excerpt(input: &str) -> String {
    if input.len() <= 2 * LOOKED_AT {
        return input.to_owned();
    }
    let start = (0..=LOOKED_AT)
        .rev()
        .find(|&at| input.is_char_boundary(at))
        .unwrap_or(0);
    let end = (input.len() - LOOKED_AT..=input.len())
        .find(|&at| input.is_char_boundary(at))
        .unwrap_or(input.len());
    format!("{} {}", &input[..start], &input[end..])
}

/// The words of an expression and nothing else, with at least one value.
fn is_boolean_expression(text: &str) -> bool {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut values = 0;
    spaced.split_whitespace().all(|word| {
        let word = word.trim_end_matches(['?', '.', ':']).to_ascii_lowercase();
        values += usize::from(matches!(word.as_str(), "true" | "false"));
        matches!(
            word.as_str(),
            "true" | "false" | "not" | "and" | "or" | "(" | ")" | "is" | "=" | ""
        )
    }) && values > 0
}

/// Brackets at the end, some of them open, and before them a request to go on.
fn is_open_brackets(text: &str, lower: &str) -> bool {
    let tail = text.rsplit(['\n', ':']).next().unwrap_or_default();
    let marks: Vec<char> = tail.chars().filter(|mark| !mark.is_whitespace()).collect();
    let only_brackets = !marks.is_empty() && marks.iter().all(|mark| "()[]{}<>«»".contains(*mark));
    let asked = ["complete", "close", "bracket", "parenthes", "sequence"]
        .iter()
        .any(|word| lower.contains(word));
    only_brackets && asked
}

/// Digits, operators and brackets only, with at least one of the first two.
fn is_arithmetic(text: &str) -> bool {
    let term = text.trim().trim_end_matches(['=', '?', ' ']);
    term.chars()
        .all(|mark| mark.is_ascii_digit() || mark.is_whitespace() || "+-*/()%^".contains(mark))
        && term.chars().any(|mark| mark.is_ascii_digit())
        && term.chars().any(|mark| "+-*/%^".contains(mark))
}

fn form_of_prose(text: &str, lower: &str) -> AnswerForm {
    let options: Vec<&str> = lower
        .rsplit_once("options:")
        .map(|(_, list)| {
            list.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect()
        })
        .unwrap_or_default();
    let are = |words: [&str; 2]| {
        options.len() == 2
            && words.iter().all(|word| {
                options
                    .iter()
                    .any(|line| line.trim_start_matches("- ") == *word)
            })
    };
    if are(["yes", "no"]) {
        AnswerForm::YesNo
    } else if are(["true", "false"]) {
        AnswerForm::Boolean
    } else if !options.is_empty() && options.iter().all(|line| has_letter_in_brackets(line)) {
        AnswerForm::Choice
    } else if !options.is_empty() {
        AnswerForm::Text
    } else {
        form_of_last_question(text)
    }
}

fn has_letter_in_brackets(line: &str) -> bool {
    matches!(line.as_bytes(), [b'(', letter, b')', ..] if letter.is_ascii_alphabetic())
}

/// First words of questions that yes or no answers.
const AUXILIARIES: [&str; 14] = [
    "do", "does", "did", "is", "are", "was", "were", "can", "could", "will", "would", "has",
    "have", "had",
];

/// The form that the last sentence asks for by its first words.
fn form_of_last_question(text: &str) -> AnswerForm {
    let Some(body) = text.trim_end().strip_suffix('?') else {
        return AnswerForm::Text;
    };
    let sentence = body
        .rsplit(['.', '!', '?', '\n', ':'])
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    let first = sentence.split_whitespace().next().unwrap_or_default();
    if sentence.starts_with("how many") || sentence.contains(" how many ") {
        AnswerForm::Integer
    } else if AUXILIARIES.contains(&first) {
        AnswerForm::YesNo
    } else {
        AnswerForm::Text
    }
}

fn tag_of_prose(lower: &str, form: AnswerForm) -> &'static str {
    let words: Vec<&str> = lower
        .split(|mark: char| !mark.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let count = |wanted: &[&str]| words.iter().filter(|word| wanted.contains(word)).count();
    let moves = count(&["step", "steps", "turn", "walk"]);
    let claims = count(&["lies", "lying", "liar", "truth", "truthful"]);
    match form {
        AnswerForm::YesNo if moves >= 2 && count(&["return", "start", "starting", "back"]) > 0 => {
            "navigation"
        }
        AnswerForm::YesNo if claims >= 2 && count(&["says", "say", "claims"]) > 0 => "truth-chains",
        AnswerForm::Integer if lower.contains("how many") => "counting",
        _ => "general",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skill::Skill;
    use crate::split::Split;
    use crate::stream::Questions;

    fn guess(text: &str) -> (String, AnswerForm) {
        let Classification { tags, form } = classify(text);
        (tags.join(" "), form)
    }

    #[test]
    fn every_generated_question_is_recognised() {
        for (skill, tag, form) in [
            (
                Skill::BooleanExpressions,
                "boolean-expressions",
                AnswerForm::Boolean,
            ),
            (Skill::Navigate, "navigation", AnswerForm::YesNo),
            (Skill::WebOfLies, "truth-chains", AnswerForm::YesNo),
            (Skill::DyckLanguages, "brackets", AnswerForm::Brackets),
            (Skill::ObjectCounting, "counting", AnswerForm::Integer),
        ] {
            for question in Questions::new(skill, Split::Demo, 11).take(500) {
                assert_eq!(
                    guess(&question.input),
                    (tag.to_owned(), form),
                    "{}",
                    question.input
                );
                assert_eq!(
                    form.normalise(&question.answer),
                    Some(question.answer),
                    "{}",
                    question.input
                );
            }
        }
    }

    #[test]
    fn other_questions_are_general_in_their_form() {
        assert_eq!(
            guess("Which is larger?\nOptions:\n(A) a mouse\n(B) a whale"),
            ("general".into(), AnswerForm::Choice)
        );
        assert_eq!(
            guess("Is the sea salty?"),
            ("general".into(), AnswerForm::YesNo)
        );
        assert_eq!(
            guess("Name a colour."),
            ("general".into(), AnswerForm::Text)
        );
        assert_eq!(
            guess("(3 + 4) * -2 ="),
            ("arithmetic".into(), AnswerForm::Integer)
        );
        assert_eq!(
            guess("Is it so?\nOptions:\n- True\n- False"),
            ("general".into(), AnswerForm::Boolean)
        );
    }

    #[test]
    fn any_text_has_a_classification() {
        for text in [
            "",
            " ",
            "?",
            "Options:",
            "Options:\n",
            ":",
            "(",
            "=",
            "é",
            "true\u{0}",
        ] {
            assert_eq!(classify(text).tags.len(), 1, "{text:?}");
        }
        let long = "é".repeat(40_000);
        assert_eq!(guess(&long), ("general".into(), AnswerForm::Text));
    }
}
