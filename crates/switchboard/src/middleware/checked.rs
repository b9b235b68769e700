//! The future of services that let a message on or refuse it.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use switchboard_core::WsError;

use super::WsReply;

pin_project! {
    /// A message that was let on, or refused.
    #[derive(Debug)]
    #[must_use = "the message is handled when it is awaited"]
    pub struct CheckedFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum State<F> {
        Passed { #[pin] future: F },
        Refused { error: Option<WsError> },
    }
}

impl<F> CheckedFuture<F> {
    pub(super) fn passed(future: F) -> Self {
        Self { state: State::Passed { future } }
    }

    pub(super) fn refused(error: WsError) -> Self {
        Self { state: State::Refused { error: Some(error) } }
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
            // Once: afterwards it is over.
            Projected::Refused { error } => error.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error.into()))),
        }
    }
}
