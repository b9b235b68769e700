//! Publishing.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;

use super::{Hub, PublishError, large::LargePublish};
use crate::{conn::AnyConn, metrics, transport::Frame, turn};

/// A publish that happens when it is awaited.
///
/// The message was validated and encoded once, for all receivers. Publishing is complete: a slow or
/// failing member changes nothing for the others. When the queue of a member is half full, the
/// future lets other tasks run before it is ready, so that members that read can keep up with a
/// loop that publishes.
///
/// # Cancel safety
///
/// Dropped before it is first polled, it has done nothing; after that, all.
#[must_use = "nothing is published before this is awaited"]
pub struct Publish {
    hub: Hub,
    topic: Box<str>,
    frame: Result<Frame, PublishError>,
    sender: Option<Arc<AnyConn>>,
    except_self: bool,
}

impl Publish {
    pub(super) fn new(hub: Hub, topic: &str, frame: Result<Frame, PublishError>, sender: Option<Arc<AnyConn>>) -> Self {
        Self { hub, topic: topic.into(), frame, sender, except_self: false }
    }

    /// Leaves out the connection that publishes. No effect on a publish by a [`Hub`].
    pub fn except_self(mut self) -> Self {
        self.except_self = true;
        self
    }

    fn begin(self, cx: &mut Context<'_>) -> Result<Step, PublishError> {
        let frame = self.frame?;
        metrics::published();
        #[cfg(feature = "test")]
        self.hub.captures().record(&self.topic, &frame, self.sender.as_ref().map(|sender| sender.id));
        let Some(topic) = self.hub.topic(&self.topic) else {
            return Ok(Step::Delivered(Published { matched: Matched::Exact(0) }, false));
        };
        let sender = self.sender.filter(|_| self.except_self);
        let left_out = sender.as_ref().is_some_and(|sender| sender.subscriptions.lock().contains(&self.topic));
        let (active, large) = topic.reach();
        let matched = active.saturating_sub(usize::from(left_out));
        let published = Published { matched: Matched::Exact(matched) };
        let except = sender.map(|sender| sender.id);
        if large {
            turn::seal();
            let large = LargePublish::begin(&topic, frame, except, cx).ok_or_else(PublishError::overloaded)?;
            return Ok(Step::Large(published, large));
        }
        let pressed = turn::publish(&topic, frame, except).unwrap_or_else(|frame| {
            let pressed = topic.push(&frame, except);
            topic.flush();
            pressed
        });
        Ok(Step::Delivered(published, pressed))
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
    /// To very many members.
    Large(Published, LargePublish),
    /// And whether the queue of one is half full.
    Delivered(Published, bool),
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
                Step::Large(published, mut large) => match large.poll(cx) {
                    Poll::Ready(pressed) => Step::Delivered(published, pressed),
                    Poll::Pending => {
                        self.step = Step::Large(published, large);
                        return Poll::Pending;
                    }
                },
                Step::Delivered(published, false) => return Poll::Ready(Ok(published)),
                Step::Delivered(published, true) => Step::Yield(published, Box::pin(tokio::task::yield_now())),
                Step::Yield(published, mut others) => {
                    if others.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(Ok(published));
                    }
                    self.step = Step::Yield(published, others);
                    return Poll::Pending;
                }
                // Polled after it was ready.
                Step::Done => return Poll::Pending,
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
