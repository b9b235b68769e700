//! Requests of the server to its client.

mod pending;

use std::{
    error::Error,
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
    sync::Arc,
    time::Duration,
};

use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use switchboard_core::{
    Issues, MemberOf, MessageSet, Request, WsError,
    decode::{RawPayload, decode},
};

pub(crate) use self::pending::{Answer, Calls, NoAnswer, PREFIX};
use crate::{
    conn::{AnyConn, Conn, SendError, SendErrorKind, call::pending::CallRefused},
    wire::encode,
};

/// A request to the client, made when it is awaited.
///
/// The answer is checked as strictly as everything that comes in. It is waited for
/// [`call_timeout`](crate::Config::call_timeout) (10 s) unless [`timeout`](Self::timeout) says
/// otherwise. A handler may await it: answers do not wait behind handlers.
///
/// # Cancel safety
///
/// Dropped, its answer will be ignored.
#[must_use = "nothing is asked before this is awaited"]
pub struct Call<R: Request> {
    conn: Arc<AnyConn>,
    request: R,
    timeout: Duration,
}

impl<R: Request> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("type", &R::TYPE).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl<R: Request> Call<R> {
    /// How long the answer is waited for.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// Sends one request and waits for its answer.
pub(crate) async fn call<R: Request>(conn: &AnyConn, request: &R) -> Result<R::Response, CallError> {
    let calls = &conn.cold().calls;
    let (id, answer) = calls.begin(<R::Response as switchboard_core::Message>::TYPE, conn.config().max_calls)?;
    // Forgotten however this ends.
    let _pending = PendingGuard { calls, id };
    let frame = encode::correlated(request, Some(&format!("{PREFIX}{id}")), conn.config().validate_outbound)
        .map_err(CallError::unsendable)?;
    conn.push(frame).map_err(CallError::unsent)?;
    let answer = match answer.await {
        Ok(answer) => answer.map_err(CallError::unanswered)?,
        Err(_) => return Err(CallErrorKind::Closed.into()),
    };
    decode(answer.as_deref().map(RawPayload::Json)).map_err(|issues| CallError::invalid(&issues))
}

struct PendingGuard<'a> {
    calls: &'a Calls,
    id: u64,
}

impl Drop for PendingGuard<'_> {
    fn drop(&mut self) {
        self.calls.forget(self.id);
    }
}

impl<R: Request> IntoFuture for Call<R> {
    type Output = Result<R::Response, CallError>;
    type IntoFuture = CallFuture<R>;

    fn into_future(self) -> CallFuture<R> {
        let Self { conn, request, timeout } = self;
        let future = Box::pin(async move {
            let answer = tokio::time::timeout(timeout, call(&conn, &request)).await;
            answer.unwrap_or_else(|_| Err(CallErrorKind::TimedOut.into()))
        });
        CallFuture { future, kind: PhantomData }
    }
}

/// The future of [`Call`].
#[must_use = "nothing is asked before this is awaited"]
pub struct CallFuture<R: Request> {
    future: BoxFuture<'static, Result<R::Response, CallError>>,
    kind: PhantomData<fn() -> R>,
}

impl<R: Request> Future for CallFuture<R> {
    type Output = Result<R::Response, CallError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        self.future.as_mut().poll(cx)
    }
}

impl<R: Request> fmt::Debug for CallFuture<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFuture").field("type", &R::TYPE).finish_non_exhaustive()
    }
}

/// A call of the client failed.
#[derive(Debug)]
pub struct CallError {
    kind: CallErrorKind,
    source: Option<WsError>,
}

/// Why a call of the client failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallErrorKind {
    /// The connection is closed.
    Closed,
    /// No answer came in time.
    TimedOut,
    /// There are too many calls to this client already, or too much waits to be read before the
    /// answer.
    Overloaded,
    /// The client answered with an error, which is the source. Its `INTERNAL` is a
    /// `FAILED_PRECONDITION` here, whose source is what the client sent.
    Refused,
    /// The client's answer is not what the response should be.
    InvalidAnswer,
    /// The request breaks its own rules, or does not serialise.
    InvalidRequest,
}

impl CallError {
    fn unsendable(source: WsError) -> Self {
        Self { kind: CallErrorKind::InvalidRequest, source: Some(source) }
    }

    fn unsent(error: SendError) -> Self {
        match error.kind() {
            SendErrorKind::Closed | SendErrorKind::Ended => CallErrorKind::Closed.into(),
            SendErrorKind::Invalid => Self::unsendable(error.into()),
        }
    }

    fn unanswered(why: NoAnswer) -> Self {
        match why {
            NoAnswer::Error(source) => Self { kind: CallErrorKind::Refused, source: Some(source) },
            NoAnswer::Overloaded => CallErrorKind::Overloaded.into(),
        }
    }

    fn invalid(issues: &Issues) -> Self {
        Self { kind: CallErrorKind::InvalidAnswer, source: Some(WsError::invalid_payload(issues)) }
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> CallErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self.kind {
            CallErrorKind::TimedOut | CallErrorKind::Overloaded => true,
            CallErrorKind::Refused => self.source.as_ref().and_then(WsError::retryable).unwrap_or_default(),
            CallErrorKind::Closed | CallErrorKind::InvalidAnswer | CallErrorKind::InvalidRequest => false,
        }
    }
}

impl From<CallErrorKind> for CallError {
    fn from(kind: CallErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<CallRefused> for CallError {
    fn from(refused: CallRefused) -> Self {
        match refused {
            CallRefused::Closed => CallErrorKind::Closed.into(),
            CallRefused::TooMany(_) => CallErrorKind::Overloaded.into(),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            CallErrorKind::Closed => "the connection is closed",
            CallErrorKind::TimedOut => "the client did not answer in time",
            CallErrorKind::Overloaded => "too much is waiting for this client",
            CallErrorKind::Refused => "the client answered with an error",
            CallErrorKind::InvalidAnswer => "the client's answer is invalid",
            CallErrorKind::InvalidRequest => "the request to the client is invalid",
        })
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

/// The client's own error if it answered with one (`FAILED_PRECONDITION` for its `INTERNAL`, which is
/// no failure of this server); else `CANCELLED`, `DEADLINE_EXCEEDED`,
/// `RESOURCE_EXHAUSTED`, `FAILED_PRECONDITION` for an invalid answer, and `INTERNAL` for a request
/// that should not have been made.
impl From<CallError> for WsError {
    fn from(error: CallError) -> Self {
        let text = error.to_string();
        match (error.kind, error.source) {
            (CallErrorKind::Refused, Some(source)) => source,
            (CallErrorKind::Closed, _) => Self::cancelled(text),
            (CallErrorKind::TimedOut, _) => Self::deadline_exceeded(text),
            (CallErrorKind::Overloaded, _) => Self::resource_exhausted(text),
            (CallErrorKind::InvalidAnswer, Some(source)) => Self::failed_precondition(text).with_source(source),
            (_, Some(source)) => source,
            (_, None) => Self::internal(text),
        }
    }
}

/// As the [`WsError`] that it converts into.
impl IntoResponse for CallError {
    fn into_response(self) -> Response {
        WsError::from(self).into_response()
    }
}

impl<D: Send + Sync + 'static, Out: MessageSet> Conn<D, Out> {
    /// Asks the client, which answers with the request's response or an error.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use switchboard::{Conn, WsError, ws_message, ws_rpc};
    ///
    /// #[ws_message("ANSWER")]
    /// struct Answer {
    ///     text: String,
    /// }
    ///
    /// #[ws_rpc("ASK", response = Answer)]
    /// struct Ask {
    ///     question: String,
    /// }
    ///
    /// #[ws_message("START")]
    /// struct Start;
    ///
    /// async fn start(conn: Conn, _: Start) -> Result<(), WsError> {
    ///     let ask = Ask { question: "your name?".into() };
    ///     let answer = conn.call(ask).timeout(Duration::from_secs(2)).await?;
    ///     println!("{}", answer.text);
    ///     Ok(())
    /// }
    /// # let _ = switchboard::WsRouter::<()>::new().on(start);
    /// ```
    pub fn call<R>(&self, request: R) -> Call<R>
    where
        R: Request<Meta = ()> + MemberOf<Out>,
    {
        Call { conn: Arc::clone(&self.inner) as Arc<AnyConn>, request, timeout: self.inner.config().call_timeout }
    }
}
