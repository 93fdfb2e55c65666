//! The bounded queue in front of the model.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Admits a bounded number of requests, and lets a smaller number of them run, in the order of arrival.
#[derive(Debug, Clone)]
pub struct Queue {
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

/// A place in the queue; given back when dropped.
#[derive(Debug)]
pub struct Place {
    running: Arc<Semaphore>,
    _place: OwnedSemaphorePermit,
}

/// The right to run; given back when dropped.
#[derive(Debug)]
pub struct Turn {
    _place: Place,
    _running: OwnedSemaphorePermit,
}

/// All places are taken. Not now: another try later may succeed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the queue is full")]
pub struct QueueFull;

impl Queue {
    /// A queue in which `running_count_max` requests run while `waiting_count_max` others wait.
    pub fn new(running_count_max: u32, waiting_count_max: u32) -> Self {
        let running = running_count_max.max(1) as usize;
        let places = running
            .saturating_add(waiting_count_max as usize)
            .min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(places)),
            running: Arc::new(Semaphore::new(running)),
        }
    }

    /// Takes a place at once, or says that none is free.
    ///
    /// # Errors
    ///
    /// [`QueueFull`].
    pub fn enter(&self) -> Result<Place, QueueFull> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| QueueFull)?;
        Ok(Place {
            running: Arc::clone(&self.running),
            _place: place,
        })
    }
}

impl Place {
    /// Waits for the turn. Cancellation safe: dropping the future leaves the queue.
    pub async fn turn(self) -> Turn {
        let running = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        Turn {
            _place: self,
            _running: running,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_finished_request_makes_room() {
        let queue = Queue::new(1, 1);
        let first = queue.enter().expect("free").turn().await;
        let second = queue.enter().expect("one may wait");
        assert_eq!(queue.enter().expect_err("full"), QueueFull);
        drop(first);
        let _second = second.turn().await;
        assert!(queue.enter().is_ok());
    }

    #[tokio::test]
    async fn leaving_while_waiting_gives_the_place_back() {
        let queue = Queue::new(1, 1);
        let _first = queue.enter().expect("free").turn().await;
        let waiting = queue.enter().expect("one may wait").turn();
        assert!(queue.enter().is_err());
        drop(waiting);
        assert!(queue.enter().is_ok());
    }
}
