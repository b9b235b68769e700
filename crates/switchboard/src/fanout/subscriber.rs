//! What a topic needs of its members.

use super::Topic;
use crate::{
    outbox::{Outbox, Sink},
    wire::{Frame, Variants},
};

/// A member of topics, which has a queue of what is to be written to it.
pub(crate) trait Subscriber: Send + Sync {
    type Sink: Sink;
    /// Tells members apart.
    type Id: Copy + Eq + Send + Sync + 'static;
    /// What one membership lets through.
    type Filter: Clone + Send + Sync + 'static;
    /// What holds for a topic, and is kept with it.
    type Rule: Send + Sync + 'static;

    fn id(&self) -> Self::Id;

    fn outbox(&self) -> &Outbox<Self::Sink>;

    /// A frame in the form that it takes, of those that were made before if it is among them. `None` if
    /// it cannot be had so.
    fn variant(&self, frame: &Frame, variants: &mut Variants) -> Option<Frame>;

    /// Says what to do about a frame that no queue takes.
    fn check_size(&self, frame: &Frame);

    /// Writes what waits, as far as that goes now.
    fn write_early(&self);

    /// Drops what may be lost, where so much more does not fit.
    fn make_room(&self, cost: usize);

    /// What tells it that messages of a topic were lost, if it understands that.
    fn gap(&self, topic: &str) -> Option<Frame>;

    /// It is to have another key in a topic. `false` if that is not possible now.
    fn moved(&self, topic: &Topic<Self>, from: usize, to: usize) -> bool;
}
