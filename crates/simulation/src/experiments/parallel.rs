//! Many runs on all cores, whose order says nothing.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// What `run` gives for 0 to `total - 1`, in that order, with so many runs at once. `progress` is told how many of how many are done.
pub(super) fn in_parallel<T: Send>(
    total: usize,
    workers: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
    run: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let results: Mutex<Vec<Option<T>>> = Mutex::new((0..total).map(|_| None).collect());
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= total {
                        return;
                    }
                    let result = run(place);
                    if let Ok(mut results) = results.lock() {
                        results[place] = Some(result);
                    }
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                }
            });
        }
    });
    // A run that panicked ended the scope with its panic.
    results
        .into_inner()
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .collect()
}
