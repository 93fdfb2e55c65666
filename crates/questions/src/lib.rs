//! Questions in the public format of BIG-Bench Hard tasks: generated ones with their worked answers, and files of them.
//!
//! This crate decides three things: what a question of a [`Skill`] looks like and what its answer is, which questions may
//! teach a model and which may ask it ([`Split`]), and how a task file and an answer are read. It never decides anything that
//! a log records: [`classify`] is an asker's guess, and no rule of the protocol rests on it.
//!
//! No generated question is an item of a public task. That holds by construction and not by comparison, so it holds for the
//! items too that nobody here has seen: a Boolean expression never has the eight words of the public ones, a route has a step
//! count above their largest, of five people in a truth chain one has a name that
//! begins like none of theirs, a bracket sequence has a pair of a kind that they have not, and a list names a thing that they do not.
//!
//! ```
//! use symphony_questions::{AnswerForm, Skill, Split, classify, distinct_questions};
//!
//! let questions = distinct_questions(Skill::WebOfLies, Split::Demo, 7, 20);
//! assert_eq!(questions.len(), 20);
//! for question in questions {
//!     assert_eq!(Split::of(&question.input), Split::Demo);
//!     let guess = classify(&question.input);
//!     assert_eq!(guess.tags, ["truth-chains"]);
//!     assert_eq!(guess.form, AnswerForm::YesNo);
//!     assert_eq!(guess.form.read_output(&question.completion()), Some(question.answer));
//! }
//! ```

mod answer;
mod boolean_expressions;
mod classify;
mod dyck_languages;
mod names;
mod navigate;
mod object_counting;
mod question;
mod random;
mod skill;
mod split;
mod stream;
mod task_file;
mod things;
mod web_of_lies;

pub use answer::{ANSWER_SIZE_MAX, AnswerForm};
pub use classify::{Classification, classify};
pub use question::{ANSWER_MARK, Question};
pub use random::Random;
pub use skill::{Skill, UnknownSkill};
pub use split::{SPLIT_MODULUS, Split, UnknownSplit, text_digest};
pub use stream::{Questions, distinct_questions, mixed_questions};
pub use task_file::{
    Place, TASK_COUNT_MAX, TASK_FILE_SIZE_MAX, TASK_INPUT_SIZE_MAX, Task, TaskFileError,
    parse_tasks, read_tasks,
};
