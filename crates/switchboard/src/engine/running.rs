//! What the connection's task is running at the moment: a handler or hooks.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use switchboard_core::WsError;
use tokio::time::{Sleep, sleep};

use crate::{
    conn::ConnInner,
    encode::Replied,
    handler::HandlerResult,
    router::{CallId, OneHook},
};

/// A future and what is to be done with its result. The timer is made when the first poll leaves
/// it pending.
pub(super) struct Running {
    pub(super) what: What,
    /// Polled in this turn already.
    pub(super) polled: bool,
    /// Or what the panic said that came before there was a future.
    future: Option<Result<RunningFuture, String>>,
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

/// Whose result it is.
#[derive(Debug)]
pub(super) enum What {
    /// A message's handler.
    Call(CallId),
    /// The hooks of the connection's start.
    Open,
    /// The hook for raw text.
    Text,
    /// The hook for binary frames.
    Binary,
    /// The hooks for a failed message.
    Error,
    /// The hooks of the connection's end.
    Close,
}

enum RunningFuture {
    Handler(BoxFuture<'static, HandlerResult>),
    Hook(BoxFuture<'static, Result<(), WsError>>),
}

/// How it ended.
pub(super) enum Outcome {
    Done(Result<Replied, WsError>),
    Panicked(String),
    TimedOut,
}

impl Running {
    /// `make` is called under the same protection against panics as the future itself.
    pub(super) fn handler(
        id: CallId,
        timeout: Duration,
        make: impl FnOnce() -> BoxFuture<'static, HandlerResult>,
    ) -> Self {
        Self::new(What::Call(id), timeout, || RunningFuture::Handler(make()))
    }

    pub(super) fn hook(
        what: What,
        timeout: Duration,
        make: impl FnOnce() -> BoxFuture<'static, Result<(), WsError>>,
    ) -> Self {
        Self::new(what, timeout, || RunningFuture::Hook(make()))
    }

    fn new(what: What, timeout: Duration, make: impl FnOnce() -> RunningFuture) -> Self {
        let future = catch_unwind(AssertUnwindSafe(make)).map_err(|panic| panic_text(&*panic));
        Self { what, polled: false, future: Some(future), timeout, timer: None }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        self.polled = true;
        let future = match &mut self.future {
            Some(Ok(future)) => future,
            Some(Err(text)) => return Poll::Ready(Outcome::Panicked(std::mem::take(text))),
            None => return Poll::Pending,
        };
        let polled = catch_unwind(AssertUnwindSafe(|| match future {
            RunningFuture::Handler(future) => future.as_mut().poll(cx).map(|result| result.0),
            RunningFuture::Hook(future) => future.as_mut().poll(cx).map(|result| result.map(|()| Replied::Nothing)),
        }));
        match polled {
            Ok(Poll::Ready(result)) => Poll::Ready(Outcome::Done(result)),
            Err(panic) => Poll::Ready(Outcome::Panicked(panic_text(&*panic))),
            Ok(Poll::Pending) => {
                let timeout = self.timeout;
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
                timer.as_mut().poll(cx).map(|()| Outcome::TimedOut)
            }
        }
    }

    /// The request that is running, if it is one.
    pub(super) fn is_request(&self, correlation_id: &str) -> bool {
        matches!(&self.what, What::Call(id) if id.is_rpc && id.correlation_id() == Some(correlation_id))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What the future holds is the application's: its destructors may panic, too.
        if let Some(future) = self.future.take()
            && let Err(panic) = catch_unwind(AssertUnwindSafe(move || drop(future)))
        {
            tracing::error!(panic = %panic_text(&*panic), "a handler panicked when it was dropped");
        }
    }
}

/// Runs hooks one after the other; the first error ends it.
pub(super) fn all<D, E>(
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

fn panic_text(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "of an unknown kind".to_owned()
    }
}
