//! Requests of which one response is enough.

use std::{fmt, future::IntoFuture, ops::ControlFlow, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use switchboard_core::Request;

use super::{Calls, Target};
use crate::{CallErrorKind, conn::CallError, hub::Hub};

/// A pending request to all connections of a user, [`UserHandle::call`](crate::UserHandle::call), or to one connection,
/// [`ConnectionHandle::call`](crate::ConnectionHandle::call). Does nothing until awaited.
///
/// Its result is the first response, or the last error if no client responds. Once there is a response, the other clients'
/// are not waited for, on any node.
///
/// # Errors
///
/// The same as [`Conn::call`](crate::Conn::call), and [`Closed`](crate::CallErrorKind::Closed) for a user without a
/// connection. With a [broker](crate::HubBuilder::broker), [`Unavailable`](crate::CallErrorKind::Unavailable) if nothing
/// was heard of clients, and a node that may have some is dead or did not answer in time, or the broker could not be
/// reached; [`Overloaded`](crate::CallErrorKind::Overloaded) if nothing was heard of clients, and
/// [`max_client_requests`](crate::cluster::ClusterConfig::max_client_requests) requests wait for other nodes.
///
/// # Cancel safety
///
/// If dropped before it is ready, requests may have been sent; their responses are ignored, and other nodes stop waiting
/// for them.
#[must_use = "does nothing until awaited"]
pub struct CallFirst<R: Request>(Calls<R>);

impl<R: Request> CallFirst<R> {
    pub(crate) fn new(hub: &Hub, target: Target, request: R) -> Self {
        Self(Calls::new(hub, target, request))
    }

    /// Sets how long to wait for a response: [`Config::call_timeout`](crate::Config::call_timeout) by default, or 10 s if
    /// all connections are on other nodes. Those have at most 250 ms less, so that what their node says arrives in time.
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
            let (mut first, mut last) = (None, None);
            let ended = self.0.run(|(_, answer)| match answer {
                Ok(response) => {
                    first = Some(response);
                    ControlFlow::Break(())
                }
                Err(error) => {
                    last = Some(error);
                    ControlFlow::Continue(())
                }
            });
            let ended = ended.await;
            match (first, last, ended) {
                (Some(response), ..) => Ok(response),
                (None, Some(error), _) | (None, None, Err(error)) => Err(error),
                (None, None, Ok(true)) => Err(CallErrorKind::Closed.into()),
                (None, None, Ok(false)) => Err(CallErrorKind::Unavailable.into()),
            }
        }
        .boxed()
    }
}

impl<R: Request> fmt::Debug for CallFirst<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFirst").field("type", &R::TYPE).finish_non_exhaustive()
    }
}
