//! A queue for each client: jobs wait while another one runs, and run one by one.

mod work;

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::extract::State;
use switchboard::{WsError, ws_message};

pub use self::work::Work;
use crate::{Client, Shared};

/// How many jobs of a client may wait.
const MAX_WAITING: usize = 50;

#[ws_message("RUN_JOB")]
#[derive(Debug)]
pub(crate) struct RunJob {
    #[validate(length(min = 1, max = 50))]
    id: String,
    /// Whether it fails, to show how that is handled.
    fails: bool,
}

/// Drops the waiting jobs; the running one continues.
#[ws_message("CLEAR_JOBS")]
pub(crate) struct ClearJobs;

/// The job will run.
#[ws_message("JOB_QUEUED")]
pub(crate) struct JobQueued {
    id: String,
    /// How many jobs are before it, including the running one.
    before: usize,
}

#[ws_message("JOBS_CLEARED")]
pub(crate) struct JobsCleared {
    count: usize,
}

#[ws_message("JOB_DONE")]
struct JobDone {
    id: String,
}

#[ws_message("JOB_FAILED")]
struct JobFailed {
    id: String,
    reason: String,
}

/// The jobs of one client.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Mutex<Line>);

/// The waiting jobs. While one runs there is a task, which runs the others after it.
#[derive(Debug, Default)]
struct Line {
    busy: bool,
    waiting: VecDeque<RunJob>,
}

impl Jobs {
    /// Returns the job itself if it can run at once, or else the number of jobs before it.
    fn enqueue(&self, job: RunJob) -> Result<Enqueued, WsError> {
        let mut line = self.lock();
        if !line.busy {
            line.busy = true;
            return Ok(Enqueued::Now(job));
        }
        if line.waiting.len() >= MAX_WAITING {
            return Err(WsError::resource_exhausted("Too many jobs are waiting"));
        }
        line.waiting.push_back(job);
        Ok(Enqueued::Behind(line.waiting.len()))
    }

    /// Returns the next job, or marks the queue as idle.
    fn next(&self) -> Option<RunJob> {
        let mut line = self.lock();
        let job = line.waiting.pop_front();
        line.busy = job.is_some();
        job
    }

    /// Drops the waiting jobs and returns their number.
    pub(crate) fn clear(&self) -> usize {
        std::mem::take(&mut self.lock().waiting).len()
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        // No code under the lock panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Enqueued {
    Now(RunJob),
    Behind(usize),
}

pub(crate) async fn run_job(client: Client, State(app): State<Shared>, job: RunJob) -> Result<(), WsError> {
    let id = job.id.clone();
    match client.data().jobs.enqueue(job)? {
        Enqueued::Behind(before) => client.send(JobQueued { id, before })?,
        Enqueued::Now(job) => {
            // Sent before the task is spawned, which could be done by then.
            let queued = client.send(JobQueued { id, before: 0 });
            tokio::spawn(drain(client, app.work.clone(), job));
            queued?;
        }
    }
    Ok(())
}

/// Ends when no job waits any more. A failed job does not stop the others.
async fn drain(client: Client, work: Work, first: RunJob) {
    let mut next = Some(first);
    while let Some(job) = next {
        let result = work.run(&job).await;
        // Fails if the client has gone, whose jobs are cleared.
        let _ = match result {
            Ok(()) => client.send(JobDone { id: job.id }),
            Err(error) => client.send(JobFailed { id: job.id, reason: error.to_string() }),
        };
        next = client.data().jobs.next();
    }
}

pub(crate) async fn clear_jobs(client: Client, _: ClearJobs) -> JobsCleared {
    JobsCleared { count: client.data().jobs.clear() }
}
