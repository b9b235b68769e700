//! From the bus to the subscribers of this node.

use std::{
    sync::Arc,
    task::{Context, Waker},
};

use switchboard_cluster::{Delivery, GapReason};

use super::{groups::Groups, payload};
use crate::{
    conn::{AnyConn, ConnId, gap_frame},
    fanout::{self, ChunkedPublish, Flush as _, PUSH_CHUNK, Selective},
    hub::{
        Hub, Topic,
        publish::{Audience, Outgoing},
    },
};

/// Queues messages for subscribers, and writes them at the end of a batch: consecutive messages of a topic are one write
/// for each subscriber.
#[derive(Default)]
pub(super) struct Deliveries {
    groups: Groups,
    /// Topics with queued messages.
    queued: Vec<Arc<Topic>>,
    /// Topics that were too busy to take a message, and whose subscribers are to be told.
    overflowed: Vec<Arc<Topic>>,
}

impl Deliveries {
    /// Queues a message for the subscribers of its topic.
    pub(super) fn deliver(&mut self, hub: &Hub, delivery: Delivery) {
        let Some(topic) = hub.find_topic(delivery.topic.as_str()) else { return };
        let Some((frame, group)) = payload::decode(&delivery.payload) else {
            hub.warn_limited("a message of another node could not be read: it may run another version");
            return;
        };
        let message = Outgoing::new(delivery.message_type.into_string(), frame.clone());
        let mut audience = group.map_or_else(Audience::default, |group| self.groups.audience(group));
        let mut except = None;
        match &delivery.except[..] {
            [one] => except = Some(ConnId::from_bytes(*one)),
            several => audience.except.extend(several.iter().copied().map(ConnId::from_bytes)),
        }
        let selective = hub.selection(&topic, message, audience, delivery.conflation_key);
        if selective.is_none() && topic.push(&frame, except, PUSH_CHUNK).is_some() {
            self.note(topic);
        } else {
            self.chunked(&topic, fanout::Delivery::new(&topic, frame, except, selective));
        }
    }

    /// Tells the subscribers of a topic that messages were lost.
    pub(super) fn gap(&mut self, hub: &Hub, name: &str, reason: GapReason) {
        let Some(topic) = hub.find_topic(name) else { return };
        let reason = match reason {
            GapReason::Broker => "broker",
            GapReason::Overflow => "overflow",
            _ => "loss",
        };
        if let Some(suppressed) = hub.may_log() {
            tracing::warn!(topic = name, reason, suppressed, "messages of a topic were lost on the way to this node");
        }
        self.tell(&topic, reason);
    }

    /// Returns whether the topic has taken the notice.
    fn tell(&mut self, topic: &Arc<Topic>, reason: &str) -> bool {
        let Some(frame) = gap_frame(topic.name(), reason) else { return true };
        // Clients of the plain dialect know no such message.
        let passes = |conn: &Arc<AnyConn>, _: Option<&_>| conn.dialect.extended;
        let selective = Selective::new(Some(Box::new(passes)), None);
        self.chunked(topic, fanout::Delivery::new(topic, frame, None, selective))
    }

    /// Takes the next place in a topic's order, for a message that is not the same to all, or goes to many. Returns
    /// `false` if too many wait there: then its subscribers are told later.
    fn chunked(&mut self, topic: &Arc<Topic>, delivery: fanout::Delivery<AnyConn>) -> bool {
        // It completes by itself, in a task of its own if it cannot at once.
        let begun = ChunkedPublish::begin(topic, delivery, &mut Context::from_waker(Waker::noop())).is_some();
        if !begun && !self.overflowed.iter().any(|other| Arc::ptr_eq(other, topic)) {
            self.overflowed.push(Arc::clone(topic));
        }
        begun
    }

    fn note(&mut self, topic: Arc<Topic>) {
        if !self.queued.iter().any(|other| Arc::ptr_eq(other, &topic)) {
            self.queued.push(topic);
        }
    }

    /// Writes what is queued.
    pub(super) fn flush(&mut self) {
        for topic in self.queued.drain(..) {
            topic.flush();
        }
        // Those that are still busy are noted again.
        for topic in std::mem::take(&mut self.overflowed) {
            self.tell(&topic, "overflow");
        }
    }
}
