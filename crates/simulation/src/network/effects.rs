//! Events and effects: what a peer is told, and what it wants done.

use symphony_coordination::{Effect, Event, Output, PlannedBy, TaskEvent};
use symphony_protocol::records::{AnswerForm, OutcomeClass};
use symphony_transparency::Digest;

use crate::{
    peer::Role,
    questions::number_in,
    report::{SelectionReport, TaskOutcome},
    scenario::Neighbours,
    worker::{execute, plan},
};

use super::{Awaited, CRASHES_AFTER_MS, Happening, Message, Simulation, SimulationError};

impl Simulation<'_> {
    pub(super) fn handle(&mut self, peer: usize, event: Event) -> Result<(), SimulationError> {
        let time_ms = self.now_ms;
        let machine = &mut self.machines[peer];
        let clock_ms = machine.clock_ms(time_ms);
        let Some(running) = machine.peer.as_mut() else {
            return Ok(());
        };
        let output =
            running
                .handle(event, clock_ms)
                .map_err(|source| SimulationError::Propose {
                    peer,
                    time_ms,
                    source,
                })?;
        self.append(peer, output);
        Ok(())
    }

    /// Entries go on their way to the disk; their effects wait for them, and for all before them.
    pub(super) fn append(&mut self, peer: usize, output: Output) {
        let (least, most) = self.scenario.storage.sync_ms;
        let sync_ms = if output.entries.is_empty() {
            0
        } else {
            self.random.within(least, most)
        };
        let now_ms = self.now_ms;
        let machine = &mut self.machines[peer];
        let epoch = machine.epoch;
        if !(output.entries.is_empty() && output.effects.is_empty()) {
            machine.sync_ms = machine.sync_ms.max(now_ms + sync_ms);
            self.queue
                .push(machine.sync_ms, Happening::Synced { peer, epoch });
            machine.writes.push_back(output);
        }
        let wake = machine.peer.as_ref().and_then(|peer| peer.next_wake_ms());
        if let Some(clock_ms) = wake {
            let wake_ms = machine.virtual_ms(clock_ms).max(now_ms);
            if machine.wake_ms.is_none_or(|known| known > wake_ms) {
                machine.wake_ms = Some(wake_ms);
                self.queue.push(wake_ms, Happening::Wake { peer, epoch });
            }
        }
    }

    pub(super) fn synced(&mut self, peer: usize) -> Result<(), SimulationError> {
        if self.boundary_crash() {
            // Between append and sync: any part of what was appended may be on the disk.
            self.crash(peer, usize::MAX);
            return Ok(());
        }
        let Some(output) = self.machines[peer].writes.pop_front() else {
            return Ok(());
        };
        let machine = &mut self.machines[peer];
        if let Role::Cheat(doctor) = &mut machine.role {
            doctor.append(&output.entries);
        }
        machine.disk.extend(output.entries);
        if self.boundary_crash() {
            // Between sync and signing record: what is durable was not released.
            self.crash(peer, 0);
            return Ok(());
        }
        let machine = &mut self.machines[peer];
        machine.signing.advance(&machine.disk);
        for effect in output.effects {
            if self.boundary_crash() {
                // Between signing record and send, or between two sends.
                self.crash(peer, 0);
                return Ok(());
            }
            self.carry_out(peer, effect)?;
        }
        Ok(())
    }

    pub(super) fn boundary_crash(&mut self) -> bool {
        self.now_ms < self.last_submit_ms() + CRASHES_AFTER_MS
            && self
                .random
                .chance(self.scenario.troubles.boundary_crash_ppm)
    }

    pub(super) fn carry_out(&mut self, peer: usize, effect: Effect) -> Result<(), SimulationError> {
        match effect {
            Effect::Publish { statement } => {
                for other in 0..self.machines.len() {
                    if other != peer {
                        self.release(peer, other, &statement, Vec::new(), Awaited::No)?;
                    }
                }
            }
            Effect::Announce { statement, token } => match self.scenario.links.neighbours {
                Neighbours::Everyone => {
                    self.carry_out(peer, Effect::Publish { statement })?;
                }
                Neighbours::Line => self.pass_on(peer, statement, token),
            },
            Effect::Send {
                to,
                statement,
                private,
            } => {
                if let Some(to) = self.number_of(&to) {
                    self.release(peer, to, &statement, private, Awaited::Yes)?;
                }
            }
            Effect::AskReveal { to, assignment } => {
                if let Some(to) = self.number_of(&to) {
                    self.send(
                        peer,
                        to,
                        &Message::AskReveal {
                            from: peer,
                            assignment,
                        },
                    );
                }
            }
            Effect::Acknowledge { token, statement } => {
                if let Some(to) = self.machines[peer].tokens.remove(&token)
                    && !statement.is_empty()
                {
                    self.release(peer, to, &statement, Vec::new(), Awaited::No)?;
                }
            }
            Effect::Refuse { token, .. } => {
                self.machines[peer].tokens.remove(&token);
            }
            Effect::Execute {
                assignment,
                prompt,
                form,
                ..
            } => self.begin(peer, assignment, (&prompt, form)),
            Effect::Report { request, event, .. } => self.note(request, &event),
            Effect::Found(_) => self.audit_own(peer)?,
        }
        Ok(())
    }

    /// Begins an execution at the place that is free first.
    fn begin(&mut self, peer: usize, assignment: Digest, (prompt, form): (&str, AnswerForm)) {
        let Some(question) = number_in(prompt).and_then(|number| self.tasks.get(number)) else {
            return;
        };
        let number = u32::try_from(peer).unwrap_or(u32::MAX);
        let workers = &self.scenario.workers;
        let execution = if form == AnswerForm::Plan {
            plan(workers, &mut self.random, prompt)
        } else {
            execute(workers, &mut self.random, number, &question.question)
        };
        let Some(execution) = execution else { return };
        let machine = &mut self.machines[peer];
        let epoch = machine.epoch;
        let Some(free_ms) = machine.free_ms.iter_mut().min() else {
            return;
        };
        *free_ms = self.now_ms.max(*free_ms) + execution.duration_ms;
        let time_ms = *free_ms;
        self.queue.push(
            time_ms,
            Happening::Executed {
                peer,
                epoch,
                assignment,
                execution,
            },
        );
    }

    /// Notes what a client is told.
    fn note(&mut self, request: u64, event: &TaskEvent) {
        let Ok(number) = usize::try_from(request) else {
            return;
        };
        let Some(task) = self.tasks.get_mut(number) else {
            return;
        };
        match event {
            TaskEvent::Planning => task.planning = true,
            TaskEvent::Planned { by, .. } => {
                task.planning = false;
                self.planned += u64::from(*by == PlannedBy::Planners);
            }
            // Planners are judged by their plans, not by a skill.
            TaskEvent::Settled { .. } if task.planning => {}
            TaskEvent::Settled { outcomes, .. } => {
                for (executor, class, _, reward) in outcomes {
                    let found = self
                        .machines
                        .iter()
                        .position(|machine| machine.key == *executor);
                    if let (Some(peer), true) = (found, *class != OutcomeClass::Void) {
                        let peer = u32::try_from(peer).unwrap_or(u32::MAX);
                        self.selections.push(SelectionReport {
                            task: u32::try_from(number).unwrap_or(u32::MAX),
                            skilled: self.scenario.workers.is_skilled(peer, task.question.skill),
                            reward: *reward,
                        });
                    }
                }
            }
            TaskEvent::Decided { answer, .. } => {
                task.outcome = Some(match answer.as_deref() {
                    Some(answer) if answer == task.question.right_answer() => TaskOutcome::Right,
                    Some(_) => TaskOutcome::Wrong,
                    None => TaskOutcome::Unanswered,
                });
            }
            TaskEvent::Failed { .. } => task.outcome = Some(TaskOutcome::Refused),
            _ => {}
        }
    }
}
