//! The paper's experiments, redone on the real coordinator.

mod arm;
mod catalogue;
mod coordinator;
mod course;
mod goals;
mod mersenne;
mod offpolicy;
mod parallel;
mod plans;
pub mod plot;
mod produce;
mod profile;
mod published;
pub mod report;
mod scaling;
mod sections;
mod shock;
mod statistics;
mod study;
mod trial;
mod weights;
mod world;

pub use arm::{Arm, Simulated};
pub use catalogue::{Experiment, policies};
pub use coordinator::{Coordinator, Failure, Setup, Signing, Step, honest_claims};
pub use course::{Course, Delay, Heard, Honesty, Turn};
pub use goals::{Goal, goals};
pub use mersenne::MersenneTwister;
pub use offpolicy::{Judged, METHODS, OffPolicyFinding, judged, measure_off_policy};
pub use plans::{PLANNERS, Planned, measure as measure_plans};
pub use produce::{File, Request, Section, produce};
pub use published::{Profiles, PublishedPolicy, PublishedRun, run_published};
pub use scaling::{POOLS, Scale, measure};
pub use sections::published_section;
pub use shock::{Shock, WINDOW, moving_rate, recovery};
pub use statistics::{Estimate, gini, quantile};
pub use study::{Cell, Finding, Study, StudyOptions};
pub use trial::{Trial, TrialOptions, run_trial};
pub use world::{Agent, Call, Chance, Kind, NAMES, PUBLISHED, PUBLISHED_EXP3, World};

use symphony_coordination::ProposeError;
use symphony_evaluation::Refusal;
use symphony_protocol::{Fault, records::RecordError, replay::Unusable};

/// An experiment could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// No stamp was found for the coordinator's log.
    #[error("no stamp for the coordinator's log")]
    Stamp,
    /// The coordinator's log is none.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The coordinator refused its own entry.
    #[error(transparent)]
    Propose(#[from] ProposeError),
    /// Parameters of a network that are none, or an entry that is none.
    #[error(transparent)]
    Params(#[from] RecordError),
    /// A log says nothing of a policy that it should say something of.
    #[error("a log and a policy that it did not follow: {0}")]
    Refused(#[from] Refusal),
    /// The coordinator's log breaks a rule.
    #[error("the coordinator's log: {0}")]
    Fault(Fault),
    /// A chart could not be painted.
    #[error("a chart: {0}")]
    Picture(String),
    /// A simulated network broke a rule.
    #[error("a simulated network: {0}")]
    Network(String),
    /// The coordinator refused to take measures in.
    #[error("an import was refused: {0}")]
    Import(Fault),
    /// The coordinator announced no step.
    #[error("the coordinator announced no step")]
    NoStep,
}
