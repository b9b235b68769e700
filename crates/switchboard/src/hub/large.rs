//! Publishing to a topic with very many members, in portions.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll},
};

use tokio::task::{JoinHandle, unconstrained, yield_now};
use tracing::Instrument as _;

use super::{
    Topic,
    special::{PORTION, Special},
    topic::{Reached, Walk},
};
use crate::{conn::ConnId, transport::Frame, turn};

/// So many publishes to one topic may wait for their turn, each with its message.
const MAX_WAITING: usize = 1024;

/// One that waits or goes on.
struct Waiting(Arc<Topic>);

impl Waiting {
    fn enter(topic: &Arc<Topic>) -> Option<Self> {
        let before = topic.waiting().fetch_add(1, Relaxed);
        let this = Self(Arc::clone(topic));
        (before < MAX_WAITING).then_some(this)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting().fetch_sub(1, Relaxed);
    }
}

/// What is to be put into queues.
pub(super) struct Delivery {
    frame: Frame,
    except: Option<ConnId>,
    /// Memberships from this number on began after it.
    before: u64,
    /// Where not all members get the same.
    special: Option<Box<Special>>,
}

impl Delivery {
    pub(super) fn new(topic: &Topic, frame: Frame, except: Option<ConnId>, special: Option<Box<Special>>) -> Self {
        Self { frame, except, before: topic.next_number(), special }
    }

    fn push_portion(&self, topic: &Topic, start: usize, reached: &mut Reached) -> Option<usize> {
        match &self.special {
            Some(special) => special.push_portion(topic, &self.frame, self.except, self.before, start, reached),
            None => topic.push_portion(&self.frame, self.except, self.before, start, reached),
        }
    }

    /// All at once.
    fn push(&self, topic: &Arc<Topic>) -> Reached {
        let walk = Walk::begin(&**topic);
        let mut reached = Reached::default();
        let mut next = Some(0);
        while let Some(start) = next {
            next = self.push_portion(topic, start, &mut reached);
        }
        drop(walk);
        turn::flush(Arc::clone(topic));
        reached
    }
}

/// A publish that has its place in the topic's order and goes on to its end, whatever becomes of
/// this future.
pub(super) enum LargePublish {
    Task(JoinHandle<Reached>),
    Ready(Reached),
}

impl LargePublish {
    /// Takes the next place in the order. `None` if there are too many before it.
    pub(super) fn begin(topic: &Arc<Topic>, delivery: Delivery, cx: &mut Context<'_>) -> Option<Self> {
        let is_small = delivery.special.is_some() && !topic.is_large(PORTION);
        if is_small || tokio::runtime::Handle::try_current().is_err() {
            // One portion, or nothing to run it on but this.
            return Some(Self::Ready(delivery.push(topic)));
        }
        let waiting = Waiting::enter(topic)?;
        // Not to be put off to a later poll for having done much in this one: the first takes the place.
        let mut publish: Pin<Box<dyn Future<Output = Reached> + Send>> = Box::pin(unconstrained(async move {
            let topic = &waiting.0;
            let _place = Arc::clone(topic.turnstile()).lock_owned().await;
            let _walk = Walk::begin(Arc::clone(topic));
            let mut reached = Reached::default();
            let mut next = Some(0);
            while let Some(start) = next {
                next = delivery.push_portion(topic, start, &mut reached);
                topic.flush();
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

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Reached> {
        match self {
            // A task that is gone because the runtime ends has nobody to wait for.
            Self::Task(task) => Pin::new(task).poll(cx).map(Result::unwrap_or_default),
            Self::Ready(reached) => Poll::Ready(*reached),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::IntoFuture as _, pin::pin, sync::atomic::AtomicBool, task::Waker};

    use super::*;
    use crate::{
        Hub,
        hub::{
            PublishFuture,
            testing::{member, received},
        },
    };

    /// More than three portions.
    const MEMBERS: usize = 200;

    fn publish(hub: &Hub, text: &str) -> PublishFuture {
        crate::Publish::new(hub.clone(), "t", Ok(Frame::text(text)), None, None).into_future()
    }

    #[tokio::test]
    async fn all_members_get_all_in_order_also_of_a_publisher_that_is_dropped() {
        let hub = Hub::new();
        let members: Vec<_> = (0..MEMBERS).map(|_| member(&hub)).collect();
        for member in &members {
            hub.subscribe_now(member, "t", &mut None).unwrap().unwrap();
        }
        for text in ["a", "b"] {
            let mut publish = pin!(publish(&hub, text));
            let first = publish.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(first.is_pending(), "it goes in portions");
        }
        let published = publish(&hub, "c").await.unwrap();
        assert_eq!(published.count(), Some(MEMBERS));
        for member in &members {
            assert_eq!(received(member), ["a", "b", "c"]);
        }
    }

    #[tokio::test]
    async fn nothing_arrives_after_unsubscribing_in_between() {
        let hub = Hub::new();
        let members: Vec<_> = (0..MEMBERS).map(|_| member(&hub)).collect();
        for member in &members {
            hub.subscribe_now(member, "t", &mut None).unwrap().unwrap();
        }
        let mut publish = pin!(publish(&hub, "a"));
        assert!(publish.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let last = &members[MEMBERS - 1];
        hub.unsubscribe_now(&**last, "t").unwrap().unwrap();
        publish.await.unwrap();
        assert!(received(last).is_empty());
        assert_eq!(received(&members[MEMBERS - 2]), ["a"]);
    }

    #[tokio::test]
    async fn attack_a5_memberships_that_begin_meanwhile_get_nothing_of_it() {
        let hub = Hub::new();
        let members: Vec<_> = (0..MEMBERS).map(|_| member(&hub)).collect();
        let join = |member| hub.subscribe_now(member, "t", &mut None).unwrap().unwrap();
        for member in &members {
            join(member);
        }
        // The second waits for the first, and is not for those either that come then.
        let mut publishes = ["a", "b"].map(|text| Box::pin(publish(&hub, text)));
        for publish in &mut publishes {
            assert!(publish.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        let (reached, first) = (&members[0], member(&hub));
        assert_eq!(received(reached), ["a"]);
        hub.unsubscribe_now(&**reached, "t").unwrap().unwrap();
        // In the place that became free, so that the other gets one behind all.
        join(&first);
        join(reached);
        for publish in publishes {
            publish.await.unwrap();
        }
        publish(&hub, "c").await.unwrap();
        for member in [reached, &first] {
            assert_eq!(received(member), ["c"]);
        }
        assert_eq!(received(&members[1]), ["a", "b", "c"]);
    }

    /// Without a runtime nothing goes on with a flush in the background.
    #[test]
    fn attack_b16_a_flush_without_a_runtime_ends_whatever_others_publish() {
        let hub = Hub::new();
        let members: Vec<_> = (0..MEMBERS).map(|_| member(&hub)).collect();
        for member in &members {
            hub.subscribe_now(member, "t", &mut None).unwrap().unwrap();
        }
        let topic = hub.topic("t").unwrap();
        let frame = Frame::text("a");
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let others = scope.spawn(|| {
                while !is_done.load(Relaxed) {
                    topic.push(&frame, None, usize::MAX);
                }
            });
            for _ in 0..10 {
                topic.flush();
            }
            is_done.store(true, Relaxed);
            others.join().unwrap();
        });
    }
}
