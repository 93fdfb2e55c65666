//! An endless stream of questions of one skill and one split.

use std::collections::BTreeSet;

use crate::question::Question;
use crate::random::{Random, mix};
use crate::skill::Skill;
use crate::split::{Split, text_digest};
use crate::{boolean_expressions, dyck_languages, navigate, object_counting, web_of_lies};

/// Draws without a new question after which [`distinct_questions`] gives up: the skill has no more to ask.
const FRUITLESS_DRAWS_MAX: u32 = 10_000;

/// The questions of a skill, a split and a seed; the same for ever. Repeats are possible, an end is not.
#[derive(Debug, Clone)]
pub struct Questions {
    skill: Skill,
    split: Split,
    random: Random,
}

impl Questions {
    /// The stream that `skill`, `split` and `seed` name.
    #[must_use]
    pub fn new(skill: Skill, split: Split, seed: u64) -> Self {
        // The name goes into the seed, so that equal seeds do not pair the skills' streams.
        Self {
            skill,
            split,
            random: Random::new(mix(seed) ^ text_digest(skill.name())),
        }
    }
}

impl Iterator for Questions {
    type Item = Question;

    fn next(&mut self) -> Option<Question> {
        loop {
            let question = draw(self.skill, &mut self.random);
            if Split::of(&question.input) == self.split {
                return Some(question);
            }
        }
    }
}

fn draw(skill: Skill, random: &mut Random) -> Question {
    match skill {
        Skill::BooleanExpressions => boolean_expressions::draw(random),
        Skill::Navigate => navigate::draw(random),
        Skill::WebOfLies => web_of_lies::draw(random),
        Skill::DyckLanguages => dyck_languages::draw(random),
        Skill::ObjectCounting => object_counting::draw(random),
    }
}

/// Up to `count` questions with different texts, in the order of the stream; fewer only where the skill has run dry.
#[must_use]
pub fn distinct_questions(skill: Skill, split: Split, seed: u64, count: usize) -> Vec<Question> {
    let mut seen = BTreeSet::new();
    let mut questions = Vec::new();
    let mut fruitless = 0;
    for question in Questions::new(skill, split, seed) {
        if questions.len() >= count || fruitless >= FRUITLESS_DRAWS_MAX {
            break;
        }
        if seen.insert(question.input.clone()) {
            questions.push(question);
            fruitless = 0;
        } else {
            fruitless += 1;
        }
    }
    questions
}

/// Up to `count` questions with different texts, the skills in equal shares (the first ones get what is left over) and in
/// random order.
#[must_use]
pub fn mixed_questions(skills: &[Skill], split: Split, seed: u64, count: usize) -> Vec<Question> {
    let mut questions = Vec::new();
    for (index, &skill) in skills.iter().enumerate() {
        let share = count / skills.len() + usize::from(index < count % skills.len());
        questions.extend(distinct_questions(skill, split, seed, share));
    }
    Random::new(mix(seed)).shuffle(&mut questions);
    questions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_and_demo_questions_share_no_text_whatever_the_seeds() {
        for skill in Skill::ALL {
            let train: BTreeSet<String> = (0..4)
                .flat_map(|seed| Questions::new(skill, Split::Train, seed).take(2_000))
                .map(|question| question.input)
                .collect();
            for seed in 0..4 {
                for question in Questions::new(skill, Split::Demo, seed).take(500) {
                    assert!(!train.contains(&question.input), "{}", question.input);
                }
            }
        }
    }

    #[test]
    fn a_seed_names_the_same_questions_for_ever() {
        let first = |skill| {
            Questions::new(skill, Split::Demo, 0)
                .next()
                .map(|question| question.input)
        };
        for skill in Skill::ALL {
            assert_eq!(first(skill), first(skill));
        }
        assert_ne!(
            Questions::new(Skill::Navigate, Split::Demo, 0).next(),
            Questions::new(Skill::Navigate, Split::Demo, 1).next()
        );
    }

    #[test]
    fn distinct_questions_differ_and_end_where_the_skill_runs_dry() {
        for skill in Skill::ALL {
            let texts: BTreeSet<String> = distinct_questions(skill, Split::Demo, 5, 300)
                .into_iter()
                .map(|question| question.input)
                .collect();
            assert_eq!(texts.len(), 300, "{skill}");
        }
        // The skill with the fewest texts: short expressions.
        let all = distinct_questions(Skill::BooleanExpressions, Split::Demo, 5, usize::MAX);
        assert!((300..100_000).contains(&all.len()), "{}", all.len());
    }

    #[test]
    fn a_mix_has_equal_shares_in_random_order() {
        let skills = [Skill::BooleanExpressions, Skill::Navigate, Skill::WebOfLies];
        let mixed = mixed_questions(&skills, Split::Demo, 1, 100);
        let share = |skill| {
            mixed
                .iter()
                .filter(|question| question.skill == skill)
                .count()
        };
        assert_eq!(skills.map(share), [34, 33, 33]);
        let changes = mixed
            .windows(2)
            .filter(|pair| pair[0].skill != pair[1].skill)
            .count();
        assert!(changes > 30, "{changes}");
        assert!(mixed_questions(&[], Split::Demo, 1, 100).is_empty());
    }

    #[test]
    fn working_and_answer_are_words_with_one_space_between() {
        for skill in Skill::ALL {
            for question in Questions::new(skill, Split::Train, 3).take(500) {
                let completion = question.completion();
                assert_eq!(
                    completion,
                    completion.split_whitespace().collect::<Vec<_>>().join(" ")
                );
                assert!(
                    !question.working.is_empty() && !question.answer.is_empty(),
                    "{}",
                    question.input
                );
            }
        }
    }
}
