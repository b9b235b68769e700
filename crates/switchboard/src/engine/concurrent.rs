//! Handlers that run beside each other, of routes that asked for it.

use std::task::{Context, Poll};

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::running::{Job, Outcome, Running};
use crate::request::CallId;

/// Bounded by what routes ask for, and by the limit of requests in flight. Exists only while
/// something runs in it.
#[derive(Default)]
pub(super) struct Beside {
    handlers: FuturesUnordered<Running>,
    /// How many of each route that has any.
    by_route: Vec<(usize, usize)>,
}

impl Beside {
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

    /// Those whose clients wait for a reply.
    pub(super) fn requests(&self) -> impl Iterator<Item = CallId<'_>> {
        self.handlers.iter().filter_map(Running::request)
    }

    /// The next that is done, with what became of it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Running, Outcome)>> {
        self.handlers.poll_next_unpin(cx)
    }

    /// A handler of this route is done, or was given up.
    pub(super) fn left(&mut self, route: usize) {
        if let Some(index) = self.by_route.iter().position(|(other, _)| *other == route) {
            self.by_route[index].1 -= 1;
            if self.by_route[index].1 == 0 {
                self.by_route.swap_remove(index);
            }
        }
    }

    /// Finds the request with this id and gives it up with `give_up`.
    pub(super) fn abort(&mut self, correlation_id: &str, give_up: impl FnOnce(&mut Running) -> Job) -> Option<Job> {
        let running = self.handlers.iter_mut().find(|running| running.is_request(correlation_id))?;
        let what = give_up(running);
        if let Job::Call(route, _) = &what {
            let route = *route;
            self.left(route);
        }
        Some(what)
    }

    /// Takes all out.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Running> + use<> {
        self.by_route.clear();
        std::mem::take(&mut self.handlers).into_iter()
    }
}
