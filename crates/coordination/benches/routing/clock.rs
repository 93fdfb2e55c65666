//! Processor time of this thread: what work takes, also on a machine that others use at the same time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment of the thread's own time.
#[derive(Clone, Copy)]
pub(crate) struct Processor(Duration);

impl Processor {
    pub(crate) fn now() -> Self {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Self(Duration::new(
            time.tv_sec.try_into().unwrap(),
            time.tv_nsec.try_into().unwrap(),
        ))
    }

    pub(crate) fn elapsed(self) -> Duration {
        Self::now().0 - self.0
    }
}
