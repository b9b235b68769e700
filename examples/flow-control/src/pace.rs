//! The speed at which queues are processed.

use std::{future::pending, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::sleep};

/// How fast a queue is processed.
#[derive(Debug, Clone)]
pub struct Pace(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Every(Duration),
    Permits(Arc<Semaphore>),
}

impl Pace {
    /// Each item takes this long.
    #[must_use]
    pub fn every(time: Duration) -> Self {
        Self(Kind::Every(time))
    }

    /// Each item takes a permit, which is used up.
    #[must_use]
    pub fn permits(permits: Arc<Semaphore>) -> Self {
        Self(Kind::Permits(permits))
    }

    /// Waits until the next item may be processed.
    pub(crate) async fn next(&self) {
        match &self.0 {
            Kind::Every(time) => sleep(*time).await,
            Kind::Permits(permits) => match permits.acquire().await {
                Ok(permit) => permit.forget(),
                // Closed: there will not be another permit.
                Err(_) => pending().await,
            },
        }
    }
}
