//! Publishing where not all members get the same: filters, and policies for slow consumers.

use std::{
    any::Any,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use switchboard_core::Message;

use super::{
    Hub, Member as MemberView, PublishError, Topic,
    rules::Rule,
    topic::{Member, Reached},
};
use crate::{
    conn::{ConnId, Mark, Promise, Pushed},
    transport::{Frame, Variants},
};

/// So many members are looked at before other tasks get their turn.
pub(super) const PORTION: usize = if cfg!(test) { 64 } else { 1024 };

/// What is special about one publish. Plain ones do without.
pub(super) struct Special {
    pub(super) rule: Option<Arc<Rule>>,
    /// For filters, if the topic may have any for this type of message.
    message: Option<Arc<dyn Any + Send + Sync>>,
    /// What may become of it while it waits.
    mark: Option<Arc<Mark>>,
}

impl Hub {
    /// Whether there is anything by which a publish could be special.
    pub(super) fn may_be_special(&self) -> bool {
        !self.0.rules.is_empty() || self.0.filters.load(Relaxed) > 0
    }

    /// What is special about publishing this message to a topic, if anything is.
    pub(super) fn special<M: Message>(&self, topic: &str, message: M) -> Result<Option<Box<Special>>, PublishError> {
        let rule = self.0.rules.find(topic);
        if let Some(rule) = rule.filter(|rule| !rule.allows_name(topic)) {
            return Err(PublishError::not_allowed(topic, rule.pattern()));
        }
        let mark = rule.and_then(|rule| rule.mark(topic, &message));
        let filtered = rule.is_some_and(|rule| rule.filters::<M>())
            || (self.0.filters.load(Relaxed) > 0 && self.topic(topic).is_some_and(|topic| topic.has_filters()));
        let message = filtered.then(|| Arc::new(message) as Arc<dyn Any + Send + Sync>);
        if rule.is_none() && message.is_none() {
            return Ok(None);
        }
        Ok(Some(Box::new(Special { rule: rule.cloned(), message, mark })))
    }
}

impl Special {
    /// Whether each member has to be looked at.
    pub(super) fn is_selective(&self) -> bool {
        self.message.is_some() || self.mark.is_some()
    }

    fn passes(&self, member: &Member) -> bool {
        let Some(message) = &self.message else { return member.filter.is_none() };
        let rules = self.rule.iter().flat_map(|rule| &rule.options.filters);
        let mut filters = rules.chain(&member.filter).peekable();
        filters.peek().is_none() || {
            let view = MemberView::new(Arc::clone(&member.conn));
            filters.all(|filter| filter.passes(&view, &**message))
        }
    }

    /// Puts the frame into the queues of those members that are to get it, of those from this key
    /// on, but for memberships from this number on. The key to go on from, unless that were all.
    ///
    /// No application code runs under the topic's lock: members are copied out, looked at, and
    /// those that are still there get it.
    pub(super) fn push_portion(
        &self,
        topic: &Topic,
        frame: &Frame,
        except: Option<ConnId>,
        before: u64,
        start: usize,
        reached: &mut Reached,
    ) -> Option<usize> {
        let mut members = Vec::new();
        let next = topic.members(start, PORTION, &mut members);
        members.retain(|member| member.number < before && except != Some(member.conn.id) && self.passes(member));
        let (mut full, mut variants) = (Vec::new(), Variants::default());
        topic.push_to(&members, |member| {
            let Some(frame) = member.conn.variant(frame, &mut variants) else { return };
            let outbox = &member.conn.outbox;
            let pushed = match &self.mark {
                Some(mark) => outbox.push_marked(frame.clone(), mark, Promise::Caller),
                None => outbox.push(frame.clone(), Promise::Caller),
            };
            reached.matched += usize::from(pushed != Pushed::Closed);
            match pushed {
                Pushed::Queued | Pushed::Ripe | Pushed::Closed => {}
                Pushed::Pressed => reached.pressed = true,
                Pushed::Full => full.push((member, frame)),
            }
        });
        reached.pressed |= !full.is_empty();
        for (member, frame) in full {
            match &self.mark {
                Some(mark) => self.push_again(topic, member, &frame, mark),
                None => topic.push_again(&frame, member.key, member.number, &member.conn),
            }
        }
        next
    }

    /// Once more to a member whose queue was full: what waits may fit into the socket, and else
    /// something has to go.
    fn push_again(&self, topic: &Topic, member: &Member, frame: &Frame, mark: &Arc<Mark>) {
        let conn = &member.conn;
        conn.check_size(frame);
        conn.write_early();
        topic.push_to([member], |_| {
            conn.outbox.push_dropping(frame.clone(), mark, |topic| conn.gap(topic), Promise::Owner);
        });
        conn.write_early();
    }
}

#[cfg(test)]
mod tests;
