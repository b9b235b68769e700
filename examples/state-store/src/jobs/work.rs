//! A job: slow work that may fail.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::sleep};

use super::RunJob;

/// How long a job takes.
#[derive(Debug, Clone)]
pub struct Work(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Taking(Duration),
    Permits(Arc<Semaphore>),
}

/// A job failed.
#[derive(Debug)]
pub(super) struct JobError;

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was meant to fail")
    }
}

impl std::error::Error for JobError {}

impl Work {
    /// This long.
    #[must_use]
    pub fn taking(time: Duration) -> Self {
        Self(Kind::Taking(time))
    }

    /// Until there is a permit for it, which is used up.
    #[must_use]
    pub fn permits(permits: Arc<Semaphore>) -> Self {
        Self(Kind::Permits(permits))
    }

    pub(super) async fn run(&self, job: &RunJob) -> Result<(), JobError> {
        match &self.0 {
            Kind::Taking(time) => sleep(*time).await,
            Kind::Permits(permits) => permits.acquire().await.map_err(|_| JobError)?.forget(),
        }
        if job.fails { Err(JobError) } else { Ok(()) }
    }
}
