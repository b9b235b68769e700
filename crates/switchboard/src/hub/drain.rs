//! Draining a hub before the server stops.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{Arc, atomic::Ordering::SeqCst},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use switchboard_core::CloseCode;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    conn::{AnyConn, Signal},
    hub::Hub,
};

/// The default of [`Drain::grace`].
const GRACE: Duration = Duration::from_secs(5);

/// How often to check whether all connections have closed.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Longer times are cut to this, so that adding and multiplying them cannot overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The default of [`Drain::reconnect_within`].
const RECONNECT_WITHIN: Duration = Duration::from_secs(1);

/// A pending drain of a hub: [`Hub::drain`]. Does nothing until awaited.
#[must_use = "does nothing until awaited"]
#[derive(Debug)]
pub struct Drain {
    hub: Hub,
    over: Duration,
    grace: Duration,
    reconnect_within: Duration,
}

impl Drain {
    pub(super) fn new(hub: &Hub, over: Duration) -> Self {
        Self { hub: hub.clone(), over, grace: GRACE, reconnect_within: RECONNECT_WITHIN }
    }

    /// Sets how long handlers may run after the last connection was asked to close: 5 s by default.
    ///
    /// This includes detached handlers, which [run to
    /// completion](crate::RouteOptions::run_to_completion). Handlers of open connections are
    /// dropped afterwards; detached ones are logged and keep running until the runtime stops.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets the time within which clients of the extended dialect reconnect after they were closed, each at a random
    /// moment of it, so that they do not all arrive elsewhere at once: 1 s by default.
    ///
    /// It is what `retryInMs` in `$ws:goaway` says; clients of the standard dialect are not told.
    pub fn reconnect_within(mut self, spread: Duration) -> Self {
        self.reconnect_within = spread;
        self
    }

    async fn run(self) {
        let hub = self.hub.clone();
        self.close_connections().await;
        if let Some(link) = &hub.0.link {
            // No connection is left that other nodes could reach here.
            link.drain();
        }
    }

    async fn close_connections(self) {
        let Self { hub, over, grace, reconnect_within } = self;
        let reconnect_within = u64::try_from(reconnect_within.min(LONGEST).as_millis()).unwrap_or(u64::MAX);
        let connections = hub.0.registry.lock().all();
        let begin = Instant::now();
        let count = u32::try_from(connections.len()).unwrap_or(u32::MAX).max(1);
        // Spread over time, so that clients do not reconnect elsewhere all at once.
        let (over, grace) = (over.min(LONGEST), grace.min(LONGEST));
        let moment = |index: usize| over * u32::try_from(index).unwrap_or(u32::MAX) / count;
        tracing::info!(connections = connections.len(), "draining the hub");
        for (index, conn) in connections.iter().enumerate() {
            conn.push_goaway(moment(index), reconnect_within);
            if index % 256 == 255 {
                tokio::task::yield_now().await;
            }
        }
        for (index, conn) in connections.iter().enumerate() {
            sleep_until(begin + moment(index)).await;
            conn.signal(Signal::Drain);
        }
        drop(connections);
        let deadline = begin + over + grace;
        // Connections whose upgrade completed during the drain are signalled once more.
        let mut signalled_late = false;
        while !hub.is_done() && Instant::now() < deadline {
            sleep(POLL_INTERVAL).await;
            if !signalled_late {
                signalled_late = true;
                let late: Vec<_> = hub.0.registry.lock().all();
                late.iter().filter(|conn| !conn.is_told(Signal::Drain)).for_each(|conn| conn.signal(Signal::Drain));
            }
        }
        let detached = hub.0.detached.load(SeqCst);
        if detached > 0 {
            tracing::warn!(detached, "detached handlers still run after the drain's grace period");
        }
        let rest: Vec<Arc<AnyConn>> = hub.0.registry.lock().all();
        if rest.is_empty() {
            return;
        }
        tracing::warn!(connections = rest.len(), "handlers dropped: they still ran after the drain's grace period");
        let longest = rest.iter().map(|conn| conn.config().close_timeout + conn.config().write_timeout).max();
        for conn in &rest {
            conn.outbox.close(CloseCode::RESTART, "server restarting");
        }
        drop(rest);
        let deadline = Instant::now() + longest.unwrap_or_default();
        while !hub.is_empty() && Instant::now() < deadline {
            sleep(POLL_INTERVAL).await;
        }
    }
}

impl IntoFuture for Drain {
    type Output = ();
    type IntoFuture = DrainFuture;

    fn into_future(self) -> DrainFuture {
        // Refuses upgrades from now on, even if the future is polled later.
        self.hub.0.draining.store(true, SeqCst);
        DrainFuture(Box::pin(self.run()))
    }
}

/// The future of a [`Drain`].
#[must_use = "futures do nothing until awaited"]
pub struct DrainFuture(BoxFuture<'static, ()>);

impl Future for DrainFuture {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl std::fmt::Debug for DrainFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DrainFuture").finish_non_exhaustive()
    }
}

impl Hub {
    /// Returns whether all connections are closed and all handlers are done.
    fn is_done(&self) -> bool {
        self.is_empty() && self.0.detached.load(SeqCst) == 0
    }

    fn is_empty(&self) -> bool {
        self.0.registry.lock().len() == 0
    }
}
