//! One owner task for one child process: starts it, passes requests to it, ends it when it hangs, starts it anew.
//!
//! The task alone holds the child. Callers reach it through a bounded queue and learn its state through a watch. Rules:
//!
//! | event | effect |
//! |---|---|
//! | the program cannot be used at all | state `Failed` for good; waiting and later requests fail at once |
//! | a start fails or takes longer than `start_timeout` | pause, twice as long each time, then another start |
//! | the process ends, or breaks its protocol | running requests fail as `Crashed`; waiting ones wait for the next start |
//! | no answer `hang_grace` after a request's deadline | the process hangs: it is killed, and started anew after a pause |
//! | the process ran for `stable_after` | earlier failures are forgotten |
//! | shutdown, or the last handle is dropped | standard input closes; after `stop_timeout` the process is killed |

mod config;
mod handle;
mod launch;
mod task;

pub use config::SupervisionConfig;
pub(crate) use handle::Supervised;
pub(crate) use launch::{Launch, LaunchError, Launched, Session, StderrLevel, StderrTail};
