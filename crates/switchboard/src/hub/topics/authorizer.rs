//! Asking the application whether a connection may do something with a topic.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use switchboard_core::WsError;
use tokio::time::timeout;

use crate::conn::ConnRef;

type Ask = dyn Fn(ConnRef, Arc<str>) -> BoxFuture<'static, Result<(), WsError>> + Send + Sync;

/// The application's rule.
#[derive(Clone)]
pub(crate) struct Authorizer(Arc<Ask>);

/// The application does not allow it.
#[derive(Debug)]
pub(crate) enum Refusal {
    Refused(WsError),
    /// It did not say anything.
    TimedOut,
}

impl Authorizer {
    pub(crate) fn new<F, Fut, E>(rule: F) -> Self
    where
        F: FnOnce(ConnRef, Arc<str>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<WsError>,
    {
        Self(Arc::new(move |member, topic| {
            let rule = rule.clone();
            Box::pin(async move { rule(member, topic).await.map_err(Into::into) })
        }))
    }

    /// A rule that panics, or takes longer than this, does not allow it.
    pub(crate) async fn ask(&self, member: ConnRef, topic: Arc<str>, limit: Duration) -> Result<(), Refusal> {
        let answer = AssertUnwindSafe((self.0)(member, topic)).catch_unwind();
        match timeout(limit, answer).await {
            Ok(Ok(answer)) => answer.map_err(Refusal::Refused),
            Ok(Err(_)) => Err(Refusal::Refused(WsError::internal("the authorisation of a topic panicked"))),
            Err(_) => Err(Refusal::TimedOut),
        }
    }
}
