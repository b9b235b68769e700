//! A running handler or hook.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use switchboard_core::WsError;
use tokio::time::{Sleep, sleep};
use tracing::Span;

use crate::{
    Hub,
    conn::{ConnInner, Replied},
    dispatch::OneHook,
    engine::{budget, report::log},
    guard::{drop_quietly, panic_text},
    handler::HandlerResult,
    request::{CallId, OwnedId, StartedAt, ToCompletion},
};

/// The future of a handler or hook, with its deadline. The timer is created when the first poll
/// leaves the future pending.
pub(super) struct Running {
    pub(super) what: Job,
    /// Already polled in this turn.
    pub(super) polled: bool,
    /// The future, or the message of a panic while creating it.
    future: Option<Result<RunningFuture, String>>,
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    span: Span,
    to_completion: Option<ToCompletion>,
    /// The hub that counts it as a running handler, once it is pending.
    counted: Option<Hub>,
    /// The waker of its place among concurrent handlers.
    waker: Option<Waker>,
}

/// What runs.
#[derive(Debug)]
pub(super) enum Job {
    /// A message's handler, with the index of its route.
    Call(usize, OwnedId),
    /// The `on_open` hooks.
    Open,
    /// The hook for raw text.
    Text,
    /// The hook for binary frames.
    Binary,
    /// The hook for messages of unknown types.
    Fallback(Option<Box<str>>),
    /// The `on_refresh` hooks, with the correlation id of the request.
    Refresh(Box<str>),
    /// The `on_reauthorize` hooks.
    Reauthorize,
    /// The `on_error` hooks.
    Error,
    /// The last hooks of a connection: `on_error`, `on_stale` and `on_close`.
    Close,
    /// Nothing: it was cancelled, or its outcome was taken.
    Over,
}

enum RunningFuture {
    Handler(BoxFuture<'static, HandlerResult>),
    Hook(BoxFuture<'static, Result<(), WsError>>),
}

/// How a handler or hook ended.
pub(super) enum Outcome {
    Done(Result<Replied, WsError>),
    Panicked(String),
    TimedOut,
}

/// Creates the span of a message. Without a subscriber this costs one atomic load.
#[inline]
pub(super) fn message_span(id: CallId<'_>) -> Span {
    tracing::debug_span!(
        "ws_message",
        "type" = id.message_type,
        correlation_id = id.correlation_id,
        outcome = tracing::field::Empty,
    )
}

/// Creates a handler's future and polls it for the first time, catching panics of both. Returns the
/// future as an error if it is pending.
#[inline]
pub(super) fn start_handler(
    span: &Span,
    cx: &mut Context<'_>,
    make: impl FnOnce() -> BoxFuture<'static, HandlerResult>,
) -> Result<Outcome, BoxFuture<'static, HandlerResult>> {
    let _entered = span.enter();
    let mut future = match catch_unwind(AssertUnwindSafe(make)) {
        Ok(future) => future,
        Err(panic) => return Ok(Outcome::Panicked(panic_text(panic))),
    };
    let outcome = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Ready(HandlerResult(result))) => Outcome::Done(result),
        Ok(Poll::Pending) => return Err(future),
        Err(panic) => Outcome::Panicked(panic_text(panic)),
    };
    drop_quietly(future);
    Ok(outcome)
}

impl Running {
    /// Wraps the future of a handler that was pending at its first poll.
    pub(super) fn handler(
        route: usize,
        id: OwnedId,
        span: Span,
        timeout: Duration,
        to_completion: Option<ToCompletion>,
        future: BoxFuture<'static, HandlerResult>,
    ) -> Box<Self> {
        Box::new(Self {
            what: Job::Call(route, id),
            polled: true,
            future: Some(Ok(RunningFuture::Handler(future))),
            timeout,
            timer: None,
            span,
            to_completion,
            counted: None,
            waker: None,
        })
    }

    pub(super) fn hook(
        what: Job,
        timeout: Duration,
        make: impl FnOnce() -> BoxFuture<'static, Result<(), WsError>>,
    ) -> Self {
        let future = catch_unwind(AssertUnwindSafe(make)).map_err(panic_text);
        Self {
            what,
            polled: false,
            future: Some(future.map(RunningFuture::Hook)),
            timeout,
            timer: None,
            span: Span::none(),
            to_completion: None,
            counted: None,
            waker: None,
        }
    }

    /// Wraps hooks run by [`run_each`], which limits the time of each.
    pub(super) fn hooks(what: Job, hooks: impl Future<Output = ()> + Send + 'static) -> Self {
        Self::hook(what, Duration::MAX, || Box::pin(hooks.map(Ok)))
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        self.polled = true;
        let future = match &mut self.future {
            Some(Ok(future)) => future,
            Some(Err(text)) => return Poll::Ready(Outcome::Panicked(std::mem::take(text))),
            None => return Poll::Ready(Outcome::TimedOut),
        };
        let begun = self.timer.as_ref().and_then(|timer| timer.deadline().checked_sub(self.timeout));
        let entered = (self.span.enter(), StartedAt::enter(begun));
        let polled = catch_unwind(AssertUnwindSafe(|| match future {
            RunningFuture::Handler(future) => future.as_mut().poll(cx).map(|result| result.0),
            RunningFuture::Hook(future) => future.as_mut().poll(cx).map(|result| result.map(|()| Replied::Nothing)),
        }));
        let outcome = match polled {
            Ok(Poll::Ready(result)) => Outcome::Done(result),
            Err(panic) => Outcome::Panicked(panic_text(panic)),
            Ok(Poll::Pending) => {
                drop(entered);
                return self.poll_timer(cx);
            }
        };
        drop(entered);
        // It has completed: there is nothing to detach.
        self.to_completion = None;
        if let Some(hub) = self.counted.take() {
            hub.handler_ended(false);
        }
        Poll::Ready(outcome)
    }

    /// Polls the deadline, after the future was pending.
    pub(super) fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let timeout = self.timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
        timer.as_mut().poll(cx).map(|()| Outcome::TimedOut)
    }

    /// Counts a handler that was pending as running, in the hub.
    pub(super) fn count(&mut self, hub: &Hub) {
        if matches!(self.what, Job::Call(..)) && self.counted.is_none() {
            hub.handler_pending();
            self.counted = Some(hub.clone());
        }
    }

    /// Records in its span how it ended.
    pub(super) fn record(&self, outcome: &str) {
        self.span.record("outcome", outcome);
    }

    /// Whether it is the handler of the request with this id.
    pub(super) fn is_request(&self, correlation_id: &str) -> bool {
        self.request().is_some_and(|id| id.correlation_id == Some(correlation_id))
    }

    /// Whether its reply or error settles the request with this id.
    pub(super) fn answers_under(&self, correlation_id: &str) -> bool {
        match &self.what {
            Job::Fallback(id) => id.as_deref() == Some(correlation_id),
            Job::Refresh(id) => **id == *correlation_id,
            _ => self.is_request(correlation_id),
        }
    }

    pub(super) fn request(&self) -> Option<CallId<'_>> {
        match &self.what {
            Job::Call(_, id) => Some(id.id()).filter(|id| id.is_rpc),
            _ => None,
        }
    }

    /// Drops the future, or passes it to `detach` if it runs to completion. Returns what it was.
    pub(super) fn cancel(&mut self, detach: impl FnOnce(BoxFuture<'static, HandlerResult>, Span)) -> Job {
        if let Some(ToCompletion { terminal, cancellation }) = self.to_completion.take() {
            terminal.end();
            cancellation.cancel();
            if let Some(Ok(RunningFuture::Handler(future))) = self.future.take() {
                if let Some(hub) = self.counted.take() {
                    hub.handler_ended(false);
                }
                detach(future, self.span.clone());
            }
        }
        self.drop_future();
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        std::mem::replace(&mut self.what, Job::Over)
    }

    fn drop_future(&mut self) {
        if let Some(future) = self.future.take() {
            let _entered = self.span.enter();
            drop_quietly(future);
        }
        if let Some(hub) = self.counted.take() {
            hub.handler_ended(true);
        }
    }
}

/// Completes with itself and its outcome, for use among concurrent handlers.
impl Future for Running {
    type Output = (Self, Outcome);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if budget::is_spent() {
            // Continue in the next turn.
            budget::yield_turn(cx);
            return Poll::Pending;
        }
        match Self::poll(this, cx) {
            Poll::Pending => {
                budget::look();
                this.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Poll::Ready(outcome) => {
                let over = Self {
                    what: Job::Over,
                    polled: true,
                    future: None,
                    timeout: Duration::ZERO,
                    timer: None,
                    span: Span::none(),
                    to_completion: None,
                    counted: None,
                    waker: None,
                };
                Poll::Ready((std::mem::replace(this, over), outcome))
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.drop_future();
    }
}

/// Runs hooks one after the other, up to the first error.
pub(super) fn run_until_error<D, E>(
    conn: &Arc<ConnInner<D>>,
    hooks: &[OneHook<D, E>],
    event: E,
) -> BoxFuture<'static, Result<(), WsError>>
where
    D: Send + Sync + 'static,
    E: Clone + Send + 'static,
{
    let conn = Arc::clone(conn);
    let hooks: Vec<_> = hooks.to_vec();
    Box::pin(async move {
        for hook in hooks {
            hook.call(&conn, event.clone()).await?;
        }
        Ok(())
    })
}

/// Runs hooks one after the other, each for at most
/// [`hook_timeout`](crate::Config::hook_timeout). A failure is logged, and the next hook runs.
pub(super) async fn run_each<D, E>(conn: &Arc<ConnInner<D>>, what: &str, hooks: &[OneHook<D, E>], event: E)
where
    D: Send + Sync + 'static,
    E: Clone + Send + 'static,
{
    let timeout = conn.config().hook_timeout;
    for hook in hooks {
        if budget::look() {
            tokio::task::yield_now().await;
        }
        let event = event.clone();
        let mut called = Box::pin(AssertUnwindSafe(async { hook.call(conn, event).await }).catch_unwind());
        let outcome = tokio::time::timeout(timeout, called.as_mut()).await;
        drop_quietly(called);
        let outcome = match outcome {
            Ok(Ok(Ok(()))) => continue,
            Ok(Ok(Err(error))) => Outcome::Done(Err(error)),
            Ok(Err(panic)) => Outcome::Panicked(panic_text(panic)),
            Err(_) => Outcome::TimedOut,
        };
        if let Err(error) = outcome.into_result() {
            log(conn, &error, Some(what));
            drop_quietly(error);
        }
    }
    // It may hold an application's error, whose destructor may panic.
    drop_quietly(event);
}
