//! The future of services that pass or refuse a message.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use pin_project_lite::pin_project;
use switchboard_core::WsError;

use super::WsReply;

pin_project! {
    /// The future of a message that was passed on, or refused.
    #[must_use = "the message is handled when it is awaited"]
    pub struct CheckedFuture<F>
    where
        F: Future,
    {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<F>
    where
        F: Future,
    {
        Passed { #[pin] future: F },
        Refused { error: Option<WsError> },
        Waiting { future: BoxFuture<'static, F::Output> },
    }
}

impl<F: Future> CheckedFuture<F> {
    pub(super) fn passed(future: F) -> Self {
        Self { state: State::Passed { future } }
    }

    pub(super) fn refused(error: WsError) -> Self {
        Self { state: State::Refused { error: Some(error) } }
    }

    /// The check itself has to wait. The future passes the message on, or returns the refusal.
    pub(super) fn waiting(future: BoxFuture<'static, F::Output>) -> Self {
        Self { state: State::Waiting { future } }
    }
}

impl<F, E> Future for CheckedFuture<F>
where
    F: Future<Output = Result<WsReply, E>>,
    E: From<WsError>,
{
    type Output = Result<WsReply, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            Projected::Passed { future } => Poll::Ready(ready!(future.poll(cx))),
            Projected::Refused { error } => match error.take() {
                Some(error) => Poll::Ready(Err(error.into())),
                None => panic!("`CheckedFuture` polled after completion"),
            },
            Projected::Waiting { future } => future.as_mut().poll(cx),
        }
    }
}

impl<F: Future> fmt::Debug for CheckedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    #[should_panic(expected = "polled after completion")]
    fn a_future_polled_after_completion_panics() {
        let mut refused =
            CheckedFuture::<std::future::Ready<Result<WsReply, WsError>>>::refused(WsError::internal("x"));
        let first = (&mut refused).now_or_never();
        assert!(first.is_some_and(|result| result.is_err()));
        _ = (&mut refused).now_or_never();
    }
}
