//! The interface between a topic and its members.

use super::Topic;
use crate::{
    outbox::{Outbox, Sink},
    wire::{Frame, Variants},
};

/// A member of topics, with an outbound queue.
pub(crate) trait Subscriber: Send + Sync {
    type Sink: Sink;
    /// Identifies a member.
    type Id: Copy + Eq + Send + Sync + 'static;
    /// The filter of one membership.
    type Filter: Clone + Send + Sync + 'static;
    /// The rule of a topic, kept with it.
    type Rule: Send + Sync + 'static;

    fn id(&self) -> Self::Id;

    fn outbox(&self) -> &Outbox<Self::Sink>;

    /// Returns the frame in the member's envelope, reusing one of `variants` if possible, or `None`
    /// if the frame cannot be converted.
    fn variant(&self, frame: &Frame, variants: &mut Variants) -> Option<Frame>;

    /// Logs what to do if a frame is too large for any queue.
    fn check_size(&self, frame: &Frame);

    /// Writes queued frames, as far as the socket accepts them now.
    fn write_early(&self);

    /// Drops droppable frames if `cost` does not fit.
    fn make_room(&self, cost: usize);

    /// Returns the gap notice for dropped messages of a topic, if the member understands it.
    fn gap(&self, topic: &str) -> Option<Frame>;

    /// Changes the member's key in a topic. Returns `false` if that is impossible now.
    fn moved(&self, topic: &Topic<Self>, from: usize, to: usize) -> bool;
}
