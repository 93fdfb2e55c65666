//! Asking for reveals, and taking them. Spec: EXEC-14, EXEC-15.

use symphony_protocol::{
    records::{AnswerCheck, Body, CheckerVerdict, Received, Reveal, RevealPrivate},
    state::Progress,
};
use symphony_transparency::{Digest, PublicKey, VerifiedStatement};

use crate::{
    answer,
    event::{Effect, TaskEvent},
    peer::{Peer, ProposeError, Taken},
};

impl Peer {
    /// Asks for the reveals of steps whose receipts are all in, once each.
    ///
    /// All open steps are looked through, so not again before the log has grown: what is ready follows from its entries.
    pub(crate) fn ask_reveals(&mut self) -> Result<(), ProposeError> {
        let size = self.replay.size();
        if self.reveals_asked_at == size {
            return Ok(());
        }
        self.reveals_asked_at = size;
        let ready: Vec<(u64, u64, u32, PublicKey, Digest)> = self
            .state()
            .open_steps()
            .filter_map(|index| Some((index, self.state().step(index)?)))
            .filter(|(_, step)| step.reveal_due_ms.is_some())
            .flat_map(|(index, step)| {
                step.selections
                    .iter()
                    .enumerate()
                    .filter_map(move |(slot, selection)| {
                        let waits = matches!(selection.progress, Progress::Answered(_));
                        let assignment = selection.assignment.filter(|_| waits)?;
                        Some((
                            step.beacon.task,
                            index,
                            u32::try_from(slot).ok()?,
                            selection.executor,
                            assignment,
                        ))
                    })
            })
            .collect();
        for (task, beacon, slot, executor, assignment) in ready {
            let Some(task) = self.tasks.get_mut(&task) else {
                continue;
            };
            if task.asked.contains(&(beacon, slot)) {
                continue;
            }
            task.asked.push((beacon, slot));
            if executor == self.author() {
                self.reveal_own(&assignment)?;
            } else {
                self.effect(Effect::AskReveal {
                    to: executor,
                    assignment,
                });
            }
        }
        Ok(())
    }

    pub(crate) fn reveal_heard(
        &mut self,
        statement: VerifiedStatement,
        private: &[u8],
    ) -> Result<Result<Taken, String>, ProposeError> {
        let reveal = match Received::<Reveal>::from_statement(statement) {
            Ok(reveal) => reveal,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let peer = *reveal.statement.author();
        let Some((beacon, slot)) = self.selection_of(&reveal.record.assignment) else {
            return Ok(Err("no pending assignment of this digest".to_owned()));
        };
        let Some(step) = self.state().step(beacon) else {
            return Ok(Err("no open step".to_owned()));
        };
        let waits = step
            .selections
            .get(slot as usize)
            .is_some_and(|selection| matches!(selection.progress, Progress::Answered(_)));
        if !waits {
            return Ok(Err("no closed ballot to open".to_owned()));
        }
        let (form, index) = (step.beacon.form, step.beacon.task);
        let Some(task) = self.tasks.get_mut(&index) else {
            return Ok(Err("no open task".to_owned()));
        };
        let text = RevealPrivate::parse(private)
            .ok()
            .filter(|text| task.key.answer(&text.answer) == reveal.record.answer);
        let check = match &text {
            Some(text) if answer::parses(&text.answer, form) => AnswerCheck::Parses,
            Some(_) => AnswerCheck::Unparsable,
            None => AnswerCheck::Withheld,
        };
        let (request, gold) = (task.request, task.task.gold.clone());
        if let Some(text) = &text {
            task.answers
                .insert(reveal.record.answer, text.answer.clone());
        }
        let checker = self.check_answer(
            text.as_ref().map(|text| text.answer.as_str()),
            gold.as_deref(),
            check,
        );
        let taken = self.log_received(Body::RevealReceived(reveal, check, checker));
        if let (Ok(Taken::Logged(entry)), Some(text), Some(request)) = (&taken, text, request) {
            self.report(
                request,
                *entry,
                TaskEvent::Revealed {
                    slot,
                    peer,
                    answer: text.answer,
                    output: text.output,
                    checker,
                },
            );
        }
        Ok(taken)
    }

    fn check_answer(
        &self,
        answer: Option<&str>,
        gold: Option<&str>,
        check: AnswerCheck,
    ) -> CheckerVerdict {
        let switched_on = self.config.policy.checker_ppm > 0 && check == AnswerCheck::Parses;
        match (switched_on, answer, gold) {
            (true, Some(answer), Some(gold)) if answer == gold => CheckerVerdict::Passed,
            (true, Some(_), Some(_)) => CheckerVerdict::Failed,
            _ => CheckerVerdict::Unchecked,
        }
    }

    /// The own ballot's text, so that a winning own answer can be shown.
    pub(crate) fn note_own_answer(&mut self, assignment: &Digest, digest: Digest, answer: String) {
        let task = self
            .selection_of(assignment)
            .and_then(|(beacon, _)| self.state().step(beacon))
            .map(|step| step.beacon.task);
        if let Some(task) = task.and_then(|task| self.tasks.get_mut(&task)) {
            task.answers.insert(digest, answer);
        }
    }
}
