//! Requests to several clients.

use std::{fmt, future::IntoFuture, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, Stream, StreamExt as _, future::BoxFuture, stream};
use switchboard_core::Request;
use tokio::time::{Instant, timeout_at};

use crate::{
    CallErrorKind,
    conn::{AnyConn, CallError, ConnId, call},
};

/// Concurrent requests of one call to several clients.
const MAX_CONCURRENT: usize = 1024;

/// A pending request to all connections of a user: [`UserHandle::call`](crate::UserHandle::call).
/// Does nothing until awaited.
///
/// Its result is the first response, or the last error if no client responds.
///
/// # Errors
///
/// The same as [`Conn::call`](crate::Conn::call), and [`Closed`](crate::CallErrorKind::Closed) for
/// a user without a connection.
///
/// # Cancel safety
///
/// If dropped before it is ready, requests may have been sent; their responses are ignored.
#[must_use = "does nothing until awaited"]
pub struct CallFirst<R: Request>(Calls<R>);

/// A pending request to all subscribers of a topic:
/// [`TopicHandle::call_all`](crate::TopicHandle::call_all). Does nothing until awaited.
///
/// Its result has one entry for each subscriber, in no particular order: the response or an error.
/// It completes when all subscribers have answered, or after the timeout. At most 1024 requests are
/// in progress at once.
///
/// # Cancel safety
///
/// If dropped before it is ready, requests may have been sent; their responses are ignored.
#[must_use = "does nothing until awaited"]
pub struct CallAll<R: Request>(Calls<R>);

struct Calls<R> {
    conns: Vec<Arc<AnyConn>>,
    request: R,
    timeout: Option<Duration>,
}

impl<R: Request> Calls<R> {
    fn new(conns: Vec<Arc<AnyConn>>, request: R) -> Self {
        Self { conns, request, timeout: None }
    }

    /// Sends the requests and returns the results as they come.
    fn answers(&self) -> impl Stream<Item = (ConnId, Result<R::Response, CallError>)> {
        let deadline = self.deadline();
        let calls: Vec<_> =
            self.conns.iter().map(|conn| call_until(Arc::clone(conn), &self.request, deadline)).collect();
        stream::iter(calls).buffer_unordered(MAX_CONCURRENT)
    }

    fn deadline(&self) -> Option<Instant> {
        let timeout = self.timeout.or_else(|| self.conns.first().map(|conn| conn.config().call_timeout));
        Instant::now().checked_add(timeout?)
    }
}

/// Sends one of the requests, with the deadline of all.
async fn call_until<R: Request>(
    conn: Arc<AnyConn>,
    request: &R,
    deadline: Option<Instant>,
) -> (ConnId, Result<R::Response, CallError>) {
    let call = call(&conn, request);
    let answer = match deadline {
        Some(deadline) => timeout_at(deadline, call).await.unwrap_or_else(|_| Err(CallErrorKind::TimedOut.into())),
        None => call.await,
    };
    (conn.id, answer)
}

impl<R: Request> CallFirst<R> {
    pub(crate) fn new(conns: Vec<Arc<AnyConn>>, request: R) -> Self {
        Self(Calls::new(conns, request))
    }

    /// Sets how long to wait for a response: [`Config::call_timeout`](crate::Config::call_timeout)
    /// by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = Some(timeout);
        self
    }
}

impl<R: Request> IntoFuture for CallFirst<R> {
    type Output = Result<R::Response, CallError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            let mut answers = std::pin::pin!(self.0.answers());
            let mut last = Err(CallErrorKind::Closed.into());
            while let Some((_, answer)) = answers.next().await {
                last = answer;
                if last.is_ok() {
                    break;
                }
            }
            last
        }
        .boxed()
    }
}

impl<R: Request> CallAll<R> {
    pub(crate) fn new(conns: Vec<Arc<AnyConn>>, request: R) -> Self {
        Self(Calls::new(conns, request))
    }

    /// Sets how long to wait for all responses:
    /// [`Config::call_timeout`](crate::Config::call_timeout) by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = Some(timeout);
        self
    }
}

impl<R: Request> IntoFuture for CallAll<R> {
    type Output = Vec<(ConnId, Result<R::Response, CallError>)>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move { self.0.answers().collect().await }.boxed()
    }
}

impl<R: Request> fmt::Debug for CallFirst<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFirst").field("type", &R::TYPE).finish_non_exhaustive()
    }
}

impl<R: Request> fmt::Debug for CallAll<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallAll").field("type", &R::TYPE).finish_non_exhaustive()
    }
}
