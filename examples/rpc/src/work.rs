//! Slow work: deadlines, aborts, concurrent requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::extract::State;
use switchboard::{Cancelled, Deadline, WsError};
use tokio::{task::spawn_blocking, time::sleep};

use crate::messages::{AskWork, CountPrimes, Found, Primes, Search, Wait, Waited, WorkState};

/// The number of pages of a search, and the time for each.
const PAGES: u32 = 20;
const PAGE_TIME: Duration = Duration::from_millis(50);

/// The time reserved for sending the reply.
const RESERVE: Duration = Duration::from_millis(100);

/// Counts the work of other threads.
#[derive(Clone, Default)]
pub(crate) struct Work(Arc<Counts>);

#[derive(Default)]
struct Counts {
    running: AtomicUsize,
    abandoned: AtomicUsize,
}

/// Stops in time with the results so far, instead of failing at the deadline.
pub(crate) async fn search(deadline: Deadline, _: Search) -> Found {
    for pages in 0..PAGES {
        if deadline.remaining() < PAGE_TIME + RESERVE {
            return Found { pages, complete: false };
        }
        sleep(PAGE_TIME).await;
    }
    Found { pages: PAGES, complete: true }
}

/// Runs beside other requests. An abort or the deadline drops it while it sleeps.
pub(crate) async fn wait(request: Wait) -> Waited {
    sleep(Duration::from_millis(request.ms)).await;
    Waited { ms: request.ms }
}

/// Dropping this future on an abort does not stop the thread, so a flag does.
pub(crate) async fn count_primes(
    State(work): State<Work>,
    cancelled: Cancelled,
    request: CountPrimes,
) -> Result<Primes, WsError> {
    let count =
        spawn_blocking(move || work.count_primes(request.below, &cancelled)).await.map_err(WsError::internal)?;
    Ok(Primes { count })
}

impl Work {
    fn count_primes(&self, below: u32, cancelled: &Cancelled) -> u32 {
        self.0.running.fetch_add(1, Relaxed);
        let mut count = 0;
        for n in 2..below {
            if cancelled.is_cancelled() {
                self.0.abandoned.fetch_add(1, Relaxed);
                break;
            }
            count += u32::from(is_prime(n));
        }
        self.0.running.fetch_sub(1, Relaxed);
        count
    }
}

fn is_prime(n: u32) -> bool {
    (2..)
        .take_while(|divisor| u64::from(*divisor) * u64::from(*divisor) <= u64::from(n))
        .all(|divisor| !n.is_multiple_of(divisor))
}

pub(crate) async fn state(State(work): State<Work>, _: AskWork) -> WorkState {
    WorkState { running: work.0.running.load(Relaxed), abandoned: work.0.abandoned.load(Relaxed) }
}
