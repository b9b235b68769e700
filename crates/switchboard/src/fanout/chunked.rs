//! Publishing to a topic with very many members, in portions.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll},
};

use tokio::task::{JoinHandle, unconstrained, yield_now};
use tracing::Instrument as _;

use super::{Flush as _, IterGuard, Reached, Selective, Subscriber, Topic, selective::CHUNK as SELECTIVE_CHUNK, turn};
use crate::wire::Frame;

/// How many publishes to one topic may wait, each with its message.
const MAX_WAITING: usize = 1024;

/// A publish that waits or is under way.
struct Waiting<M: ?Sized + Subscriber>(Arc<Topic<M>>);

impl<M: ?Sized + Subscriber> Waiting<M> {
    fn enter(topic: &Arc<Topic<M>>) -> Option<Self> {
        let before = topic.waiting().fetch_add(1, Relaxed);
        let this = Self(Arc::clone(topic));
        (before < MAX_WAITING).then_some(this)
    }
}

impl<M: ?Sized + Subscriber> Drop for Waiting<M> {
    fn drop(&mut self) {
        self.0.waiting().fetch_sub(1, Relaxed);
    }
}

/// What is to be put into queues.
pub(crate) struct Delivery<M: ?Sized + Subscriber> {
    frame: Frame,
    except: Option<M::Id>,
    /// Memberships from this number on began after it.
    before: u64,
    /// Where not all members get the same.
    selective: Option<Box<Selective<M>>>,
}

impl<M: ?Sized + Subscriber + 'static> Delivery<M> {
    pub(crate) fn new(
        topic: &Topic<M>,
        frame: Frame,
        except: Option<M::Id>,
        selective: Option<Box<Selective<M>>>,
    ) -> Self {
        Self { frame, except, before: topic.next_number(), selective }
    }

    fn push_chunk(&self, topic: &Topic<M>, start: usize, reached: &mut Reached) -> Option<usize> {
        match &self.selective {
            Some(selective) => selective.push_chunk(topic, &self.frame, self.except, self.before, start, reached),
            None => topic.push_chunk(&self.frame, self.except, self.before, start, reached),
        }
    }

    /// All at once.
    fn push(&self, topic: &Arc<Topic<M>>) -> Reached {
        let guard = IterGuard::begin(&**topic);
        let mut reached = Reached::default();
        let mut next = Some(0);
        while let Some(start) = next {
            next = self.push_chunk(topic, start, &mut reached);
        }
        drop(guard);
        turn::flush(Arc::<Topic<M>>::clone(topic));
        reached
    }
}

/// A publish that has its place in the topic's order. It runs to its end, also when this future is
/// dropped.
pub(crate) enum ChunkedPublish {
    Task(JoinHandle<Reached>),
    Ready(Reached),
}

impl ChunkedPublish {
    /// Takes the next place in the order. `None` if there are too many before it.
    pub(crate) fn begin<M: ?Sized + Subscriber + 'static>(
        topic: &Arc<Topic<M>>,
        delivery: Delivery<M>,
        cx: &mut Context<'_>,
    ) -> Option<Self> {
        let is_small = delivery.selective.is_some() && !topic.is_large(SELECTIVE_CHUNK);
        if is_small || tokio::runtime::Handle::try_current().is_err() {
            // One portion, or nothing to run it on but this.
            return Some(Self::Ready(delivery.push(topic)));
        }
        let waiting = Waiting::enter(topic)?;
        // Unconstrained, since the first poll must take the place in the order.
        let mut publish: Pin<Box<dyn Future<Output = Reached> + Send>> = Box::pin(unconstrained(async move {
            let topic = &waiting.0;
            let _turn = Arc::clone(topic.publish_queue()).lock_owned().await;
            let _guard = IterGuard::begin(Arc::clone(topic));
            let mut reached = Reached::default();
            let mut next = Some(0);
            while let Some(start) = next {
                next = delivery.push_chunk(topic, start, &mut reached);
                Arc::clone(topic).flush();
                if next.is_some() {
                    yield_now().await;
                }
            }
            reached
        }));
        Some(match publish.as_mut().poll(cx) {
            Poll::Ready(reached) => Self::Ready(reached),
            Poll::Pending => Self::Task(tokio::spawn(publish.in_current_span())),
        })
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Reached> {
        match self {
            // The task is gone only if the runtime has ended.
            Self::Task(task) => Pin::new(task).poll(cx).map(Result::unwrap_or_default),
            Self::Ready(reached) => Poll::Ready(*reached),
        }
    }
}
