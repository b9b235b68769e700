//! Subscribing.

mod authorizations;
mod change;
mod in_flight;
mod revoke;
mod subscriptions;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use switchboard_core::Message;

pub use self::change::TopicChange;
pub(crate) use self::{
    authorizations::{Attempt, Authorizations},
    change::{Operation, SubscriptionRequest},
    in_flight::InFlight,
    subscriptions::{Subscription, Subscriptions},
};
use crate::{
    conn::AnyConn,
    hub::{Filter, Hub, Member, TopicError, TopicName},
};

/// A subscription that begins when it is awaited: [`Conn::subscribe`](crate::Conn::subscribe).
///
/// # Errors
///
/// As [`TopicErrorKind`](crate::TopicErrorKind) lists them: for its name, a refusal, a limit, or
/// since the connection is closed.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has done nothing or all.
#[must_use = "nothing is subscribed to before this is awaited"]
pub struct Subscribe<T> {
    conn: Arc<AnyConn>,
    topic: T,
    filter: Option<Filter>,
    /// Once it had to wait.
    later: Option<BoxFuture<'static, Result<bool, TopicError>>>,
}

impl<T> Subscribe<T> {
    pub(crate) fn new(conn: Arc<AnyConn>, topic: T) -> Self {
        Self { conn, topic, filter: None, later: None }
    }

    /// Lets through only some of the topic's messages of one type; those of other types pass. The
    /// filters of the topic's pattern ([`TopicOptions::filter`](crate::TopicOptions::filter)) hold
    /// as well. The last call counts.
    ///
    /// A filter stays as long as the subscription does: to set another one, unsubscribe first. A
    /// message that was given to `publish` before the filter was there does not pass.
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
    pub fn filter<M: Message>(mut self, rule: impl Fn(&Member, &M) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Filter::new(rule));
        self
    }
}

/// Nothing in it is ever pinned.
impl<T> Unpin for Subscribe<T> {}

/// `false` if it was subscribed already, which changes nothing.
impl<T: TopicName> Future for Subscribe<T> {
    type Output = Result<bool, TopicError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(later) = &mut this.later {
            return later.as_mut().poll(cx);
        }
        let hub: &Hub = this.conn.hub();
        let topic = hub.name(this.topic.topic_name());
        if let Some(result) = hub.subscribe_now(&this.conn, &topic, &mut this.filter) {
            return Poll::Ready(result);
        }
        let later = hub.clone().subscribe_later(Arc::clone(&this.conn), topic.into(), this.filter.take());
        this.later.insert(Box::pin(later)).as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for Subscribe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe").field("conn", &self.conn.id).finish_non_exhaustive()
    }
}
