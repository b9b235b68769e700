//! A handler with the layers around it, as a service.

use std::{
    any::Any,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use switchboard_core::{BoxError, WsError};
use tower::{
    Service, ServiceExt as _,
    load_shed::error::Overloaded,
    timeout::error::Elapsed,
    util::{BoxCloneSyncService, MapErr},
};

use super::{WsReply, WsRequest};
use crate::{dispatch::Routed, handler::HandlerResult};

/// A handler with the layers added so far: the inner service of a [`tower::Layer`].
pub struct Route<D>(Inner<D>);

enum Inner<D> {
    /// No layer: the handler itself.
    Handler,
    Layered(BoxCloneSyncService<WsRequest<D>, WsReply, WsError>),
}

impl<D> Clone for Inner<D> {
    fn clone(&self) -> Self {
        match self {
            Self::Handler => Self::Handler,
            Self::Layered(service) => Self::Layered(service.clone()),
        }
    }
}

impl<D> Clone for Route<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D> Default for Route<D> {
    fn default() -> Self {
        Self(Inner::Handler)
    }
}

impl<D: Send + Sync + 'static> Route<D> {
    /// Wraps a service made of layers.
    pub(crate) fn of<S>(service: S) -> Self
    where
        S: Service<WsRequest<D>, Response = WsReply> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        // `NoLayer` returned the route itself.
        if let Some(route) = (&service as &dyn Any).downcast_ref::<Self>() {
            return route.clone();
        }
        let service = MapErr::new(service, |error: S::Error| error_of(error.into()));
        Self(Inner::Layered(BoxCloneSyncService::new(service)))
    }

    /// Whether there are layers.
    pub(crate) fn is_layered(&self) -> bool {
        matches!(self.0, Inner::Layered(_))
    }

    /// Sends a message through the layers.
    pub(crate) fn run(&self, routed: &Routed<'_, D>) -> BoxFuture<'static, HandlerResult> {
        let future = self.clone().call(WsRequest::new(routed));
        Box::pin(async move { HandlerResult(future.await.map(|reply| reply.0)) })
    }
}

impl<D: Send + Sync + 'static> Service<WsRequest<D>> for Route<D> {
    type Response = WsReply;
    type Error = WsError;
    type Future = RouteFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        // `call` waits until the inner service is ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: WsRequest<D>) -> RouteFuture {
        RouteFuture(match &self.0 {
            Inner::Handler => Running::Handler(request.handle()),
            Inner::Layered(service) => Running::Layered(Box::pin(service.clone().oneshot(request))),
        })
    }
}

impl<D> fmt::Debug for Route<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").finish_non_exhaustive()
    }
}

/// The future of a [`Route`].
#[must_use = "the message is handled when it is awaited"]
pub struct RouteFuture(Running);

enum Running {
    Handler(BoxFuture<'static, HandlerResult>),
    Layered(BoxFuture<'static, Result<WsReply, WsError>>),
}

impl Future for RouteFuture {
    type Output = Result<WsReply, WsError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Running::Handler(future) => future.as_mut().poll(cx).map(|HandlerResult(result)| result.map(WsReply)),
            Running::Layered(future) => future.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for RouteFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteFuture").finish_non_exhaustive()
    }
}

/// Converts an error of a layer into what the client gets.
pub(super) fn error_of(error: BoxError) -> WsError {
    let error = match error.downcast::<WsError>() {
        Ok(error) => return *error,
        Err(error) => error,
    };
    if error.is::<Elapsed>() {
        WsError::deadline_exceeded("the deadline has passed")
    } else if error.is::<Overloaded>() {
        WsError::resource_exhausted("the server is busy")
    } else {
        WsError::from(error)
    }
}
