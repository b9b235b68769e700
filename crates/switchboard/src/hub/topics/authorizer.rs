//! Authorization rules of the application.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use switchboard_core::WsError;
use tokio::time::timeout;

use crate::conn::ConnRef;

type Ask = dyn Fn(ConnRef, Arc<str>) -> BoxFuture<'static, Result<(), WsError>> + Send + Sync;

/// An authorization rule of the application.
#[derive(Clone)]
pub(crate) struct Authorizer(Arc<Ask>);

/// Why an operation is not authorised.
#[derive(Debug)]
pub(crate) enum Refusal {
    Refused(WsError),
    /// The rule did not answer in time.
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

    /// Runs the rule. A rule that panics or exceeds the limit refuses.
    pub(crate) async fn ask(&self, member: ConnRef, topic: Arc<str>, limit: Duration) -> Result<(), Refusal> {
        let answer = AssertUnwindSafe((self.0)(member, topic)).catch_unwind();
        match timeout(limit, answer).await {
            Ok(Ok(answer)) => answer.map_err(Refusal::Refused),
            Ok(Err(_)) => Err(Refusal::Refused(WsError::internal("the authorization rule of a topic panicked"))),
            Err(_) => Err(Refusal::TimedOut),
        }
    }
}
