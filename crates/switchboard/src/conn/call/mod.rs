//! Requests from the server to its client.

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

/// A pending request to the client: [`Conn::call`]. Does nothing until awaited.
///
/// The response is decoded and validated like any other incoming message. The deadline is
/// [`call_timeout`](crate::Config::call_timeout) (10 s) unless set with [`timeout`](Self::timeout).
/// A handler can await it: responses are not queued behind running handlers.
///
/// # Cancel safety
///
/// If dropped before it is ready, the request may have been sent; its response is ignored.
#[must_use = "does nothing until awaited"]
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
    /// Sets how long to wait for the response.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// Sends one request and waits for its answer.
pub(crate) async fn call<R: Request>(conn: &AnyConn, request: &R) -> Result<R::Response, CallError> {
    let calls = &conn.cold().calls;
    let (id, answer) = calls.begin(<R::Response as switchboard_core::Message>::TYPE, conn.config().max_calls)?;
    // Removes the pending call however this ends.
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

/// The future of a [`Call`].
#[must_use = "futures do nothing until awaited"]
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

/// An error of a request to a client.
#[derive(Debug)]
pub struct CallError {
    kind: CallErrorKind,
    source: Option<WsError>,
}

/// The kind of a [`CallError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallErrorKind {
    /// The connection is closed.
    Closed,
    /// The client did not answer in time.
    TimedOut,
    /// [`max_calls`](crate::Config::max_calls) requests to this client are pending, or the inbox is
    /// so full that the response cannot be read.
    Overloaded,
    /// The client answered with an error, which is the source. An `INTERNAL` of the client becomes
    /// a `FAILED_PRECONDITION` with the client's error as its source.
    Refused,
    /// The response does not match its type, or is invalid.
    InvalidAnswer,
    /// The request breaks its own validation rules, or cannot be serialised.
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

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> CallErrorKind {
        self.kind
    }

    /// Returns whether the same request may succeed later.
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
            CallErrorKind::Overloaded => "too many requests to this client are pending, or its inbox is full",
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

/// The client's error if it answered with one. Otherwise `CANCELLED` for a closed connection,
/// `DEADLINE_EXCEEDED`, `RESOURCE_EXHAUSTED` for an overload, `FAILED_PRECONDITION` for an invalid
/// response, and `INTERNAL` for an invalid request, which is the server's fault.
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

/// Responds with the [`WsError`] that it converts into.
impl IntoResponse for CallError {
    fn into_response(self) -> Response {
        WsError::from(self).into_response()
    }
}

impl<D: Send + Sync + 'static, Out: MessageSet> Conn<D, Out> {
    /// Sends a request to the client and waits for its response.
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
