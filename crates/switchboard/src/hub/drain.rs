//! Emptying a hub before the server stops.

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

/// How long what runs may go on after the last connection was asked to close.
const GRACE: Duration = Duration::from_secs(5);

/// Between two looks at whether all have gone.
const LOOK: Duration = Duration::from_millis(20);

/// Longer times are cut to this, which can be added and multiplied.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Clients come back at this time after another, so that they do not all come at once.
const SPREAD: u64 = 1000;

/// Closes all connections of a hub: see [`Hub::drain`]. Begins when it is awaited.
#[must_use = "nothing is closed before this is awaited"]
#[derive(Debug)]
pub struct Drain {
    hub: Hub,
    over: Duration,
    grace: Duration,
}

impl Drain {
    /// How long handlers that run may go on after the last connection was asked to close, also those
    /// that [run to completion](crate::RouteOptions::run_to_completion) without a connection. By default
    /// 5 s. What is left then is dropped with its connection.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    async fn run(self) {
        let Self { hub, over, grace } = self;
        let connections = hub.0.registry.lock().all();
        let begin = Instant::now();
        let count = u32::try_from(connections.len()).unwrap_or(u32::MAX).max(1);
        // One after the other, so that those who come back elsewhere do not all come at once.
        let (over, grace) = (over.min(LONGEST), grace.min(LONGEST));
        let moment = |index: usize| over * u32::try_from(index).unwrap_or(u32::MAX) / count;
        tracing::info!(connections = connections.len(), "draining");
        for (index, conn) in connections.iter().enumerate() {
            conn.push_goaway(moment(index), SPREAD);
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
        // Who was just being accepted is told now.
        let mut told_again = false;
        while !hub.is_done() && Instant::now() < deadline {
            sleep(LOOK).await;
            if !told_again {
                told_again = true;
                let late: Vec<_> = hub.0.registry.lock().all();
                late.iter().filter(|conn| !conn.is_told(Signal::Drain)).for_each(|conn| conn.signal(Signal::Drain));
            }
        }
        let detached = hub.0.detached.load(SeqCst);
        if detached > 0 {
            tracing::warn!(detached, "handlers that nobody waits for still run");
        }
        let rest: Vec<Arc<AnyConn>> = hub.0.registry.lock().all();
        if rest.is_empty() {
            return;
        }
        tracing::warn!(connections = rest.len(), "handlers still run: they are dropped");
        let longest = rest.iter().map(|conn| conn.config().close_timeout + conn.config().write_timeout).max();
        for conn in &rest {
            conn.outbox.close(CloseCode::RESTART, "server restarting");
        }
        drop(rest);
        let deadline = Instant::now() + longest.unwrap_or_default();
        while !hub.is_empty() && Instant::now() < deadline {
            sleep(LOOK).await;
        }
    }
}

impl IntoFuture for Drain {
    type Output = ();
    type IntoFuture = DrainFuture;

    fn into_future(self) -> DrainFuture {
        // From now on, whenever it is first polled.
        self.hub.0.draining.store(true, SeqCst);
        DrainFuture(Box::pin(self.run()))
    }
}

/// The future of [`Drain`].
#[must_use = "nothing is closed before this is awaited"]
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
    /// Empties the hub: new upgrades get 503, and connections are closed with 1012, one after the
    /// other over this time. A connection takes on nothing new from then on, and closes when its
    /// running handlers have come to their end. Ready once all are closed, and handlers that
    /// [run to completion](crate::RouteOptions::run_to_completion) are done, at the latest
    /// [`grace`](Drain::grace) (5 s) and the closing handshake after that time.
    ///
    /// There is no way back: the hub stays closed.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use switchboard::{Hub, WsRouter, ws_route};
    ///
    /// # async fn serve() -> std::io::Result<()> {
    /// let hub = Hub::new();
    /// let app = axum::Router::new().route("/ws", ws_route(WsRouter::new().hub(hub.clone())));
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    /// let stop = async move {
    ///     // An error means that signals cannot be waited for: then this never stops by one.
    ///     if tokio::signal::ctrl_c().await.is_ok() {
    ///         hub.drain(Duration::from_secs(10)).await;
    ///     }
    /// };
    /// switchboard::serve(listener, app).with_graceful_shutdown(stop).await
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropped, those that were asked to close do; the others stay, and new upgrades are refused.
    pub fn drain(&self, over: Duration) -> Drain {
        Drain { hub: self.clone(), over, grace: GRACE }
    }

    /// Whether [`drain`](Self::drain) has begun: time to tell a load balancer.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(SeqCst)
    }

    /// Whether nothing runs any more either.
    fn is_done(&self) -> bool {
        self.is_empty() && self.0.detached.load(SeqCst) == 0
    }

    fn is_empty(&self) -> bool {
        self.0.registry.lock().len() == 0
    }
}
