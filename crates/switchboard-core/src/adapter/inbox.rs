//! What has arrived and waits for the sink.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::broker::{BrokerSink, Channel, Channels, LinkEvent};

/// Link events and channels of dropped messages that are kept one by one.
const MAX_EVENTS: usize = 1024;
/// Arrivals that are passed on before an `unsubscribe` can end.
const BATCH: usize = 32;

/// A subscription, as an [`Inbox`] has to know it.
///
/// Each message that waits refers to the subscription for which it came, so that none is delivered after
/// [`unsubscribe`](crate::broker::Broker::unsubscribe).
pub trait Subscription {
    /// Returns the channel.
    fn channel(&self) -> &Channel;

    /// Returns whether messages are still delivered. Once this is false, it stays so.
    fn is_active(&self) -> bool;
}

/// A bounded queue between the connection and the sink, so that the connection is always read: a server ends the
/// connection of a subscriber that does not read, and then all its channels have a gap instead of a few.
///
/// Messages that do not fit are dropped, and their channels are reported by [`LinkEvent::Dropped`] before anything that
/// comes later. Up to 1024 link events and 1024 channels with dropped messages are kept; beyond that, the sink is told
/// that all channels have lost messages.
pub struct Inbox<S> {
    max_messages: usize,
    max_bytes: usize,
    waiting: Mutex<Waiting<S>>,
    arrived: Notify,
    /// Is held while the sink is called.
    delivering: tokio::sync::Mutex<()>,
}

struct Waiting<S> {
    arrivals: VecDeque<Arrival<S>>,
    messages: usize,
    bytes: usize,
    events: usize,
    /// Channels with messages that did not fit, to be reported. Everything, once these are too many.
    dropped: Vec<Channel>,
    all_dropped: bool,
    is_closed: bool,
}

enum Arrival<S> {
    Message(Arc<S>, Bytes),
    Link(LinkEvent),
}

impl<S: Subscription> Inbox<S> {
    /// Creates a queue for that many messages, and that many bytes in them. A message that is larger than `max_bytes`
    /// fits when no other waits.
    #[must_use]
    pub fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self {
            max_messages,
            max_bytes,
            waiting: Mutex::new(Waiting::new()),
            arrived: Notify::new(),
            delivering: tokio::sync::Mutex::new(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<S>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a message, or notes that it did not fit. Never waits.
    pub fn message(&self, subscription: &Arc<S>, message: Bytes) {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return;
        }
        let fits = waiting.messages < self.max_messages && waiting.bytes + message.len() <= self.max_bytes;
        if fits || waiting.messages == 0 {
            waiting.messages += 1;
            waiting.bytes += message.len();
            waiting.arrivals.push_back(Arrival::Message(Arc::clone(subscription), message));
        } else {
            waiting.drop_message(subscription.channel());
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Queues a change of the link, behind the messages that came before it. Never waits.
    pub fn link(&self, event: LinkEvent) {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return;
        }
        if waiting.events >= MAX_EVENTS {
            // The sink has been stuck for long. It learns that everything is uncertain, and how the link is now.
            waiting.arrivals.clear();
            (waiting.messages, waiting.bytes, waiting.events) = (0, 0, 0);
            waiting.all_dropped = true;
        }
        waiting.events += 1;
        waiting.arrivals.push_back(Arrival::Link(event));
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Passes on what arrives, for ever: for a task of its own. A panic of the sink is logged, and ends nothing.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what waits is delivered by a later call.
    pub async fn deliver(&self, sink: &dyn BrokerSink) -> Infallible {
        loop {
            let delivering = self.delivering.lock().await;
            let mut passed = 0;
            while passed < BATCH
                && let Some(arrival) = self.next()
            {
                passed += 1;
                // The sink belongs to others, and whatever it left behind is theirs to deal with.
                if catch_unwind(AssertUnwindSafe(|| arrival.pass_to(sink))).is_err() {
                    tracing::error!("the sink of a broker has panicked");
                }
            }
            drop(delivering);
            if passed == 0 {
                self.arrived.notified().await;
            } else {
                tokio::task::yield_now().await;
            }
        }
    }

    fn next(&self) -> Option<Arrival<S>> {
        let mut waiting = self.lock();
        if let Some(event) = waiting.take_dropped() {
            return Some(Arrival::Link(event));
        }
        let next = waiting.arrivals.pop_front();
        match &next {
            Some(Arrival::Message(_, message)) => {
                waiting.messages -= 1;
                waiting.bytes -= message.len();
            }
            Some(Arrival::Link(_)) => waiting.events -= 1,
            None => {}
        }
        next
    }

    /// Waits until the sink is not being called with what arrived before: after the end of a subscription, or of the task
    /// that delivers.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn settled(&self) {
        drop(self.delivering.lock().await);
    }

    /// Discards what waits, and all that comes.
    pub fn close(&self) {
        *self.lock() = Waiting { is_closed: true, ..Waiting::new() };
    }
}

impl<S: Subscription> Arrival<S> {
    fn pass_to(self, sink: &dyn BrokerSink) {
        match self {
            Self::Message(subscription, message) if subscription.is_active() => {
                sink.message(subscription.channel(), message);
            }
            Self::Message(..) => {}
            Self::Link(event) => sink.link(event),
        }
    }
}

impl<S> Waiting<S> {
    fn new() -> Self {
        Self {
            arrivals: VecDeque::new(),
            messages: 0,
            bytes: 0,
            events: 0,
            dropped: Vec::new(),
            all_dropped: false,
            is_closed: false,
        }
    }

    fn drop_message(&mut self, channel: &Channel) {
        if self.all_dropped || self.dropped.contains(channel) {
            return;
        }
        if self.dropped.len() < MAX_EVENTS {
            self.dropped.push(channel.clone());
        } else {
            self.all_dropped = true;
        }
    }

    fn take_dropped(&mut self) -> Option<LinkEvent> {
        let channels = std::mem::take(&mut self.dropped);
        if std::mem::take(&mut self.all_dropped) {
            Some(LinkEvent::Dropped(Channels::All))
        } else if channels.is_empty() {
            None
        } else {
            Some(LinkEvent::Dropped(channels.into()))
        }
    }
}

impl<S> fmt::Debug for Inbox<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("max_messages", &self.max_messages)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    };

    use super::*;

    struct Sink(mpsc::Sender<String>);

    impl BrokerSink for Sink {
        fn message(&self, channel: &Channel, message: Bytes) {
            let _ = self.0.send(format!("{channel} {}", message.len()));
        }

        fn link(&self, event: LinkEvent) {
            let _ = self.0.send(format!("{event:?}"));
        }
    }

    struct Joined {
        channel: Channel,
        is_active: AtomicBool,
    }

    impl Subscription for Joined {
        fn channel(&self) -> &Channel {
            &self.channel
        }

        fn is_active(&self) -> bool {
            self.is_active.load(Ordering::Relaxed)
        }
    }

    fn subscription(name: &str) -> Arc<Joined> {
        Arc::new(Joined { channel: Channel::topic(name).unwrap(), is_active: true.into() })
    }

    async fn delivered(inbox: &Inbox<Joined>) -> Vec<String> {
        let (sender, heard) = mpsc::channel();
        let sink = Sink(sender);
        tokio::select! {
            never = inbox.deliver(&sink) => match never {},
            () = async { while !inbox.lock().arrivals.is_empty() { tokio::task::yield_now().await } } => {}
        }
        heard.try_iter().collect()
    }

    #[tokio::test]
    async fn what_does_not_fit_is_reported_once_for_each_channel() {
        let inbox = Inbox::new(2, 100);
        let (a, b) = (subscription("a"), subscription("b"));
        for _ in 0..2 {
            inbox.message(&a, Bytes::from_static(&[0; 10]));
        }
        for _ in 0..3 {
            inbox.message(&b, Bytes::new());
        }
        let dropped = format!("{:?}", LinkEvent::Dropped([b.channel.clone()].into()));
        assert_eq!(delivered(&inbox).await, [dropped.as_str(), "t:a 10", "t:a 10"]);
        inbox.message(&b, Bytes::new());
        assert_eq!(delivered(&inbox).await, ["t:b 0"]);
    }

    #[tokio::test]
    async fn bytes_are_limited_and_a_large_message_passes_alone() {
        let inbox = Inbox::new(100, 10);
        let a = subscription("a");
        inbox.message(&a, Bytes::from_static(&[0; 50]));
        inbox.message(&a, Bytes::from_static(&[0; 1]));
        assert_eq!(delivered(&inbox).await.len(), 2, "the large message and the report");
    }

    #[tokio::test]
    async fn messages_of_an_ended_subscription_are_not_delivered() {
        let inbox = Inbox::new(100, 100);
        let a = subscription("a");
        inbox.message(&a, Bytes::new());
        a.is_active.store(false, Ordering::Relaxed);
        assert!(delivered(&inbox).await.is_empty());
    }

    #[tokio::test]
    async fn a_sink_that_is_stuck_learns_the_present_state() {
        let inbox = Inbox::new(100, 100);
        for _ in 0..=MAX_EVENTS {
            inbox.link(LinkEvent::Connected);
        }
        assert_eq!(delivered(&inbox).await, ["Dropped(All)", "Connected"]);
    }
    /// Panics at each message.
    struct Panics(mpsc::Sender<()>);

    impl BrokerSink for Panics {
        fn message(&self, _: &Channel, _: Bytes) {
            let _ = self.0.send(());
            panic!("a sink of a test");
        }

        fn link(&self, _: LinkEvent) {}
    }

    #[tokio::test]
    async fn a_sink_that_panics_gets_the_next_message_all_the_same() {
        let inbox = Inbox::new(100, 100);
        let a = subscription("a");
        (0..3).for_each(|_| inbox.message(&a, Bytes::new()));
        let (sender, called) = mpsc::channel();
        let sink = Panics(sender);
        tokio::select! {
            never = inbox.deliver(&sink) => match never {},
            () = async { while !inbox.lock().arrivals.is_empty() { tokio::task::yield_now().await } } => {}
        }
        assert_eq!(called.try_iter().count(), 3);
    }

    #[tokio::test]
    async fn after_its_end_nothing_is_delivered() {
        let inbox = Inbox::new(100, 100);
        let a = subscription("a");
        inbox.message(&a, Bytes::new());
        inbox.close();
        inbox.message(&a, Bytes::new());
        inbox.link(LinkEvent::Connected);
        assert!(delivered(&inbox).await.is_empty());
    }

    /// The limits are for what waits at once, not for all that ever came.
    #[tokio::test]
    async fn delivered_messages_make_room_for_others() {
        let inbox = Inbox::new(2, 100);
        let a = subscription("a");
        for n in 0..10 {
            inbox.message(&a, Bytes::from_static(&[0; 40]));
            inbox.message(&a, Bytes::from_static(&[0; 50]));
            assert_eq!(delivered(&inbox).await, ["t:a 40", "t:a 50"], "{n}");
        }
    }

    #[tokio::test]
    async fn delivered_events_make_room_for_others() {
        let inbox = Inbox::new(100, 100);
        let event = LinkEvent::Restored(Channels::All);
        for n in 0..3 * MAX_EVENTS / 2 {
            inbox.link(event.clone());
            assert_eq!(delivered(&inbox).await, [format!("{event:?}")], "{n}");
        }
    }
}
