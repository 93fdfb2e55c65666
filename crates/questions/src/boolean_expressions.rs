//! Boolean expressions: `not ( True ) and False is` → `False`.
//!
//! The working reduces one sub-expression at a time, the most tightly binding and leftmost first, and writes what is left
//! after each step: `not True and False = False and False = False`.
//!
//! Every public item has eight words before `is`; a generated one never has eight, so the two cannot meet.

use crate::question::Question;
use crate::random::Random;
use crate::skill::Skill;

/// The length, in words, of every public item: never generated.
pub(crate) const PUBLIC_WORD_COUNT: u64 = 8;
/// Shortest expression generated, in words.
const WORD_COUNT_MIN: u64 = 3;
/// Longest expression generated, in words.
const WORD_COUNT_MAX: u64 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Literal(bool),
    Not,
    And,
    Or,
    Open,
    Close,
}

impl Word {
    fn text(self) -> &'static str {
        match self {
            Self::Literal(true) => "True",
            Self::Literal(false) => "False",
            Self::Not => "not",
            Self::And => "and",
            Self::Or => "or",
            Self::Open => "(",
            Self::Close => ")",
        }
    }
}

/// Draws one question.
pub(crate) fn draw(random: &mut Random) -> Question {
    // Longer expressions are far more numerous, so each length gets a share that grows with it.
    let mut count = random
        .between(WORD_COUNT_MIN, WORD_COUNT_MAX)
        .max(random.between(WORD_COUNT_MIN, WORD_COUNT_MAX));
    if count == PUBLIC_WORD_COUNT {
        count += 1;
    }
    let mut words = Vec::new();
    expression(random, count, &mut words);
    let input = format!("{} is", text(&words));
    let mut steps = Vec::new();
    while let Some(reduced) = reduce_once(&words) {
        words = reduced;
        steps.push(text(&words));
    }
    let answer = steps.last().cloned().unwrap_or_else(|| text(&words));
    Question {
        skill: Skill::BooleanExpressions,
        input,
        working: steps.join(" = "),
        answer,
    }
}

/// Appends an expression of exactly `count` words (at least one).
fn expression(random: &mut Random, count: u64, words: &mut Vec<Word>) {
    let kind = random.below(100);
    match count {
        0 | 1 => words.push(Word::Literal(random.chance(50))),
        2 => {
            words.push(Word::Not);
            expression(random, 1, words);
        }
        _ if kind < 28 => {
            words.push(Word::Not);
            expression(random, count - 1, words);
        }
        _ if kind < 42 => {
            words.push(Word::Open);
            expression(random, count - 2, words);
            words.push(Word::Close);
        }
        _ => {
            let left = random.between(1, count - 2);
            expression(random, left, words);
            words.push(if random.chance(50) {
                Word::And
            } else {
                Word::Or
            });
            expression(random, count - 1 - left, words);
        }
    }
}

/// Replaces the leftmost of the most tightly binding sub-expressions by its value; `None` where nothing is left to do.
///
/// The order `not` and brackets, then `and`, then `or` makes each step right wherever it stands: an `and` of two values is
/// only reached when no `not` waits before a value, and an `or` only when no `and` of values is left. An `or` beside an
/// `and` whose other side is still in brackets has to wait.
fn reduce_once(words: &[Word]) -> Option<Vec<Word>> {
    let splice = |start: usize, length: usize, value: bool| {
        let mut reduced = words[..start].to_vec();
        reduced.push(Word::Literal(value));
        reduced.extend_from_slice(&words[start + length..]);
        Some(reduced)
    };
    for start in 0..words.len() {
        match words[start..] {
            [Word::Not, Word::Literal(value), ..] => return splice(start, 2, !value),
            [Word::Open, Word::Literal(value), Word::Close, ..] => return splice(start, 3, value),
            _ => {}
        }
    }
    for start in 0..words.len() {
        if let [Word::Literal(left), Word::And, Word::Literal(right), ..] = words[start..] {
            return splice(start, 3, left && right);
        }
    }
    for start in 0..words.len() {
        let waits = (start > 0 && words[start - 1] == Word::And)
            || words.get(start + 3) == Some(&Word::And);
        if let [Word::Literal(left), Word::Or, Word::Literal(right), ..] = words[start..]
            && !waits
        {
            return splice(start, 3, left || right);
        }
    }
    None
}

fn text(words: &[Word]) -> String {
    words
        .iter()
        .map(|word| word.text())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An independent reading of the same language: recursive descent over the text.
    fn value<'a>(words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> bool {
        let mut result = conjunction(words);
        while words.next_if_eq(&"or").is_some() {
            result |= conjunction(words);
        }
        result
    }

    fn conjunction<'a>(words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> bool {
        let mut result = factor(words);
        while words.next_if_eq(&"and").is_some() {
            result &= factor(words);
        }
        result
    }

    fn factor<'a>(words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> bool {
        match words.next() {
            Some("not") => !factor(words),
            Some("(") => {
                let inner = value(words);
                assert_eq!(words.next(), Some(")"));
                inner
            }
            Some("True") => true,
            Some("False") => false,
            other => panic!("unexpected {other:?}"),
        }
    }

    #[test]
    fn answers_agree_with_an_independent_parser() {
        let mut random = Random::new(1);
        for _ in 0..5_000 {
            let question = draw(&mut random);
            let body = question.input.strip_suffix(" is").unwrap();
            let expected = value(&mut body.split(' ').peekable());
            assert_eq!(
                question.answer,
                if expected { "True" } else { "False" },
                "{}",
                question.input
            );
        }
    }

    #[test]
    fn no_question_has_the_length_of_the_public_items() {
        let mut random = Random::new(2);
        for _ in 0..5_000 {
            let words = draw(&mut random).input.split(' ').count() - 1;
            assert!((3..=10).contains(&words) && words != 8, "{words}");
        }
    }

    #[test]
    fn each_value_is_the_answer_of_at_least_a_third() {
        let mut random = Random::new(3);
        let yes = (0..3_000)
            .filter(|_| draw(&mut random).answer == "True")
            .count();
        assert!((1_000..2_000).contains(&yes), "{yes} of 3,000");
    }
}
