//! Layers that say how long messages take: to the log, or to a metrics system.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use switchboard_core::{BoxError, WsError};
use tokio::time::Instant;
use tower::{Layer, Service};

use super::{WsReply, WsRequest, service};

/// Says in the log, at level `INFO`, of each message that was handled: its type, its connection, how
/// long that took, and how it ended (`OK` or the error's code).
///
/// The engine itself opens a span `ws_message` for each message at level `DEBUG`; this is for those who
/// want a line for each.
///
/// ```
/// use switchboard::{TraceLayer, WsRouter, ws_message};
///
/// #[ws_message("PING")]
/// struct Ping;
///
/// async fn ping(_: Ping) {}
///
/// let ws = WsRouter::<()>::new().on(ping).layer(TraceLayer::new());
/// # let _ = ws;
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[must_use]
pub struct TraceLayer(());

impl TraceLayer {
    /// The layer.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed { inner, report: trace }
    }
}

/// Records the time that messages take in the histogram `switchboard_message_seconds`, with the labels
/// `type` and `outcome`.
#[cfg(feature = "metrics")]
#[derive(Debug, Clone, Copy, Default)]
#[must_use]
pub struct MetricsLayer(());

#[cfg(feature = "metrics")]
impl MetricsLayer {
    /// The layer.
    pub fn new() -> Self {
        Self::default()
    }
}

#[cfg(feature = "metrics")]
impl<S> Layer<S> for MetricsLayer {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed { inner, report: |report| crate::metrics::took(report.message_type, report.outcome, report.took) }
    }
}

fn trace(report: Report) {
    let Report { message_type, conn, took, outcome } = report;
    tracing::info!("type" = message_type, %conn, ?took, outcome, "message");
}

/// What there is to be said of a message.
#[derive(Clone, Copy)]
struct Report {
    message_type: &'static str,
    conn: crate::ConnId,
    took: Duration,
    outcome: &'static str,
}

/// The service of [`TraceLayer`] and `MetricsLayer`.
#[derive(Clone)]
pub struct Timed<S> {
    inner: S,
    report: fn(Report),
}

impl<S, D> Service<WsRequest<D>> for Timed<S>
where
    D: Send + Sync + 'static,
    S: Service<WsRequest<D>, Response = WsReply>,
    S::Error: Into<BoxError>,
{
    type Response = WsReply;
    type Error = WsError;
    type Future = TimedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        self.inner.poll_ready(cx).map_err(|error| service::error_of(error.into()))
    }

    fn call(&mut self, request: WsRequest<D>) -> TimedFuture<S::Future> {
        let (message_type, conn, since) = (request.message_type(), request.inner().id, Instant::now());
        TimedFuture { future: self.inner.call(request), message_type, conn, since, report: self.report }
    }
}

impl<S> fmt::Debug for Timed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timed").finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of a [`Timed`] service. Dropped before its end, it says nothing.
    #[must_use = "the message is handled when it is awaited"]
    pub struct TimedFuture<F> {
        #[pin]
        future: F,
        message_type: &'static str,
        conn: crate::ConnId,
        since: Instant,
        report: fn(Report),
    }
}

impl<F, E> Future for TimedFuture<F>
where
    F: Future<Output = Result<WsReply, E>>,
    E: Into<BoxError>,
{
    type Output = Result<WsReply, WsError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.future.poll(cx)).map_err(|error| service::error_of(error.into()));
        let outcome = result.as_ref().map_or_else(|error| crate::metrics::code(error.code()), |_| "OK");
        let (message_type, conn, took) = (*this.message_type, *this.conn, this.since.elapsed());
        (this.report)(Report { message_type, conn, took, outcome });
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for TimedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimedFuture").finish_non_exhaustive()
    }
}
