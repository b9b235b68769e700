//! How fast queues are worked off.

use std::{future::pending, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::sleep};

/// How fast queues are worked off.
#[derive(Debug, Clone)]
pub struct Pace(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Every(Duration),
    Permits(Arc<Semaphore>),
}

impl Pace {
    /// One item takes so long.
    #[must_use]
    pub fn every(time: Duration) -> Self {
        Self(Kind::Every(time))
    }

    /// One item takes a permit, which is used up.
    #[must_use]
    pub fn permits(permits: Arc<Semaphore>) -> Self {
        Self(Kind::Permits(permits))
    }

    /// The next item may leave.
    pub(crate) async fn next(&self) {
        match &self.0 {
            Kind::Every(time) => sleep(*time).await,
            Kind::Permits(permits) => match permits.acquire().await {
                Ok(permit) => permit.forget(),
                // Closed: there will never be one.
                Err(_) => pending().await,
            },
        }
    }
}
