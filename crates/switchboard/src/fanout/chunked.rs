//! Publishing to a very large topic, in chunks.

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

/// The maximum number of publishes to one topic that are in progress or waiting.
const MAX_WAITING: usize = 1024;

/// Counts a publish that is in progress or waiting.
struct PendingPublish<M: ?Sized + Subscriber>(Arc<Topic<M>>);

impl<M: ?Sized + Subscriber> PendingPublish<M> {
    fn enter(topic: &Arc<Topic<M>>) -> Option<Self> {
        let before = topic.waiting().fetch_add(1, Relaxed);
        let this = Self(Arc::clone(topic));
        (before < MAX_WAITING).then_some(this)
    }
}

impl<M: ?Sized + Subscriber> Drop for PendingPublish<M> {
    fn drop(&mut self) {
        self.0.waiting().fetch_sub(1, Relaxed);
    }
}

/// A frame to queue for a topic's members.
pub(crate) struct Delivery<M: ?Sized + Subscriber> {
    frame: Frame,
    except: Option<M::Id>,
    /// Memberships numbered from this on began after the publish and do not get it.
    before: u64,
    /// Set if members are treated differently.
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

    /// Queues the frame for all members at once.
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

/// A publish with a fixed position in the topic's order. It completes even if this is dropped.
pub(crate) enum ChunkedPublish {
    Task(JoinHandle<Reached>),
    Ready(Reached),
}

impl ChunkedPublish {
    /// Takes the next position in the topic's order. Returns `None` if too many publishes wait.
    pub(crate) fn begin<M: ?Sized + Subscriber + 'static>(
        topic: &Arc<Topic<M>>,
        delivery: Delivery<M>,
        cx: &mut Context<'_>,
    ) -> Option<Self> {
        let is_small = delivery.selective.is_some() && !topic.is_large(SELECTIVE_CHUNK);
        if is_small || tokio::runtime::Handle::try_current().is_err() {
            // A single chunk, or no runtime to spawn a task on.
            return Some(Self::Ready(delivery.push(topic)));
        }
        let pending = PendingPublish::enter(topic)?;
        // Unconstrained, since tokio's task budget must not keep the first poll from queueing for
        // the lock.
        let mut publish: Pin<Box<dyn Future<Output = Reached> + Send>> = Box::pin(unconstrained(async move {
            let topic = &pending.0;
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
            // The task fails only if the runtime has shut down.
            Self::Task(task) => Pin::new(task).poll(cx).map(Result::unwrap_or_default),
            Self::Ready(reached) => Poll::Ready(*reached),
        }
    }
}
