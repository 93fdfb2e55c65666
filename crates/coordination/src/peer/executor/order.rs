//! Taking an order, and accounting for its execution. Spec: EXEC-4, EXEC-8.

use symphony_protocol::records::{
    Assignment, AssignmentPrivate, Body, Issued, Receipt, Received, ResultClass, TaskKey,
    ballot_commitment,
};
use symphony_transparency::{Digest, VerifiedStatement};

use super::{Opening, Session, Stage, chain::Chain};
use crate::{
    answer,
    event::{Effect, Execution, ExecutionOutcome},
    peer::{Peer, ProposeError, Taken},
};

impl Peer {
    pub(crate) fn assignment_heard(
        &mut self,
        statement: VerifiedStatement,
        private: &[u8],
    ) -> Result<Result<Taken, String>, ProposeError> {
        let received = match Received::<Assignment>::from_statement(statement) {
            Ok(received) => received,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let digest = received.digest();
        let coordinator = *received.statement.author();
        if let Some(session) = self.sessions.get(&digest) {
            if session.coordinator != coordinator {
                return Ok(Err("an assignment that another peer gave".to_owned()));
            }
            self.send_again(&digest);
            return Ok(Ok(Taken::Noted));
        }
        let private = match AssignmentPrivate::parse(private) {
            Ok(private) => private,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let order = received.record;
        let Some((form, handed_over, times)) = self
            .bids
            .get(&coordinator, &order.beacon)
            .map(|bid| (bid.form, bid.handed_over, bid.times))
        else {
            return Ok(Err(
                "an assignment without a bid of this peer that is not taken up yet".to_owned(),
            ));
        };
        if times != (order.execute_ms, order.reveal_ms) {
            return Ok(Err(
                "an assignment with other times than its beacon".to_owned()
            ));
        }
        if private.task_key.commitment() != order.key_commitment
            || private.task_key.prompt(&private.prompt) != order.prompt
        {
            return Ok(Err(
                "a task key or prompt that is not the one committed to".to_owned()
            ));
        }
        let due_ms = self
            .now_ms
            .max(self.state().time_ms())
            .saturating_add(order.execute_ms.into());
        let chain = handed_over
            .then(|| Chain::read(&private.prompt, due_ms))
            .flatten();
        if handed_over && chain.is_none() {
            return Ok(Err("a prompt that is no chain".to_owned()));
        }
        if !self.make_room() {
            return Ok(Err(
                "no room for another assignment; try again later".to_owned()
            ));
        }
        let taken = self.log_received(Body::AssignmentReceived(received));
        if taken.is_ok() {
            self.bids.take_up(&coordinator, &order.beacon);
            let (prompt, step_form) = chain
                .as_ref()
                .map_or((private.prompt, form), |chain| chain.own_step(form));
            self.sessions.insert(
                digest,
                Session {
                    coordinator,
                    key: private.task_key,
                    form,
                    chain,
                    stage: Stage::Running,
                },
            );
            self.effect(Effect::Execute {
                assignment: digest,
                prompt,
                form: step_form,
                execute_ms: order.execute_ms,
            });
        }
        Ok(taken)
    }

    /// An execution ended: the rest of a chain is handed on, anything else is answered.
    pub(crate) fn executed(
        &mut self,
        assignment: Digest,
        execution: Execution,
        entropy: ([u8; 32], TaskKey),
    ) -> Result<(), ProposeError> {
        let at_work = self
            .sessions
            .get(&assignment)
            .is_some_and(|session| matches!(session.stage, Stage::Running));
        if !at_work {
            return Ok(());
        }
        match self.hand_on(assignment, execution, entropy) {
            Some((execution, salt)) => self.answer(assignment, execution, salt),
            None => Ok(()),
        }
    }

    /// Signs the receipt of an execution that ended; never twice.
    pub(crate) fn answer(
        &mut self,
        assignment: Digest,
        execution: Execution,
        salt: [u8; 32],
    ) -> Result<(), ProposeError> {
        let Some(session) = self
            .sessions
            .get(&assignment)
            .filter(|session| session.running())
        else {
            return Ok(());
        };
        let (coordinator, key, form) = (session.coordinator, session.key.clone(), session.form);
        let (class, text, completion) = match &execution.outcome {
            ExecutionOutcome::Completed(completion) => {
                let answer = answer::extract(&completion.text, form);
                (
                    answer.ok_or(ResultClass::Unparsable),
                    completion.text.as_str(),
                    Some(completion),
                )
            }
            ExecutionOutcome::Failed => (Err(ResultClass::Failed), "", None),
            ExecutionOutcome::Abstained => (Err(ResultClass::Abstained), "", None),
        };
        let confidence_ppm =
            completion.map_or(0, |completion| completion.confidence_ppm.min(1_000_000));
        let opening = class.as_ref().ok().map(|answer| Opening {
            digest: key.answer(answer),
            answer: answer.clone(),
            output: text.to_owned(),
            confidence_ppm,
            salt,
        });
        // Without an answer the commitment is to nothing that could be opened: the salt alone.
        let committed = opening
            .as_ref()
            .map_or(Digest::ZERO, |opening| opening.digest);
        let issued = Issued::new(Receipt {
            origin: self.next_origin(),
            assignment,
            model: execution.model,
            device: execution.device,
            temperature_ppm: execution.temperature_ppm,
            output_tokens_max: execution.output_tokens_max,
            output: key.output(text),
            prompt_tokens: completion.map_or(0, |completion| completion.prompt_tokens),
            output_tokens: completion.map_or(0, |completion| completion.output_tokens),
            duration_ms: execution.duration_ms,
            class: class
                .as_ref()
                .map_or_else(|class| *class, |_| ResultClass::Answered),
            ballot: ballot_commitment(
                &assignment,
                &self.author(),
                &committed,
                confidence_ppm,
                &salt,
            ),
        });
        let bytes = self.sign(&issued).into_bytes();
        let place = (self.replay.size(), issued.digest);
        // Too late by the own log: silence is what the coordinator will have noted.
        if self.try_propose(Body::ReceiptIssued(issued)).is_err() {
            self.sessions.remove(&assignment);
            return Ok(());
        }
        if let Some(session) = self.sessions.get_mut(&assignment) {
            session.stage = Stage::Answered {
                place,
                receipt: bytes.clone(),
                ballot: opening.map(Box::new),
            };
        }
        if coordinator != self.author() {
            self.send_awaited(coordinator, place, bytes, Vec::new());
        }
        Ok(())
    }
}
