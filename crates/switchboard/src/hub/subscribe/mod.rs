//! Subscribing and unsubscribing.

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

/// A change of subscriptions that was not applied yet.
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

/// A pending subscription: [`Conn::subscribe`](crate::Conn::subscribe). Does nothing until awaited.
///
/// Its result is `false` if the connection was subscribed already.
///
/// # Errors
///
/// See [`TopicErrorKind`](crate::TopicErrorKind): an invalid or rejected name, a refusal, a limit,
/// or a closed connection.
///
/// # Cancel safety
///
/// Cancel safe: if dropped before it is ready, nothing has changed.
#[derive(Debug)]
#[must_use = "does nothing until awaited"]
pub struct Subscribe(PendingChange);

impl Subscribe {
    pub(crate) fn new(change: PendingChange) -> Self {
        Self(change)
    }

    /// Filters the messages of one type; messages of other types pass.
    ///
    /// The filters of the topic's rules ([`TopicOptions::filter`](crate::TopicOptions::filter))
    /// apply as well. Only the last call has an effect. The filter lasts as long as the
    /// subscription: to replace it, unsubscribe first.
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

/// A pending end of a subscription: [`Conn::unsubscribe`](crate::Conn::unsubscribe). Does nothing
/// until awaited.
///
/// Its result is `false` if there was no such subscription.
///
/// # Errors
///
/// [`InvalidTopic`](crate::TopicErrorKind::InvalidTopic) if the name is invalid.
///
/// # Cancel safety
///
/// Cancel safe: if dropped before it is ready, nothing has changed.
#[derive(Debug)]
#[must_use = "does nothing until awaited"]
pub struct Unsubscribe(PendingChange);

impl Unsubscribe {
    pub(crate) fn new(change: PendingChange) -> Self {
        Self(change)
    }
}

/// A pending change of several subscriptions, all or none:
/// [`Conn::subscribe_many`](crate::Conn::subscribe_many),
/// [`unsubscribe_many`](crate::Conn::unsubscribe_many), [`set_topics`](crate::Conn::set_topics) and
/// [`clear_topics`](crate::Conn::clear_topics). Does nothing until awaited.
///
/// # Errors
///
/// The same as [`Subscribe`], for the first topic that fails. Nothing has changed then.
///
/// More than 256 topics are changed in portions, between which other tasks run: first all new topics
/// are joined, then the others are left.
///
/// # Cancel safety
///
/// Cancel safe: if dropped before it is ready, nothing has changed, or, with more than 256 topics,
/// nothing or everything.
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
    /// Waits for another change of the same topics, or for an authorization.
    Waiting(BoxFuture<'static, Result<T, TopicError>>),
    Done,
}

/// No field is pinned.
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
            Step::Done => panic!("`TopicFuture` polled after completion"),
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
