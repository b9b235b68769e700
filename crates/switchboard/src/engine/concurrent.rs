//! Handlers of concurrent routes, which run beside each other.

use std::task::{Context, Poll};

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::running::{Job, Outcome, Running};
use crate::request::CallId;

/// The running handlers of concurrent routes, bounded per route and by
/// [`max_requests`](crate::Config::max_requests). Exists only while one runs.
#[derive(Default)]
pub(super) struct ConcurrentHandlers {
    handlers: FuturesUnordered<Running>,
    /// The number of running handlers per route, without zeros.
    by_route: Vec<(usize, usize)>,
}

impl ConcurrentHandlers {
    pub(super) fn push(&mut self, route: usize, running: Running) {
        match self.by_route.iter_mut().find(|(index, _)| *index == route) {
            Some((_, count)) => *count += 1,
            None => self.by_route.push((route, 1)),
        }
        self.handlers.push(running);
    }

    pub(super) fn of_route(&self, route: usize) -> usize {
        self.by_route.iter().find(|(index, _)| *index == route).map_or(0, |(_, count)| *count)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.handlers.is_empty()
    }

    /// Returns the running requests.
    pub(super) fn requests(&self) -> impl Iterator<Item = CallId<'_>> {
        self.handlers.iter().filter_map(Running::request)
    }

    /// Polls for the next completed handler and its outcome.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Running, Outcome)>> {
        self.handlers.poll_next_unpin(cx)
    }

    /// Records that a handler of this route completed or was cancelled.
    pub(super) fn finished(&mut self, route: usize) {
        if let Some(index) = self.by_route.iter().position(|(other, _)| *other == route) {
            self.by_route[index].1 -= 1;
            if self.by_route[index].1 == 0 {
                self.by_route.swap_remove(index);
            }
        }
    }

    /// Finds the request with this id and cancels it with `cancel`.
    pub(super) fn abort(&mut self, correlation_id: &str, cancel: impl FnOnce(&mut Running) -> Job) -> Option<Job> {
        let running = self.handlers.iter_mut().find(|running| running.is_request(correlation_id))?;
        let what = cancel(running);
        if let Job::Call(route, _) = &what {
            let route = *route;
            self.finished(route);
        }
        Some(what)
    }

    /// Removes all handlers.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Running> + use<> {
        self.by_route.clear();
        std::mem::take(&mut self.handlers).into_iter()
    }
}
