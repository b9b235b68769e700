//! Publishing where members are treated differently: filters, and policies for slow consumers.

use std::sync::Arc;

use super::{Reached, Subscriber, Topic, topic::Member};
use crate::{
    outbox::{DiscardPolicy, FlushBy, Pushed},
    wire::{Frame, Variants},
};

/// How many slots of members are visited before the task yields.
pub(super) const CHUNK: usize = if cfg!(test) { 64 } else { 1024 };

/// Decides whether a member gets a message, given the filter of its membership.
type Passes<M> = dyn Fn(&Arc<M>, Option<&<M as Subscriber>::Filter>) -> bool + Send + Sync;

/// The filter and the policy of a publish that needs either.
pub(crate) struct Selective<M: ?Sized + Subscriber> {
    /// `None` if the topic has no filters for this type of message. A member that has subscribed
    /// with a filter since then does not get it.
    passes: Option<Box<Passes<M>>>,
    /// The policy for slow consumers.
    policy: Option<Arc<DiscardPolicy>>,
}

impl<M: ?Sized + Subscriber> Selective<M> {
    /// Returns `None` if all members are treated alike.
    pub(crate) fn new(passes: Option<Box<Passes<M>>>, policy: Option<Arc<DiscardPolicy>>) -> Option<Box<Self>> {
        (passes.is_some() || policy.is_some()).then(|| Box::new(Self { passes, policy }))
    }

    fn passes(&self, member: &Member<M>) -> bool {
        match &self.passes {
            Some(passes) => passes(&member.subscriber, member.filter.as_ref()),
            None => member.filter.is_none(),
        }
    }

    /// Queues a frame for a chunk of the members from key `start` on that pass the filter, except
    /// memberships numbered `before` or higher. Returns the key to continue from, if there are
    /// more.
    ///
    /// No application code runs under the topic's lock: members are copied, filtered without the
    /// lock, and those that are still members get the frame.
    pub(super) fn push_chunk(
        &self,
        topic: &Topic<M>,
        frame: &Frame,
        except: Option<M::Id>,
        before: u64,
        start: usize,
        reached: &mut Reached,
    ) -> Option<usize> {
        let mut members = Vec::new();
        let next = topic.members(start, CHUNK, &mut members);
        members
            .retain(|member| member.number < before && except != Some(member.subscriber.id()) && self.passes(member));
        let (mut full, mut variants) = (Vec::new(), Variants::default());
        topic.push_to(&members, |member| {
            let Some(frame) = member.subscriber.variant(frame, &mut variants) else { return };
            let outbox = member.subscriber.outbox();
            let pushed = match &self.policy {
                Some(policy) => outbox.push_discardable(frame.clone(), policy, FlushBy::Caller),
                None => outbox.push(frame.clone(), FlushBy::Caller),
            };
            reached.matched += usize::from(pushed != Pushed::Closed);
            match pushed {
                Pushed::Queued | Pushed::WriteNow | Pushed::Closed => {}
                Pushed::AboveWatermark => reached.pressed = true,
                Pushed::NoRoom => full.push((member, frame)),
            }
        });
        reached.pressed |= !full.is_empty();
        for (member, frame) in full {
            match &self.policy {
                Some(policy) => self.push_again(topic, member, &frame, policy),
                None => topic.push_again(&frame, member.key, member.number, &member.subscriber),
            }
        }
        next
    }

    /// Queues a frame for a member whose queue was full, after writing as much as its socket
    /// accepts. If it still does not fit, something is dropped.
    fn push_again(&self, topic: &Topic<M>, member: &Member<M>, frame: &Frame, policy: &Arc<DiscardPolicy>) {
        let subscriber = &member.subscriber;
        subscriber.check_size(frame);
        subscriber.write_early();
        topic.push_to([member], |_| {
            subscriber.outbox().push_dropping(frame.clone(), policy, |topic| subscriber.gap(topic), FlushBy::Owner);
        });
        subscriber.write_early();
    }
}
