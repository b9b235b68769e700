//! Publishing to topics.

mod batch;
#[cfg(feature = "test")]
mod capture;
#[cfg(test)]
mod chunked_tests;
mod coalesce;
mod many;
mod outgoing;
mod selection;
#[cfg(test)]
mod selective_tests;
mod throttle;

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;

#[cfg(feature = "test")]
pub(crate) use self::capture::{Captures, PublishLog, Record};
use self::coalesce::{Buffer, Coalesced, Pace};
pub use self::{
    batch::{Batch, BatchOptions},
    many::PublishMany,
    throttle::Throttle,
};
pub(crate) use self::{
    outgoing::{Inspected, Outgoing},
    selection::Audience,
};
use crate::{
    conn::{AnyConn, ConnId, ConnRef},
    fanout::{ChunkedPublish, Delivery, PUSH_CHUNK, Reached, turn},
    hub::{
        Hub, PublishError, Topic,
        link::{BusPublish, Group},
    },
    metrics,
};

/// A pending publish: [`Hub::publish`] and [`Conn::publish`](crate::Conn::publish). Does nothing
/// until awaited.
///
/// The message is validated and encoded once, for all subscribers. Delivery is at most once, and a
/// slow consumer does not affect other subscribers. When a subscriber's queue is half full, the
/// future yields to other tasks before it completes, so that clients keep up with a loop that
/// publishes.
///
/// With a [broker](crate::HubBuilder::broker), it is ready when the broker has accepted the message
/// and this node's subscribers have it. How many it has reached is [`Unknown`](Matched::Unknown).
///
/// # Cancel safety
///
/// If dropped before it is first polled, or while
/// [`authorize_publish`](crate::TopicOptions::authorize_publish) runs, nothing is published. If
/// dropped later, the message still reaches all subscribers.
#[must_use = "does nothing until awaited"]
pub struct Publish {
    hub: Hub,
    topic: Box<str>,
    message: Result<Outgoing, PublishError>,
    sender: Option<Arc<AnyConn>>,
    except_self: bool,
    unconfirmed: bool,
    audience: Audience,
    /// Part of a publish to several topics.
    group: Option<Group>,
}

impl Publish {
    pub(crate) fn new(
        hub: Hub,
        topic: &str,
        message: Result<Outgoing, PublishError>,
        sender: Option<Arc<AnyConn>>,
    ) -> Self {
        let audience = Audience::default();
        Self {
            hub,
            topic: topic.into(),
            message,
            sender,
            except_self: false,
            unconfirmed: false,
            audience,
            group: None,
        }
    }

    /// Excludes the connection that publishes. Has no effect on a publish by a [`Hub`].
    pub fn except_self(mut self) -> Self {
        self.except_self = true;
        self
    }

    /// Excludes these connections. Use it for a few: each is compared with every subscriber.
    ///
    /// ```
    /// use switchboard::{ConnId, Hub, PublishError, ws_message};
    ///
    /// #[ws_message("MOVED")]
    /// struct Moved {
    ///     x: u32,
    /// }
    ///
    /// async fn moved(hub: &Hub, players: [ConnId; 2]) -> Result<(), PublishError> {
    ///     hub.publish("spectators", Moved { x: 1 }).except(players).await?;
    ///     Ok(())
    /// }
    /// # let _ = moved;
    /// ```
    pub fn except(mut self, ids: impl IntoIterator<Item = ConnId>) -> Self {
        self.audience.except.extend(ids);
        self
    }

    /// Does not wait for the broker: the future is ready once the message stands in this node's queue for the bus.
    ///
    /// For messages of which the next one makes up, such as positions, and for high rates: a confirmed publish waits for
    /// one round trip. Messages of one publisher arrive in the order of the calls, confirmed or not. The queue is limited
    /// by [`max_pending_publishes`](crate::cluster::ClusterConfig::max_pending_publishes) and
    /// [`max_pending_bytes`](crate::cluster::ClusterConfig::max_pending_bytes); when it is half full, the future lets other
    /// tasks run before it completes.
    ///
    /// If the broker does not accept the message, that is counted
    /// ([`ClusterStats::failed_publishes`](crate::cluster::ClusterStats::failed_publishes)) and logged, and subscribers
    /// are not told. Without a [broker](crate::HubBuilder::broker) it has no effect.
    ///
    /// ```
    /// use switchboard::{Hub, PublishError, ws_message};
    ///
    /// #[ws_message("MOVED")]
    /// struct Moved {
    ///     x: u32,
    /// }
    ///
    /// async fn moved(hub: &Hub, x: u32) -> Result<(), PublishError> {
    ///     hub.publish("game:1", Moved { x }).unconfirmed().await?;
    ///     Ok(())
    /// }
    /// # let _ = moved;
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unavailable`](crate::PublishErrorKind::Unavailable) if the queue is full ("too many publishes wait for the
    /// broker") or the link is down.
    pub fn unconfirmed(mut self) -> Self {
        self.unconfirmed = true;
        self
    }

    fn begin(mut self, cx: &mut Context<'_>) -> Result<Step, PublishError> {
        // An invalid message is not worth an authorization.
        if self.message.is_err() {
            return self.message.map(|_| Step::Done);
        }
        let topic = self.hub.find_topic(&self.topic);
        let rule = match &topic {
            Some(topic) => topic.rule(),
            None => self.hub.rule_for(&self.topic)?,
        };
        if let Some(rule) = rule {
            self.except_self |= rule.options.no_self_delivery;
            if let (Some(authorizer), Some(sender)) = (&rule.options.publish, &self.sender) {
                let member = ConnRef::new(Arc::clone(sender));
                let (authorizer, limit) = (authorizer.clone(), rule.options.authorize_timeout);
                return Ok(Step::Authorize(Box::pin(async move {
                    let name: Arc<str> = (&*self.topic).into();
                    let answer = authorizer.ask(member, Arc::clone(&name), limit).await;
                    answer.map_err(|refusal| PublishError::refused(&name, refusal)).map(|()| self)
                })));
            }
        }
        self.deliver(topic, cx)
    }

    /// Delivers the message, after the topic's rule has allowed it.
    fn deliver(self, topic: Option<Arc<Topic>>, cx: &mut Context<'_>) -> Result<Step, PublishError> {
        let message = self.message?;
        metrics::published();
        #[cfg(feature = "test")]
        self.hub.captures().record(&self.topic, message.frame(), self.sender.as_ref().map(|sender| sender.id));
        let except = self.sender.filter(|_| self.except_self).map(|sender| sender.id);
        if let Some(link) = &self.hub.0.link {
            let rule = match &topic {
                Some(topic) => topic.rule(),
                None => self.hub.0.rules.find(&self.topic),
            };
            // Receivers need not decode the message to find it.
            let key = rule.and_then(|rule| rule.conflation_key(&message));
            let name = topic.map_or_else(|| self.topic.into(), |topic| Arc::clone(topic.name()));
            let except: Vec<ConnId> = self.audience.except.into_iter().chain(except).collect();
            let group = self.group;
            return link.publish(&name, &message, &except, group, key.as_deref(), self.unconfirmed).map(Step::Bus);
        }
        let Some(topic) = topic else {
            self.hub.warn_if_unused(&self.topic);
            return Ok(Step::Delivered(Reached::default()));
        };
        let frame = message.frame().clone();
        let selective = self.hub.selection(&topic, message, self.audience, None);
        if selective.is_none()
            && let Some(reached) = topic.push(&frame, except, PUSH_CHUNK)
        {
            turn::flush(topic);
            return Ok(Step::Delivered(reached));
        }
        let delivery = Delivery::new(&topic, frame, except, selective);
        let publish = ChunkedPublish::begin(&topic, delivery, cx).ok_or_else(PublishError::overloaded)?;
        Ok(Step::Chunked(publish))
    }
}

impl fmt::Debug for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl IntoFuture for Publish {
    type Output = Result<Published, PublishError>;
    type IntoFuture = PublishFuture;

    fn into_future(self) -> PublishFuture {
        PublishFuture { step: Step::Begin(self) }
    }
}

/// The future of a [`Publish`].
#[must_use = "futures do nothing until awaited"]
pub struct PublishFuture {
    step: Step,
}

enum Step {
    Begin(Publish),
    /// Waits for the authorization rule.
    Authorize(BoxFuture<'static, Result<Publish, PublishError>>),
    /// Waits for the broker, and for the subscribers of this node.
    Bus(BusPublish),
    /// Delivers in chunks: to many subscribers, or not the same to all.
    Chunked(ChunkedPublish),
    Delivered(Reached),
    /// Lets other tasks run first.
    Yield(Published, BoxFuture<'static, ()>),
    Done,
}

impl Future for PublishFuture {
    type Output = Result<Published, PublishError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            self.step = match std::mem::replace(&mut self.step, Step::Done) {
                Step::Begin(publish) => publish.begin(cx)?,
                Step::Authorize(mut answer) => match answer.as_mut().poll(cx) {
                    Poll::Ready(publish) => {
                        let publish = publish?;
                        let topic = publish.hub.find_topic(&publish.topic);
                        publish.deliver(topic, cx)?
                    }
                    Poll::Pending => {
                        self.step = Step::Authorize(answer);
                        return Poll::Pending;
                    }
                },
                Step::Bus(mut publish) => match Pin::new(&mut publish).poll(cx) {
                    Poll::Ready(accepted) => {
                        return Poll::Ready(accepted.map(|()| Published::UNKNOWN));
                    }
                    Poll::Pending => {
                        self.step = Step::Bus(publish);
                        return Poll::Pending;
                    }
                },
                Step::Chunked(mut publish) => match publish.poll(cx) {
                    Poll::Ready(reached) => Step::Delivered(reached),
                    Poll::Pending => {
                        self.step = Step::Chunked(publish);
                        return Poll::Pending;
                    }
                },
                Step::Delivered(Reached { matched, pressed }) => {
                    let published = Published::exact(matched);
                    if !pressed {
                        return Poll::Ready(Ok(published));
                    }
                    Step::Yield(published, Box::pin(tokio::task::yield_now()))
                }
                Step::Yield(published, mut others) => {
                    if others.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(Ok(published));
                    }
                    self.step = Step::Yield(published, others);
                    return Poll::Pending;
                }
                Step::Done => panic!("`PublishFuture` polled after completion"),
            };
        }
    }
}

impl fmt::Debug for PublishFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishFuture").finish_non_exhaustive()
    }
}

/// The result of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    matched: Matched,
}

/// The number of connections that a publish reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matched {
    /// The exact number.
    Exact(usize),
    /// An estimate.
    Estimate(usize),
    /// The broker does not report a number.
    Unknown,
}

impl Published {
    const UNKNOWN: Self = Self { matched: Matched::Unknown };

    fn exact(matched: usize) -> Self {
        Self { matched: Matched::Exact(matched) }
    }

    /// Returns the number of connections that the message was queued for. Connections that are
    /// being closed do not count.
    #[must_use]
    pub fn matched(&self) -> Matched {
        self.matched
    }

    /// Returns the number of [`matched`](Self::matched), exact or estimated; `None` if it is
    /// unknown.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        match self.matched {
            Matched::Exact(n) | Matched::Estimate(n) => Some(n),
            Matched::Unknown => None,
        }
    }
}
