//! Cheats in what a coordinator decides.

use symphony_protocol::records::{Body, Draw, Entry, OutcomeClass, Phase, Settlement, Timeout};
use symphony_transparency::Digest;

use super::{
    cheat::Cheat,
    doctor::{Change, Doctor, flipped},
};

impl Doctor {
    pub(super) fn change_close(&mut self, entry: &Entry) -> Change {
        let Body::Close(close) = &entry.body else {
            return Change::Keep;
        };
        let mut close = close.clone();
        let possible = match self.cheat {
            Cheat::WrongRanking => {
                let possible = close.ranking.len() >= 2;
                if possible {
                    close.ranking.swap(0, 1);
                }
                possible
            }
            Cheat::CandidateLeftOut => {
                let left_out = close.ranking.len() >= 2;
                close.ranking.pop();
                left_out
            }
            _ => {
                let possible = close.selections.len() >= 2;
                if possible {
                    close.selections.swap(0, 1);
                }
                possible
            }
        };
        if possible {
            self.instead(entry, |_| Body::Close(close))
        } else {
            Change::Keep
        }
    }

    pub(super) fn change_draw(&mut self, entry: &Entry, draw: &Draw) -> Change {
        let mut changed = draw.clone();
        let possible = match self.cheat {
            Cheat::WrongSeed => {
                changed.seed = flipped(&changed.seed);
                true
            }
            Cheat::WrongSecret => {
                changed.secret[0] ^= 1;
                true
            }
            Cheat::WrongPropensity => match changed.selections.first_mut() {
                Some(selection) => {
                    selection.propensity = selection.propensity.map(|propensity| propensity / 2.0);
                    true
                }
                None => false,
            },
            _ => {
                let possible = changed.selections.len() >= 2;
                if possible {
                    changed.selections.swap(0, 1);
                }
                possible
            }
        };
        if possible {
            self.instead(entry, |_| Body::Draw(changed))
        } else {
            Change::Keep
        }
    }

    pub(super) fn early_timeout(&self, entry: &Entry, beacon: &Digest) -> Option<Timeout> {
        let state = self.inside.state();
        let index = state.open_steps().find(|index| {
            state
                .step(*index)
                .is_some_and(|step| step.statement == *beacon)
        })?;
        let due_ms = state.step(index)?.beacon.close_deadline_ms;
        (entry.time_ms < due_ms).then_some(Timeout {
            beacon: index,
            phase: Phase::Bids,
        })
    }

    pub(super) fn change_settlement(&mut self, entry: &Entry, settlement: &Settlement) -> Change {
        let mut changed = settlement.clone();
        let possible = match self.cheat {
            Cheat::WrongTally => {
                changed.supporters += 1;
                changed.winner.is_some()
            }
            Cheat::WrongReward => match changed.outcomes.first_mut() {
                Some(outcome) => {
                    outcome.reward = 1.0;
                    outcome.class != OutcomeClass::Void
                }
                None => false,
            },
            Cheat::WrongEntryRoot => {
                changed.state_root = flipped(&changed.state_root);
                true
            }
            _ => self.count_unopened(&mut changed),
        };
        if possible {
            self.instead(entry, |_| Body::Settlement(changed))
        } else {
            Change::Keep
        }
    }

    /// Counts a ballot whose reveal does not open it as a valid one.
    fn count_unopened(&self, settlement: &mut Settlement) -> bool {
        let Some(step) = self.inside.state().step(settlement.beacon) else {
            return false;
        };
        let mut counted = false;
        for (selection, outcome) in step.selections.iter().zip(&mut settlement.outcomes) {
            let unopened = selection
                .assignment
                .is_some_and(|assignment| self.memory.unopened.contains(&assignment));
            if unopened && outcome.class == OutcomeClass::Invalid {
                outcome.class = OutcomeClass::Valid;
                outcome.reward = 0.5;
                counted = true;
            }
        }
        counted
    }
}
