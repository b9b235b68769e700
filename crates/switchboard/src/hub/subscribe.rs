//! Subscribing: pending changes as handlers make them, and what they do to a connection's
//! subscriptions.

mod authorizations;
mod change;
mod in_flight;
mod request;
mod revoke;
mod subscriptions;

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use switchboard_core::Message;

use self::change::CommittedChange;
pub use self::change::TopicChange;
pub(crate) use self::{
    authorizations::{Attempt, Authorizations},
    in_flight::InFlight,
    request::{Operation, RequestedTopic, SubscriptionRequest},
    subscriptions::{Subscription, Subscriptions},
};
use crate::{
    conn::{AnyConn, ConnRef},
    hub::{Filter, TopicError},
};

/// A change of subscriptions that was not made yet.
pub(crate) struct PendingChange {
    conn: Arc<AnyConn>,
    request: Result<SubscriptionRequest, TopicError>,
    filter: Option<Filter>,
}

impl PendingChange {
    pub(crate) fn new<T: AsRef<str>>(
        conn: Arc<AnyConn>,
        topics: impl IntoIterator<Item = T>,
        operation: Operation,
    ) -> Self {
        let request = conn.hub().subscription_request(&conn, topics, operation);
        Self { conn, request, filter: None }
    }
}

impl fmt::Debug for PendingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingChange").field("conn", &self.conn.id).field("request", &self.request).finish()
    }
}

/// A subscription that begins when it is awaited: [`Conn::subscribe`](crate::Conn::subscribe).
///
/// Its result is `false` if the connection was subscribed already, which changes nothing.
///
/// # Errors
///
/// As [`TopicErrorKind`](crate::TopicErrorKind) lists them: the name, a refusal, a limit, or a closed
/// connection.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has done nothing or all.
#[derive(Debug)]
#[must_use = "does nothing until awaited"]
pub struct Subscribe(PendingChange);

impl Subscribe {
    pub(crate) fn new(change: PendingChange) -> Self {
        Self(change)
    }

    /// Lets through only some of the topic's messages of one type; those of other types pass. The
    /// filters of the topic's pattern ([`TopicOptions::filter`](crate::TopicOptions::filter)) apply
    /// as well. The last call counts.
    ///
    /// A filter stays as long as the subscription does: to set another one, unsubscribe first.
    ///
    /// ```
    /// use switchboard::{Conn, WsError, ws_message};
    ///
    /// #[ws_message("OFFER")]
    /// struct Offer {
    ///     price: f64,
    /// }
    ///
    /// #[ws_message("WATCH")]
    /// struct Watch {
    ///     max_price: f64,
    /// }
    ///
    /// async fn watch(conn: Conn, watch: Watch) -> Result<(), WsError> {
    ///     let is_cheap = move |_: &_, offer: &Offer| offer.price <= watch.max_price;
    ///     conn.subscribe("offers").filter(is_cheap).await?;
    ///     Ok(())
    /// }
    /// # let _ = switchboard::WsRouter::<()>::new().on(watch);
    /// ```
    pub fn filter<M: Message>(mut self, rule: impl Fn(&ConnRef, &M) -> bool + Send + Sync + 'static) -> Self {
        self.0.filter = Some(Filter::new(rule));
        self
    }
}

/// The end of a subscription, which happens when it is awaited:
/// [`Conn::unsubscribe`](crate::Conn::unsubscribe).
///
/// Its result is `false` if there was no such subscription. Nothing of the topic arrives after it is
/// ready.
///
/// # Errors
///
/// The topic's name is not valid.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has done nothing or all.
#[derive(Debug)]
#[must_use = "does nothing until awaited"]
pub struct Unsubscribe(PendingChange);

impl Unsubscribe {
    pub(crate) fn new(change: PendingChange) -> Self {
        Self(change)
    }
}

/// A change of several subscriptions, all or none, which happens when it is awaited:
/// [`Conn::subscribe_many`](crate::Conn::subscribe_many),
/// [`unsubscribe_many`](crate::Conn::unsubscribe_many), [`set_topics`](crate::Conn::set_topics) and
/// [`clear_topics`](crate::Conn::clear_topics).
///
/// # Errors
///
/// As [`Subscribe`], for the first topic that cannot be subscribed to; then all are as they were.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has done nothing or all.
#[derive(Debug)]
#[must_use = "does nothing until awaited"]
pub struct ChangeTopics(PendingChange);

impl ChangeTopics {
    pub(crate) fn new(change: PendingChange) -> Self {
        Self(change)
    }
}

/// The future of [`Subscribe`], [`Unsubscribe`] and [`ChangeTopics`].
#[must_use = "futures do nothing until awaited"]
pub struct TopicFuture<T> {
    step: Step<T>,
    result: fn(CommittedChange<'_>) -> T,
}

enum Step<T> {
    Begin(PendingChange),
    /// It has to wait: for another change, or for an authorization.
    Waiting(BoxFuture<'static, Result<T, TopicError>>),
    Done,
}

/// Nothing in it is ever pinned.
impl<T> Unpin for TopicFuture<T> {}

impl<T: 'static> Future for TopicFuture<T> {
    type Output = Result<T, TopicError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = self.result;
        let mut waiting = match std::mem::replace(&mut self.step, Step::Done) {
            Step::Begin(PendingChange { conn, request, mut filter }) => {
                let request = request?;
                let hub = conn.hub();
                if let Some(changed) = hub.change_now(&conn, &request, &mut filter) {
                    return Poll::Ready(changed.map(result));
                }
                let hub = hub.clone();
                Box::pin(async move { hub.change(&conn, &request, filter).await.map(result) })
            }
            Step::Waiting(waiting) => waiting,
            Step::Done => panic!("a change of subscriptions was polled after it was ready"),
        };
        let polled = waiting.as_mut().poll(cx);
        if polled.is_pending() {
            self.step = Step::Waiting(waiting);
        }
        polled
    }
}

impl<T> fmt::Debug for TopicFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicFuture").finish_non_exhaustive()
    }
}

impl IntoFuture for Subscribe {
    type Output = Result<bool, TopicError>;
    type IntoFuture = TopicFuture<bool>;

    fn into_future(self) -> TopicFuture<bool> {
        TopicFuture { step: Step::Begin(self.0), result: |changed| !changed.joined.is_empty() }
    }
}

impl IntoFuture for Unsubscribe {
    type Output = Result<bool, TopicError>;
    type IntoFuture = TopicFuture<bool>;

    fn into_future(self) -> TopicFuture<bool> {
        TopicFuture { step: Step::Begin(self.0), result: |changed| !changed.left.is_empty() }
    }
}

impl IntoFuture for ChangeTopics {
    type Output = Result<TopicChange, TopicError>;
    type IntoFuture = TopicFuture<TopicChange>;

    fn into_future(self) -> TopicFuture<TopicChange> {
        TopicFuture { step: Step::Begin(self.0), result: |changed| changed.into() }
    }
}
