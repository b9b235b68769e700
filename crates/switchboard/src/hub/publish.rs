//! Publishing.

mod batch;
#[cfg(feature = "test")]
mod capture;
#[cfg(test)]
mod chunked_tests;
mod coalesce;
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
pub(crate) use self::selection::Selection;
pub use self::{
    batch::{Batch, BatchOptions},
    throttle::Throttle,
};
use crate::{
    conn::AnyConn,
    fanout::{ChunkedPublish, Delivery, PUSH_CHUNK, Reached, turn},
    hub::{Hub, Member, PublishError},
    metrics,
    wire::Frame,
};

/// A publish that happens when it is awaited.
///
/// The message was validated and encoded once, for all receivers. Publishing is complete: a slow or
/// failing member changes nothing for the others. When the queue of a member is half full, the
/// future lets other tasks run before it is ready, so that members that read can keep up with a
/// loop that publishes.
///
/// # Cancel safety
///
/// Dropped before it is first polled, or while the topic's rule is asked
/// ([`TopicOptions::authorize_publish`](crate::TopicOptions::authorize_publish)), it has done
/// nothing; after that, all.
#[must_use = "nothing is published before this is awaited"]
pub struct Publish {
    hub: Hub,
    topic: Box<str>,
    frame: Result<Frame, PublishError>,
    sender: Option<Arc<AnyConn>>,
    except_self: bool,
    selection: Selection,
}

impl Publish {
    pub(crate) fn new(
        hub: Hub,
        topic: &str,
        frame: Result<Frame, PublishError>,
        sender: Option<Arc<AnyConn>>,
        selection: Selection,
    ) -> Self {
        Self { hub, topic: topic.into(), frame, sender, except_self: false, selection }
    }

    /// Leaves out the connection that publishes. No effect on a publish by a [`Hub`].
    pub fn except_self(mut self) -> Self {
        self.except_self = true;
        self
    }

    fn begin(mut self, cx: &mut Context<'_>) -> Result<Step, PublishError> {
        if let Some(rule) = &self.selection.rule {
            self.except_self |= rule.options.no_self_delivery;
            if let (Some(authorizer), Some(sender), Ok(_)) = (&rule.options.publish, &self.sender, &self.frame) {
                let member = Member::new(Arc::clone(sender));
                let (authorizer, limit) = (authorizer.clone(), rule.options.authorize_timeout);
                return Ok(Step::Authorize(Box::pin(async move {
                    let name: Arc<str> = (&*self.topic).into();
                    let answer = authorizer.ask(member, Arc::clone(&name), limit).await;
                    answer.map_err(|refusal| PublishError::refused(&name, refusal)).map(|()| self)
                })));
            }
        }
        self.deliver(cx)
    }

    /// Once it is allowed.
    fn deliver(self, cx: &mut Context<'_>) -> Result<Step, PublishError> {
        let frame = self.frame?;
        metrics::published();
        #[cfg(feature = "test")]
        self.hub.captures().record(&self.topic, &frame, self.sender.as_ref().map(|sender| sender.id));
        let Some(topic) = self.hub.topic(&self.topic) else {
            return Ok(Step::Delivered(Reached::default()));
        };
        let except = self.sender.filter(|_| self.except_self).map(|sender| sender.id);
        let selective = self.selection.selective;
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

/// The future of [`Publish`].
#[must_use = "nothing is published before this is awaited"]
pub struct PublishFuture {
    step: Step,
}

enum Step {
    Begin(Publish),
    /// The application is asked whether it may.
    Authorize(BoxFuture<'static, Result<Publish, PublishError>>),
    /// To very many members, or not the same to all.
    Chunked(ChunkedPublish),
    Delivered(Reached),
    /// Others run first.
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
                    Poll::Ready(publish) => publish?.deliver(cx)?,
                    Poll::Pending => {
                        self.step = Step::Authorize(answer);
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
                Step::Done => panic!("a publish was polled after it was ready"),
            };
        }
    }
}

impl fmt::Debug for PublishFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishFuture").finish_non_exhaustive()
    }
}

/// What became of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    matched: Matched,
}

/// How many connections a publish reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matched {
    /// So many.
    Exact(usize),
    /// About so many.
    Estimate(usize),
    /// The broker cannot tell.
    Unknown,
}

impl Published {
    fn exact(matched: usize) -> Self {
        Self { matched: Matched::Exact(matched) }
    }

    /// How many connections the message was for, without those that are being closed.
    #[must_use]
    pub fn matched(&self) -> Matched {
        self.matched
    }

    /// The number of [`matched`](Self::matched), exact or estimated.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        match self.matched {
            Matched::Exact(n) | Matched::Estimate(n) => Some(n),
            Matched::Unknown => None,
        }
    }
}
