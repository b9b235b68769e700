//! A connection as a subscriber of topics.

use std::{any::Any, sync::Arc};

use crate::{
    conn::{ConnId, ConnInner},
    fanout::{Subscriber, Topic},
    hub::{Filter, TopicRule},
    outbox::Outbox,
    transport::Socket,
    wire::{Frame, Variants},
};

// For any lifetime, because the compiler does not always know that the type inside a future is
// `'static`.
impl<'a> Subscriber for ConnInner<dyn Any + Send + Sync + 'a> {
    type Sink = Arc<Socket>;
    type Id = ConnId;
    type Filter = Filter;
    type Rule = TopicRule;

    #[inline]
    fn id(&self) -> ConnId {
        self.id
    }

    #[inline]
    fn outbox(&self) -> &Outbox<Arc<Socket>> {
        &self.outbox
    }

    #[inline]
    fn variant(&self, frame: &Frame, variants: &mut Variants) -> Option<Frame> {
        ConnInner::variant(self, frame, variants)
    }

    fn check_size(&self, frame: &Frame) {
        ConnInner::check_size(self, frame);
    }

    fn write_early(&self) {
        ConnInner::write_early(self);
    }

    fn make_room(&self, cost: usize) {
        ConnInner::make_room(self, cost);
    }

    fn gap(&self, topic: &str) -> Option<Frame> {
        ConnInner::gap(self, topic)
    }

    fn moved(&self, topic: &Topic<Self>, from: usize, to: usize) -> bool {
        self.move_subscription(topic, from, to)
    }
}
