//! Whole networks under virtual time.
//!
//! Every peer is a real [`symphony_coordination::Peer`]; clock, links, disks and models are simulated from one seed. Effects
//! are carried out only after their entries are durable and the signing record knows of them, and a peer may crash between
//! any two of append, sync, record and send; it then loses its memory and what was not durable, and comes back from its disk.
//! Peers follow each other's logs by messages, replay them, exchange checkpoints, and make and check evidence; at the end every
//! log is replayed from its bytes and all are cross-checked.
//!
//! Some peers may be no honest ones: [`Cheat`] lists the ways to cheat, [`Trial`] and [`Table`] are the attack zoo
//! (`docs/attack-zoo.md`).
//!
//! ```
//! use symphony_simulation::{Scenario, run};
//!
//! let scenario = Scenario { peers: 5, tasks: 4, ..Scenario::default() };
//! let report = run(&scenario).expect("honest peers keep to the rules");
//! assert!(report.faults.is_empty());
//! assert_eq!(report, run(&scenario).expect("runs again"));
//! ```

mod audit;
mod disk;
pub mod experiments;
mod network;
mod peer;
mod questions;
mod queue;
mod random;
mod report;
mod scenario;
mod worker;
mod zoo;

pub use network::{Simulation, SimulationError, run};
pub use random::Random;
pub use report::{
    CharacterReport, Conviction, PeerReport, Report, SelectionReport, TaskOutcome, TaskReport,
};
pub use scenario::{Character, Links, Neighbours, Scenario, Storage, Troubles, Workers};
pub use zoo::{Cheat, Outcome, Side, Table, Trial, cheat_scenario, honest_scenario};
