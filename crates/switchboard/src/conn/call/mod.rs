//! Requests from the server to its client.

mod error;
mod pending;

use std::{
    borrow::Cow,
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use switchboard_core::{
    MemberOf, Message, MessageSet, Request, WsError,
    decode::{RawPayload, decode},
};

pub use self::error::{CallError, CallErrorKind};
pub(crate) use self::pending::{Answer, Calls, NoAnswer, PREFIX};
use crate::{
    conn::{AnyConn, Conn},
    wire::{Frame, encode},
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
    let validate = conn.config().validate_outbound;
    let response = Cow::Borrowed(<R::Response as Message>::TYPE);
    let answer = exchange(conn, response, |id| encode::correlated(request, Some(id), validate)).await?;
    read_answer::<R>(answer.as_deref())
}

/// Sends a request whose payload is already serialised, and returns the payload of the response.
#[cfg(feature = "cluster")]
pub(crate) async fn call_serialised(
    conn: &AnyConn,
    message_type: &str,
    response: &str,
    payload: Option<&str>,
) -> Result<Option<Box<str>>, CallError> {
    let encode = |id: &str| {
        let frame = encode::serialised(message_type, payload, Some(id));
        frame.ok_or_else(|| WsError::internal("an empty envelope"))
    };
    exchange(conn, Cow::Owned(response.to_owned()), encode).await
}

/// Decodes the payload of a response.
pub(crate) fn read_answer<R: Request>(payload: Option<&str>) -> Result<R::Response, CallError> {
    decode(payload.map(RawPayload::Json)).map_err(|issues| CallError::invalid(&issues))
}

/// Sends a request, encoded with its correlation id, and returns the payload of the response.
async fn exchange(
    conn: &AnyConn,
    response: Cow<'static, str>,
    encode: impl FnOnce(&str) -> Result<Frame, WsError>,
) -> Result<Option<Box<str>>, CallError> {
    let calls = &conn.cold().calls;
    let (id, answer) = calls.begin(response, conn.config().max_calls)?;
    // Removes the pending call however this ends.
    let _pending = PendingGuard { calls, id };
    let frame = encode(&format!("{PREFIX}{id}")).map_err(CallError::unsendable)?;
    conn.push(frame).map_err(CallError::unsent)?;
    match answer.await {
        Ok(answer) => answer.map_err(CallError::unanswered),
        Err(_) => Err(CallErrorKind::Closed.into()),
    }
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
