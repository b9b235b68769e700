//! Changes of one connection's subscriptions that wait for an authorization. Further changes of the
//! same topics wait for them.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    conn::ConnInner,
    hub::{registry::KeyedList, subscribe::SubscriptionRequest},
};

/// The topics being changed. Bounded by the number of tasks that wait for an authorization.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    state: Mutex<InFlightState>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct InFlightState {
    topics: KeyedList<Arc<str>>,
    /// A change concerns all topics.
    all: bool,
}

impl InFlightState {
    fn concerns(&self, wanted: &SubscriptionRequest) -> bool {
        self.all
            || (wanted.is_about_all() && self.topics.len() > 0)
            || wanted.names().any(|name| self.topics.contains(name))
    }
}

impl InFlight {
    fn take(&self, wanted: &SubscriptionRequest) -> bool {
        let mut state = self.state.lock();
        if state.concerns(wanted) {
            return false;
        }
        state.all = wanted.is_about_all();
        wanted.names().for_each(|name| state.topics.push(Arc::clone(name)));
        true
    }
}

/// A reservation of topics: until it is dropped, other changes of the same topics wait.
pub(crate) struct Reserved<'a> {
    in_flight: &'a InFlight,
    wanted: &'a SubscriptionRequest,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let mut state = self.in_flight.state.lock();
        if self.wanted.is_about_all() {
            state.all = false;
        }
        for name in self.wanted.names() {
            state.topics.remove(name);
        }
        if state.topics.len() == 0 {
            state.topics = KeyedList::default();
        }
        drop(state);
        self.in_flight.freed.notify_waiters();
    }
}

impl<D: ?Sized> ConnInner<D> {
    /// Returns whether a change of any of these topics is in flight.
    pub(crate) fn is_changing_any(&self, wanted: &SubscriptionRequest) -> bool {
        self.existing_cold().is_some_and(|cold| cold.in_flight.state.lock().concerns(wanted))
    }

    /// Waits until no change of these topics is in flight, and reserves them.
    pub(crate) async fn reserve<'a>(&'a self, wanted: &'a SubscriptionRequest) -> Reserved<'a> {
        let in_flight = &self.cold().in_flight;
        loop {
            let mut freed = std::pin::pin!(in_flight.freed.notified());
            // Registered before the state is read, so that no wake-up is missed.
            freed.as_mut().enable();
            if in_flight.take(wanted) {
                return Reserved { in_flight, wanted };
            }
            freed.await;
        }
    }
}
