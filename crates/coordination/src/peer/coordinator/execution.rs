//! Assignments that leave, receipts that arrive. Spec: EXEC-1, EXEC-12.

use symphony_protocol::records::{Assignment, Body, Issued, Receipt, Received};
use symphony_transparency::VerifiedStatement;

use crate::{
    event::{Effect, TaskEvent},
    peer::{Peer, ProposeError, Taken},
};

impl Peer {
    pub(crate) fn assign(&mut self, beacon: u64, slot: u32) -> Result<(), ProposeError> {
        let Some(step) = self.state().step(beacon) else {
            return Ok(());
        };
        let Some(selection) = step.selections.get(slot as usize) else {
            return Ok(());
        };
        let (executor, task_index, statement) =
            (selection.executor, step.beacon.task, step.statement);
        let (execute_ms, reveal_ms) = (step.beacon.execute_ms, step.beacon.reveal_ms);
        let (form, tags) = (step.beacon.form, step.beacon.tags.clone());
        let Some(task) = self.tasks.get(&task_index) else {
            // After a restart the texts are gone: the steps of such tasks were settled as void by `start`.
            return Ok(());
        };
        let prompt = task.prompts.get(&beacon).cloned().unwrap_or_default();
        let private = symphony_protocol::records::AssignmentPrivate {
            task_key: task.key.clone(),
            prompt: prompt.clone(),
        };
        let issued = Issued::new(Assignment {
            origin: self.next_origin(),
            beacon: statement,
            slot,
            executor,
            prompt: task.key.prompt(&prompt),
            key_commitment: task.key.commitment(),
            execute_ms,
            reveal_ms,
        });
        let assignment = issued.digest;
        let key = task.key.clone();
        let bytes = self.sign(&issued).into_bytes();
        let index = self.replay.size();
        self.propose(Body::AssignmentIssued(issued))?;
        if executor == self.author() {
            let due_ms = self.state().time_ms().saturating_add(execute_ms.into());
            let (prompt, form) =
                self.begin_own_session(assignment, (key, prompt), (form, &tags), due_ms);
            self.effect(Effect::Execute {
                assignment,
                prompt,
                form,
                execute_ms,
            });
        } else {
            self.send_awaited(executor, (index, assignment), bytes, private.encode());
        }
        Ok(())
    }

    pub(crate) fn receipt_heard(
        &mut self,
        statement: VerifiedStatement,
    ) -> Result<Result<Taken, String>, ProposeError> {
        let receipt = match Received::<Receipt>::from_statement(statement) {
            Ok(receipt) => receipt,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let (peer, digest, assignment) = (
            *receipt.statement.author(),
            receipt.digest(),
            receipt.record.assignment,
        );
        let pending = self.selection_of(&assignment);
        let Some((beacon, slot)) = pending else {
            return Ok(Err("no pending assignment of this digest".to_owned()));
        };
        let known = self
            .state()
            .step(beacon)
            .and_then(|step| step.selections.get(slot as usize))
            .and_then(|selection| selection.receipt);
        if known == Some(digest) {
            return Ok(Err("a receipt that is already in the log".to_owned()));
        }
        let task = self.state().step(beacon).map(|step| step.beacon.task);
        let taken = self.log_received(Body::ReceiptReceived(receipt));
        if let (Ok(Taken::Logged(entry)), Some(request)) =
            (&taken, task.and_then(|task| self.request_of(task)))
        {
            let selection = self
                .state()
                .step(beacon)
                .and_then(|step| step.selections.get(slot as usize));
            let latency_ms = selection.map_or(0, |selection| selection.latency_ms);
            self.report(
                request,
                *entry,
                TaskEvent::Receipt {
                    slot,
                    peer,
                    latency_ms,
                },
            );
        }
        Ok(taken)
    }
}
