//! Claims about estimates, checked where the truth is known; and about choices, on logs of whole networks.

mod coverage;
mod explanations;
mod logs;
mod refusals;
mod world;
