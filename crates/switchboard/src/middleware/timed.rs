//! Layers that report the duration of messages, to the log or to a metrics system.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use switchboard_core::{BoxError, WsError};
use tokio::time::Instant;
use tower::{Layer, Service};

use super::{WsReply, WsRequest, service};

/// Logs an event at level `INFO` for each message: its type, connection, duration and outcome.
///
/// The outcome is `OK`, the error's code (`INTERNAL` after a panic), or `dropped` if the handler was
/// dropped because its deadline passed, the client aborted it or the connection ended.
///
/// Without this layer, each message has a span `ws_message` at level `DEBUG`.
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
    /// Creates the layer.
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

/// Records the duration of messages in the histogram `switchboard_message_seconds`, with the labels
/// `type` and `outcome`.
///
/// The outcome is `OK`, the error's code (`INTERNAL` after a panic, `custom` for codes of the
/// application), or `dropped` if the handler was dropped because its deadline passed, the client aborted
/// it or the connection ended.
///
/// ```
/// use switchboard::{WsRouter, middleware::MetricsLayer, ws_message};
///
/// #[ws_message("PING")]
/// struct Ping;
///
/// async fn ping(_: Ping) {}
///
/// let ws = WsRouter::<()>::new().on(ping).layer(MetricsLayer::new());
/// # let _ = ws;
/// ```
#[cfg(feature = "metrics")]
#[derive(Debug, Clone, Copy, Default)]
#[must_use]
pub struct MetricsLayer(());

#[cfg(feature = "metrics")]
impl MetricsLayer {
    /// Creates the layer.
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

/// A message that has ended.
#[derive(Clone, Copy)]
struct Report {
    message_type: &'static str,
    conn: crate::ConnId,
    took: Duration,
    outcome: &'static str,
}

/// A message that is being handled; reported once, at the latest when this is dropped.
struct Timing {
    message_type: &'static str,
    conn: crate::ConnId,
    since: Instant,
    /// `None` once the message was reported.
    report: Option<fn(Report)>,
    /// Whether the inner service is running. If it is when this is dropped, it has panicked.
    is_inside: bool,
}

impl Timing {
    /// Runs the inner service.
    fn inside<T>(&mut self, run: impl FnOnce() -> T) -> T {
        self.is_inside = true;
        let result = run();
        self.is_inside = false;
        result
    }

    fn end(&mut self, outcome: &'static str) {
        if let Some(report) = self.report.take() {
            let Self { message_type, conn, since, .. } = *self;
            report(Report { message_type, conn, took: since.elapsed(), outcome });
        }
    }
}

impl Drop for Timing {
    fn drop(&mut self) {
        self.end(if self.is_inside { "INTERNAL" } else { DROPPED });
    }
}

/// The outcome of a message whose handler was dropped.
const DROPPED: &str = "dropped";

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
        let mut timing = Timing { message_type, conn, since, report: Some(self.report), is_inside: false };
        let future = timing.inside(|| self.inner.call(request));
        TimedFuture { future, timing }
    }
}

impl<S> fmt::Debug for Timed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timed").finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of a [`Timed`] service. Dropped before it is ready, it reports the outcome `dropped`.
    #[must_use = "the message is handled when it is awaited"]
    pub struct TimedFuture<F> {
        #[pin]
        future: F,
        // Dropped after the future, so that its destructors are measured as well.
        timing: Timing,
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
        this.timing.inside(|| this.future.poll(cx)).map(|result| {
            let result = result.map_err(|error| service::error_of(error.into()));
            this.timing.end(result.as_ref().map_or_else(|error| crate::metrics::code(error.code()), |_| "OK"));
            result
        })
    }
}

impl<F> fmt::Debug for TimedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimedFuture").finish_non_exhaustive()
    }
}
