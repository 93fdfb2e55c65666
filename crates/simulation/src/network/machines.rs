//! Machines: starts, crashes, heartbeats, and whom they meet.

use symphony_coordination::Event;
use symphony_protocol::records::TaskKey;
use symphony_transparency::PublicKey;

use crate::{peer::Recovery, report::TaskOutcome};

use super::{
    Awaited, CHECKPOINT_MS, HEARTBEAT_MS, Happening, Kept, NOTICE_MS, Simulation, SimulationError,
    WARM_UP_MS,
};

/// Bytes of a record that reach the disk at most when a crash cuts it off.
const TORN_SIZE_MAX: u64 = 600;

impl Simulation<'_> {
    pub(super) fn restart(&mut self, peer: usize) -> Result<(), SimulationError> {
        if self.machines[peer].peer.is_some()
            || self.machines[peer].recovery == Recovery::Retired
            || self.now_ms < self.machines[peer].out_until_ms
        {
            return Ok(());
        }
        self.machines[peer].disk.recover();
        if !self.may_sign(peer) {
            return Ok(());
        }
        let most = self.scenario.troubles.clock_skew_ms;
        let skew = self.random.within(0, 2 * most);
        let skew_ms = i64::try_from(skew)
            .unwrap_or(0)
            .saturating_sub_unsigned(most);
        let (time_ms, network) = (self.now_ms, self.network);
        let machine = &mut self.machines[peer];
        let held = machine
            .boot(&network, skew_ms)
            .map_err(|source| SimulationError::Restart {
                peer,
                time_ms,
                source,
            })?;
        for statement in held {
            let found = self.machines[peer].auditor.hear(&statement, &self.memo);
            self.found(peer, found)?;
        }
        let machine = &mut self.machines[peer];
        let (clock_ms, epoch) = (machine.clock_ms(time_ms), machine.epoch);
        let started = machine.peer.as_mut().map(|peer| peer.start(clock_ms));
        if let Some(output) = started {
            let output = output.map_err(|source| SimulationError::Propose {
                peer,
                time_ms,
                source,
            })?;
            self.append(peer, output);
        }
        let exposed: Vec<PublicKey> = self.machines[peer]
            .auditor
            .exposed()
            .keys()
            .copied()
            .collect();
        for exposed in exposed {
            self.handle(peer, Event::Exposed { peer: exposed })?;
        }
        let pause_ms = self.random.within(1, HEARTBEAT_MS);
        self.queue
            .push(time_ms + pause_ms, Happening::Heartbeat { peer, epoch });
        let pause_ms = self.random.within(1, CHECKPOINT_MS);
        self.queue
            .push(time_ms + pause_ms, Happening::Checkpoint { peer, epoch });
        self.notice(peer);
        Ok(())
    }

    pub(super) fn crash(&mut self, peer: usize, survivors_max: usize) {
        if self.machines[peer].peer.is_none() {
            return;
        }
        let waiting: usize = self.machines[peer]
            .writes
            .iter()
            .map(|output| output.entries.len())
            .sum();
        let most = u64::try_from(waiting.min(survivors_max)).unwrap_or(0);
        let survivors = usize::try_from(self.random.within(0, most)).unwrap_or(0);
        let torn_size = usize::try_from(self.random.within(0, TORN_SIZE_MAX)).unwrap_or(0);
        self.machines[peer].crash(survivors, torn_size);
        self.arrivals[peer].retain(|_, arrival| arrival.kept == Kept::Stored);
        self.crashes += 1;
        self.lose_tasks(peer);
        let (least, most) = self.scenario.troubles.down_ms;
        let down_ms = self.random.within(least, most);
        self.queue
            .push(self.now_ms + down_ms, Happening::Restart { peer });
        self.notice(peer);
    }

    /// Tasks that a coordinator had taken and not decided are lost with its memory.
    fn lose_tasks(&mut self, peer: usize) {
        let taken = self.now_ms.saturating_sub(WARM_UP_MS) / self.scenario.task_interval_ms.max(1);
        let taken = usize::try_from(taken)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        for task in self.tasks.iter_mut().take(taken) {
            if task.coordinator == peer && task.outcome.is_none() {
                task.outcome = Some(TaskOutcome::Lost);
            }
        }
    }

    /// Others notice, after a while, whether this peer can be reached.
    pub(super) fn notice(&mut self, peer: usize) {
        for other in 0..self.machines.len() {
            if other != peer {
                self.queue
                    .push(self.now_ms + NOTICE_MS, Happening::Meets { peer, other });
            }
        }
    }

    pub(super) fn meets(&mut self, peer: usize, other: usize) -> Result<(), SimulationError> {
        let reachable = self.connected(peer, other)
            && self.machines[peer].peer.is_some()
            && self.machines[other].peer.is_some();
        for (one, two) in [(peer, other), (other, peer)] {
            let key = self.machines[two].key;
            self.handle(
                one,
                Event::Reachable {
                    peer: key,
                    reachable,
                },
            )?;
            if reachable {
                self.offer(one, two)?;
            }
        }
        Ok(())
    }

    /// Shows the own capability.
    pub(super) fn offer(&mut self, from: usize, to: usize) -> Result<(), SimulationError> {
        // Only what is durable may be shown.
        if !self.machines[from].writes.is_empty() {
            return Ok(());
        }
        let capability = self.machines[from]
            .peer
            .as_ref()
            .and_then(|peer| peer.own_capability());
        match capability {
            Some(statement) => self.release(from, to, &statement, Vec::new(), Awaited::No),
            None => Ok(()),
        }
    }

    pub(super) fn heartbeat(&mut self, peer: usize) -> Result<(), SimulationError> {
        self.handle(peer, Event::Tick)?;
        for other in 0..self.machines.len() {
            if other != peer {
                self.offer(peer, other)?;
            }
        }
        self.audit_round(peer)?;
        let epoch = self.machines[peer].epoch;
        self.queue.push(
            self.now_ms + HEARTBEAT_MS,
            Happening::Heartbeat { peer, epoch },
        );
        Ok(())
    }

    pub(super) fn submit(&mut self, number: usize) -> Result<(), SimulationError> {
        let task = &mut self.tasks[number];
        let coordinator = task.coordinator;
        if self.machines[coordinator].peer.is_none() {
            task.outcome = Some(TaskOutcome::Lost);
            return Ok(());
        }
        let text = u32::try_from(number).unwrap_or(u32::MAX);
        let request = task.question.request(text, self.scenario);
        let key = TaskKey::from_bytes(self.random.bytes());
        let planning_key = if request.settings.planners > 0 {
            TaskKey::from_bytes(self.random.bytes())
        } else {
            key.clone()
        };
        self.handle(
            coordinator,
            Event::Submit {
                request: u64::try_from(number).unwrap_or(u64::MAX),
                task: request,
                key,
                planning_key,
            },
        )
    }
}
