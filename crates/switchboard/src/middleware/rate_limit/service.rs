//! The layer and service of a rate limit.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use switchboard_core::WsError;
use tower::{Layer, Service};

use super::{Check, RateLimitLayer, Settings, state::State};
use crate::middleware::{CheckedFuture, WsReply, WsRequest};

impl<D, S> Layer<S> for RateLimitLayer<D>
where
    D: Send + Sync + 'static,
{
    type Service = RateLimit<D, S>;

    fn layer(&self, inner: S) -> RateLimit<D, S> {
        RateLimit { settings: Arc::clone(&self.settings), state: self.state_of_a_route(), inner }
    }
}

/// The service of [`RateLimitLayer`].
pub struct RateLimit<D, S> {
    settings: Arc<Settings<D>>,
    state: Arc<State>,
    inner: S,
}

impl<D, S: Clone> Clone for RateLimit<D, S> {
    fn clone(&self) -> Self {
        Self { settings: Arc::clone(&self.settings), state: Arc::clone(&self.state), inner: self.inner.clone() }
    }
}

impl<D, S> Service<WsRequest<D>> for RateLimit<D, S>
where
    D: Send + Sync + 'static,
    S: Service<WsRequest<D>, Response = WsReply> + Clone + Send + 'static,
    S::Error: From<WsError>,
    S::Future: Send,
{
    type Response = WsReply;
    type Error = S::Error;
    type Future = CheckedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: WsRequest<D>) -> CheckedFuture<S::Future> {
        match self.settings.check_request(&self.state, &request) {
            Check::Done(Ok(())) => CheckedFuture::passed(self.inner.call(request)),
            Check::Done(Err(error)) => CheckedFuture::refused(error),
            Check::Waiting(check) => {
                // The one that was polled until it was ready.
                let next = self.inner.clone();
                let mut inner = mem::replace(&mut self.inner, next);
                CheckedFuture::waiting(Box::pin(async move {
                    check.await?;
                    inner.call(request).await
                }))
            }
        }
    }
}

impl<D, S> fmt::Debug for RateLimit<D, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").field("policy", &self.settings.policy).finish_non_exhaustive()
    }
}
