//! Waiting for what a process will do, with a limit: polling, never a fixed pause.

use std::{future::Future, time::Duration};

/// Time for anything that a small network on a loaded machine should do at once.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(60);
/// How often is asked.
const INTERVAL: Duration = Duration::from_millis(50);

/// Asks until there is something, and gives it.
///
/// # Errors
/// There is nothing within [`TIME_MAX`].
pub(crate) async fn until<T, Asked: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> Asked,
) -> anyhow::Result<T> {
    let asking = async {
        let mut timer = tokio::time::interval(INTERVAL);
        loop {
            timer.tick().await;
            if let Some(found) = ask().await {
                return found;
            }
        }
    };
    tokio::time::timeout(TIME_MAX, asking)
        .await
        .map_err(|_| anyhow::anyhow!("not within {TIME_MAX:?}: {what}"))
}
