//! Requests whose responses are all collected.

use std::{
    fmt,
    future::IntoFuture,
    ops::{ControlFlow, Deref},
    time::Duration,
    vec,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use switchboard_core::Request;

use super::{Calls, Target};
use crate::{
    conn::{CallError, ConnId},
    hub::Hub,
};

/// A pending request to all subscribers of a topic:
/// [`TopicHandle::call_all`](crate::TopicHandle::call_all). Does nothing until awaited.
///
/// It completes when all subscribers have answered, or after the timeout. At most 1024 requests of each node are in
/// progress at once.
///
/// With a [broker](crate::HubBuilder::broker), all nodes are asked. The responses of clients of other nodes are limited:
/// each to [`max_response_bytes`](crate::cluster::ClusterConfig::max_response_bytes) (256 KiB), all to
/// [`max_collected_bytes`](crate::cluster::ClusterConfig::max_collected_bytes) (16 MiB).
///
/// # Cancel safety
///
/// If dropped before it is ready, requests may have been sent; their responses are ignored, and other nodes stop waiting
/// for them.
#[must_use = "does nothing until awaited"]
pub struct CallAll<R: Request>(Calls<R>);

impl<R: Request> CallAll<R> {
    pub(crate) fn new(hub: &Hub, target: Target, request: R) -> Self {
        Self(Calls::new(hub, target, request))
    }

    /// Sets how long to wait for all responses: [`Config::call_timeout`](crate::Config::call_timeout) by default, or 10 s if
    /// all subscribers are on other nodes. Those have at most 250 ms less, so that what their node says arrives in time.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = Some(timeout);
        self
    }
}

impl<R: Request> IntoFuture for CallAll<R> {
    type Output = CallAnswers<R::Response>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            let mut answers = Vec::new();
            let ended = self.0.run(|answer| {
                answers.push(answer);
                ControlFlow::Continue(())
            });
            let is_complete = ended.await.unwrap_or_else(|error| {
                tracing::warn!(error = %switchboard_core::WsError::from(error), "clients of other nodes were not asked");
                false
            });
            CallAnswers { answers, is_complete }
        }
        .boxed()
    }
}

impl<R: Request> fmt::Debug for CallAll<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallAll").field("type", &R::TYPE).finish_non_exhaustive()
    }
}

/// The results of a [`CallAll`]: for each subscriber that was asked the response or an error, in no particular order.
///
/// ```
/// use switchboard::{ConnId, Hub, ws_message, ws_rpc};
///
/// #[ws_message("VOTE")]
/// struct Vote {
///     yes: bool,
/// }
///
/// #[ws_rpc("ASK_VOTE", response = Vote)]
/// struct AskVote;
///
/// /// The connections that are in favour, if all have voted.
/// async fn in_favour(hub: &Hub) -> Option<Vec<ConnId>> {
///     let answers = hub.topic("council").call_all(AskVote).await;
///     if !answers.is_complete() {
///         return None;
///     }
///     answers.into_iter().filter_map(|(conn, vote)| Some((conn, vote.ok()?.yes))).map(|(conn, yes)| yes.then_some(conn)).collect()
/// }
/// # let _ = in_favour;
/// ```
#[derive(Debug)]
pub struct CallAnswers<T> {
    answers: Vec<(ConnId, Result<T, CallError>)>,
    is_complete: bool,
}

impl<T> CallAnswers<T> {
    /// Returns whether each subscriber on all nodes has an entry, as far as is known. If not, a node is dead or did not
    /// answer in time, the broker could not be reached, or a limit was reached. Always `true` without a
    /// [broker](crate::HubBuilder::broker).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}

impl<T> Deref for CallAnswers<T> {
    type Target = [(ConnId, Result<T, CallError>)];

    fn deref(&self) -> &Self::Target {
        &self.answers
    }
}

impl<T> IntoIterator for CallAnswers<T> {
    type Item = (ConnId, Result<T, CallError>);
    type IntoIter = vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.answers.into_iter()
    }
}
