//! Requests to several clients, on all nodes.

mod all;
mod first;
mod target;

use std::{ops::ControlFlow, pin::pin, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use switchboard_core::Request;
use tokio::time::{Instant, timeout_at};

pub(crate) use self::target::Target;
pub use self::{
    all::{CallAll, CallAnswers},
    first::CallFirst,
};
use crate::{
    CallErrorKind,
    conn::{AnyConn, CallError, ConnId, call, read_answer},
    hub::{Hub, link::RemoteResponses},
    wire::encode,
};

/// Concurrent requests of one call to several clients.
pub(crate) const MAX_CONCURRENT: usize = 1024;

/// The default of [`Config::call_timeout`](crate::Config::call_timeout), for clients of other nodes only.
const TIMEOUT: Duration = Duration::from_secs(10);

type ClientAnswer<R> = (ConnId, Result<<R as Request>::Response, CallError>);

struct Calls<R> {
    hub: Hub,
    target: Target,
    request: R,
    timeout: Option<Duration>,
}

impl<R: Request> Calls<R> {
    fn new(hub: &Hub, target: Target, request: R) -> Self {
        Self { hub: hub.clone(), target, request, timeout: None }
    }

    /// Sends the requests, and passes on the results as they come, until there are no more or `each` breaks. Returns
    /// whether those are all.
    async fn run(&self, mut each: impl FnMut(ClientAnswer<R>) -> ControlFlow<()>) -> Result<bool, CallError> {
        let conns = self.target.local(&self.hub);
        let timeout = self.timeout.or_else(|| conns.first().map(|conn| conn.config().call_timeout)).unwrap_or(TIMEOUT);
        let deadline = Instant::now().checked_add(timeout);
        let (mut remote, refused) = match self.remote(&conns, timeout) {
            Ok(remote) => (remote, None),
            Err(refused) => (None, Some(refused)),
        };
        let calls: Vec<_> = conns
            .into_iter()
            .map(|conn| async move { (conn.id, until(deadline, call(&conn, &self.request)).await) })
            .collect();
        {
            let here = stream::iter(calls).buffer_unordered(MAX_CONCURRENT);
            let elsewhere = stream::poll_fn(|cx| match &mut remote {
                Some(remote) => remote.poll_next(cx),
                None => None.into(),
            });
            let elsewhere =
                elsewhere.map(|(conn, answer)| (conn, answer.and_then(|answer| read_answer::<R>(answer.as_deref()))));
            let mut answers = pin!(stream::select(here, elsewhere));
            while let Some(answer) = answers.next().await {
                if each(answer).is_break() {
                    return Ok(true);
                }
            }
        }
        match refused {
            None => Ok(remote.is_none_or(|remote| remote.is_complete())),
            Some(refused) => Err(refused),
        }
    }

    /// Sends the request to the clients of other nodes. `None` if there can be none.
    fn remote(&self, conns: &[Arc<AnyConn>], timeout: Duration) -> Result<Option<RemoteResponses>, CallError> {
        let Some(link) = self.hub.0.link.as_ref().filter(|_| self.target.may_be_elsewhere(conns)) else {
            return Ok(None);
        };
        let frame = encode::correlated(&self.request, None, true).map_err(CallError::unsendable)?;
        let response = <R::Response as switchboard_core::Message>::TYPE;
        link.request_clients(&self.target, &frame, response, timeout)
    }
}

/// Waits for an answer until the deadline.
pub(crate) async fn until<T>(
    deadline: Option<Instant>,
    answer: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    match deadline {
        Some(deadline) => timeout_at(deadline, answer).await.unwrap_or_else(|_| Err(CallErrorKind::TimedOut.into())),
        None => answer.await,
    }
}
