//! What has arrived and waits for the sink.
//!
//! Between the connection and the sink there is a bounded queue, so that the connection is always read: a server ends
//! the connection of a subscriber that does not read, and then all its channels have a gap instead of a few.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use switchboard_core::broker::{BrokerSink, Channel, Channels, LinkEvent};
use tokio::sync::Notify;

use crate::table::Subscription;

/// Link events and channels of dropped messages that are kept one by one.
const MAX_EVENTS: usize = 1024;
/// Arrivals that are passed on before an `unsubscribe` can end.
const BATCH: usize = 32;

#[derive(Debug)]
pub(crate) struct Inbox {
    max_messages: usize,
    max_bytes: usize,
    waiting: Mutex<Waiting>,
    arrived: Notify,
    /// Is held while the sink is called.
    delivering: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    arrivals: VecDeque<Arrival>,
    messages: usize,
    bytes: usize,
    events: usize,
    /// Channels with messages that did not fit, to be reported. Everything, once these are too many.
    dropped: Vec<Channel>,
    all_dropped: bool,
    is_closed: bool,
}

#[derive(Debug)]
enum Arrival {
    Message(Arc<Subscription>, Bytes),
    Link(LinkEvent),
}

impl Inbox {
    pub(crate) fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self {
            max_messages,
            max_bytes,
            waiting: Mutex::default(),
            arrived: Notify::new(),
            delivering: tokio::sync::Mutex::new(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a message, or notes that it did not fit.
    pub(crate) fn message(&self, subscription: &Arc<Subscription>, message: Bytes) {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return;
        }
        let fits = waiting.messages < self.max_messages && waiting.bytes + message.len() <= self.max_bytes;
        // A message that is larger than the limit passes alone.
        if fits || waiting.messages == 0 {
            waiting.messages += 1;
            waiting.bytes += message.len();
            waiting.arrivals.push_back(Arrival::Message(Arc::clone(subscription), message));
        } else {
            waiting.drop_message(&subscription.channel);
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    pub(crate) fn link(&self, event: LinkEvent) {
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

    /// Passes on what arrives, for ever.
    pub(crate) async fn deliver(&self, sink: &dyn BrokerSink) {
        loop {
            let delivering = self.delivering.lock().await;
            let mut passed = 0;
            while passed < BATCH
                && let Some(arrival) = self.next()
            {
                passed += 1;
                match arrival {
                    Arrival::Message(subscription, message) => {
                        if subscription.is_active() {
                            sink.message(&subscription.channel, message);
                        }
                    }
                    Arrival::Link(event) => sink.link(event),
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

    fn next(&self) -> Option<Arrival> {
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

    /// Waits until the sink is not being called with what arrived before.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn settled(&self) {
        drop(self.delivering.lock().await);
    }

    /// Discards what waits, and all that comes.
    pub(crate) fn close(&self) {
        *self.lock() = Waiting { is_closed: true, ..Waiting::default() };
    }
}

impl Waiting {
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

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

    fn subscription(name: &str) -> Arc<Subscription> {
        Arc::new(Subscription::new(Channel::topic(name).unwrap(), name.to_owned(), None))
    }

    async fn delivered(inbox: &Inbox) -> Vec<String> {
        let (sender, heard) = mpsc::channel();
        let sink = Sink(sender);
        tokio::select! {
            () = inbox.deliver(&sink) => unreachable!("delivers for ever"),
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
        a.end();
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
}
