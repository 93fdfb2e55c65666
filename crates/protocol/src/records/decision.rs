//! Decisions: what follows from the inputs and from nothing else. Spec: chapters 07, 09 and 10.

use symphony_proto::log::v1 as wire;
use symphony_transparency::{Digest, canonical::f64s_to_field, f64_to_field};

use super::{
    error::{Reader, RecordError},
    views::{
        CloseView, OutcomeView, ReplacementView, RootRecordedView, SelectionView, SettlementView,
        TaskDecidedView,
    },
};
use crate::policy::DIMENSION;

/// Most entries of a ranking or a list of selections: the largest shortlist.
pub(crate) const LIST_MAX: usize = 32;

/// A beacon closes. Spec: BEACON-10, BEACON-12.
#[derive(Clone, Debug, PartialEq)]
pub struct Close {
    /// Index of the beacon's entry.
    pub beacon: u64,
    /// The L best, best first.
    pub ranking: Vec<Ranked>,
    /// The picks, in the order picked.
    pub selections: Vec<Selection>,
    /// State root before this entry.
    pub state_root: Digest,
}

/// A screened candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Index of the bid's entry; the beacon's own index stands for the coordinator's own bid.
    pub bid: u64,
    /// Composite score in 0 to 1.
    pub score: f64,
}

/// A pick of the policy. Spec: BEACON-12, SELECT-16.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selection {
    /// Index of the bid's entry; the beacon's own index stands for the coordinator's own bid.
    pub bid: u64,
    /// The context x.
    pub features: [f64; DIMENSION],
    /// Estimated reward.
    pub estimate: f64,
    /// Width of the confidence bound.
    pub width: f64,
    /// Probability with which chance made this pick, given those before it, above 0 and at most 1; none under a policy without
    /// chance. Spec: CHANCE-8.
    pub propensity: Option<f64>,
}

/// Another executor takes the place of one that failed. Spec: EXEC-13, SELECT-20.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replacement {
    /// Index of the beacon's entry.
    pub beacon: u64,
    /// Number of the selection that failed.
    pub slot: u32,
    /// The new pick.
    pub selection: Selection,
}

/// How a selection ended. Spec: SETTLE-7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeClass {
    /// A valid ballot that won with a quorum.
    Won,
    /// A valid ballot that did not win, or won without a quorum.
    Valid,
    /// No valid ballot.
    Invalid,
    /// No receipt in time.
    Timeout,
    /// The author was down at a deadline: teaches nothing.
    Void,
}

/// The delayed reward of one selection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// How the selection ended.
    pub class: OutcomeClass,
    /// Receipt entry time minus assignment entry time, in milliseconds; 0 without a receipt.
    pub latency_ms: u64,
    /// The reward in 0 to 1.
    pub reward: f64,
}

/// The answer of a vote or a task, and the weight behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Winner {
    /// Keyed digest of the answer.
    pub answer: Digest,
    /// Summed weight.
    pub weight: f64,
}

/// A vote is complete. Spec: SETTLE-5.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// Index of the beacon's entry.
    pub beacon: u64,
    /// The winning answer; nothing without a valid ballot.
    pub winner: Option<Winner>,
    /// Peers other than the author whose ballots hold the winning answer.
    pub supporters: u32,
    /// Outcomes of the selections, in slot order.
    pub outcomes: Vec<Outcome>,
    /// State root before this entry.
    pub state_root: Digest,
}

/// A task is decided. Spec: VOTE-9.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskDecided {
    /// Index of the entry that opened the task.
    pub task: u64,
    /// The chosen answer; nothing when no plan gave one.
    pub winner: Option<Winner>,
}

/// The state root where none was recorded for long: evidence may begin here. Spec: REPLAY-15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootRecorded {
    /// State root before this entry.
    pub state_root: Digest,
}

impl Close {
    pub(super) fn read(value: CloseView<'_>) -> Result<Self, RecordError> {
        let reader = Reader("Close");
        if value.ranking.len() > LIST_MAX || value.selections.len() > LIST_MAX {
            return reader.refuse(
                "ranking",
                "at most 32 items",
                value.ranking.len().max(value.selections.len()),
            );
        }
        Ok(Self {
            beacon: value.beacon,
            ranking: value
                .ranking
                .iter()
                .map(|ranked| {
                    Ok(Ranked {
                        bid: ranked.bid,
                        score: reader.number("ranking.score", ranked.score)?,
                    })
                })
                .collect::<Result<_, RecordError>>()?,
            selections: value
                .selections
                .iter()
                .map(Selection::read)
                .collect::<Result<_, _>>()?,
            state_root: reader.digest("state_root", value.state_root)?,
        })
    }

    pub(super) fn write(&self) -> wire::Close {
        wire::Close {
            beacon: self.beacon,
            ranking: self
                .ranking
                .iter()
                .map(|ranked| wire::Ranked {
                    bid: ranked.bid,
                    score: f64_to_field(ranked.score),
                })
                .collect(),
            selections: self.selections.iter().map(Selection::write).collect(),
            state_root: self.state_root.as_bytes().to_vec(),
        }
    }
}

impl Selection {
    pub(super) fn read(value: &SelectionView<'_>) -> Result<Self, RecordError> {
        let reader = Reader("Selection");
        if value.features.len() != 8 * DIMENSION {
            return reader.refuse(
                "features",
                "6 numbers of 8 bytes",
                format!("{} bytes", value.features.len()),
            );
        }
        let mut features = [0.0; DIMENSION];
        for (feature, bytes) in features.iter_mut().zip(value.features.chunks_exact(8)) {
            *feature = reader.number("features", bytes)?;
        }
        Ok(Self {
            bid: value.bid,
            features,
            estimate: reader.number("estimate", value.estimate)?,
            width: reader.number("width", value.width)?,
            propensity: read_propensity(reader, value.propensity)?,
        })
    }

    pub(super) fn write(&self) -> wire::Selection {
        wire::Selection {
            bid: self.bid,
            features: f64s_to_field(&self.features),
            estimate: f64_to_field(self.estimate),
            width: f64_to_field(self.width),
            propensity: self.propensity.map(f64_to_field).unwrap_or_default(),
        }
    }
}

fn read_propensity(reader: Reader, bytes: &[u8]) -> Result<Option<f64>, RecordError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let propensity = reader.number("propensity", bytes)?;
    if propensity > 0.0 && propensity <= 1.0 {
        Ok(Some(propensity))
    } else {
        reader.refuse("propensity", "above 0 and at most 1", propensity)
    }
}

impl Replacement {
    pub(super) fn read(value: ReplacementView<'_>) -> Result<Self, RecordError> {
        let reader = Reader("Replacement");
        let selection = reader.require("selection", value.selection)?;
        Ok(Self {
            beacon: value.beacon,
            slot: value.slot,
            selection: Selection::read(&selection)?,
        })
    }

    pub(super) fn write(&self) -> wire::Replacement {
        wire::Replacement {
            beacon: self.beacon,
            slot: self.slot,
            selection: Some(self.selection.write()),
        }
    }
}

impl Winner {
    fn read(reader: Reader, answer: &[u8], weight: &[u8]) -> Result<Option<Self>, RecordError> {
        if answer.is_empty() && weight.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            answer: reader.digest("answer", answer)?,
            weight: reader.number("weight", weight)?,
        }))
    }

    fn write(winner: Option<Self>) -> (Vec<u8>, Vec<u8>) {
        winner.map_or_else(Default::default, |winner| {
            (
                winner.answer.as_bytes().to_vec(),
                f64_to_field(winner.weight),
            )
        })
    }
}

impl Settlement {
    pub(super) fn read(value: SettlementView<'_>) -> Result<Self, RecordError> {
        let reader = Reader("Settlement");
        if value.outcomes.len() > LIST_MAX {
            return reader.refuse("outcomes", "at most 32 items", value.outcomes.len());
        }
        Ok(Self {
            beacon: value.beacon,
            winner: Winner::read(reader, value.answer, value.weight)?,
            supporters: value.supporters,
            outcomes: value
                .outcomes
                .iter()
                .map(Outcome::read)
                .collect::<Result<_, _>>()?,
            state_root: reader.digest("state_root", value.state_root)?,
        })
    }

    pub(super) fn write(&self) -> wire::Settlement {
        let (answer, weight) = Winner::write(self.winner);
        wire::Settlement {
            beacon: self.beacon,
            answer,
            weight,
            supporters: self.supporters,
            outcomes: self.outcomes.iter().map(Outcome::write).collect(),
            state_root: self.state_root.as_bytes().to_vec(),
        }
    }
}

impl Outcome {
    fn read(value: &OutcomeView<'_>) -> Result<Self, RecordError> {
        let reader = Reader("Outcome");
        let class = match wire::OutcomeClass::try_from(value.class) {
            Ok(wire::OutcomeClass::Won) => OutcomeClass::Won,
            Ok(wire::OutcomeClass::Valid) => OutcomeClass::Valid,
            Ok(wire::OutcomeClass::Invalid) => OutcomeClass::Invalid,
            Ok(wire::OutcomeClass::Timeout) => OutcomeClass::Timeout,
            Ok(wire::OutcomeClass::Void) => OutcomeClass::Void,
            Ok(wire::OutcomeClass::Unspecified) | Err(_) => {
                return reader.refuse("class", "a known outcome", value.class);
            }
        };
        Ok(Self {
            class,
            latency_ms: value.latency_ms,
            reward: reader.number("reward", value.reward)?,
        })
    }

    fn write(&self) -> wire::Outcome {
        let class = match self.class {
            OutcomeClass::Won => wire::OutcomeClass::Won,
            OutcomeClass::Valid => wire::OutcomeClass::Valid,
            OutcomeClass::Invalid => wire::OutcomeClass::Invalid,
            OutcomeClass::Timeout => wire::OutcomeClass::Timeout,
            OutcomeClass::Void => wire::OutcomeClass::Void,
        };
        wire::Outcome {
            class: class.into(),
            latency_ms: self.latency_ms,
            reward: f64_to_field(self.reward),
        }
    }
}

impl TaskDecided {
    pub(super) fn read(value: TaskDecidedView<'_>) -> Result<Self, RecordError> {
        let reader = Reader("TaskDecided");
        Ok(Self {
            task: value.task,
            winner: Winner::read(reader, value.answer, value.weight)?,
        })
    }

    pub(super) fn write(&self) -> wire::TaskDecided {
        let (answer, weight) = Winner::write(self.winner);
        wire::TaskDecided {
            task: self.task,
            answer,
            weight,
        }
    }
}

impl RootRecorded {
    pub(super) fn read(value: RootRecordedView<'_>) -> Result<Self, RecordError> {
        let reader = Reader("RootRecorded");
        Ok(Self {
            state_root: reader.digest("state_root", value.state_root)?,
        })
    }

    pub(super) fn write(&self) -> wire::RootRecorded {
        wire::RootRecorded {
            state_root: self.state_root.as_bytes().to_vec(),
        }
    }
}
