//! An index of discardable frames, for queues with many of them.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::discardable::{DiscardPolicy, Discardable, Numbered, Positions};

#[derive(Debug, Default)]
pub(super) struct Index {
    /// The latest frame of each key.
    latest: HashMap<Arc<DiscardPolicy>, u64>,
    /// Earlier frames that a later one could not replace because they were being written.
    superseded: HashMap<Arc<DiscardPolicy>, Vec<u64>>,
    topics: HashMap<Box<str>, TopicFrames>,
}

#[derive(Debug, Default)]
struct TopicFrames {
    /// Droppable frames, the oldest first. May contain some that are gone.
    droppable: VecDeque<u64>,
    /// The last gap notice.
    gap: Option<u64>,
}

impl TopicFrames {
    fn oldest(&mut self, list: Numbered<'_>, positions: Positions<'_>) -> Option<(u64, usize)> {
        let mut index = 0;
        while let Some(number) = self.droppable.get(index).copied() {
            match list.get(number).filter(|entry| entry.is_droppable()) {
                // `None` while it is being written. Such frames are few, and at the front.
                Some(entry) => match positions.of(entry) {
                    Some(position) => return Some((number, position)),
                    None => index += 1,
                },
                None => _ = self.droppable.remove(index),
            }
        }
        None
    }
}

impl Index {
    pub(super) fn add(&mut self, number: u64, entry: &Discardable) {
        let policy = &entry.policy;
        if policy.key.is_some()
            && !entry.is_gap
            && let Some(earlier) = self.latest.insert(Arc::clone(policy), number)
        {
            self.superseded.entry(Arc::clone(policy)).or_default().push(earlier);
        }
        if !entry.is_gap && !policy.drop_oldest {
            return;
        }
        if !self.topics.contains_key(&policy.topic) {
            self.topics.insert(policy.topic.clone(), TopicFrames::default());
        }
        let Some(topic) = self.topics.get_mut(&policy.topic) else { return };
        if entry.is_gap {
            topic.gap = Some(number);
        } else {
            topic.droppable.push_back(number);
        }
    }

    /// Removes the first of all discardable frames.
    pub(super) fn remove(&mut self, number: u64, entry: &Discardable) {
        let policy = &*entry.policy;
        if policy.key.is_some() {
            if self.latest.get(policy) == Some(&number) {
                self.latest.remove(policy);
            }
            if let Some(numbers) = self.superseded.get_mut(policy) {
                numbers.retain(|superseded| *superseded > number);
                if numbers.is_empty() {
                    self.superseded.remove(policy);
                }
            }
        }
        if let Some(topic) = self.topics.get_mut(&policy.topic) {
            while topic.droppable.front().is_some_and(|first| *first <= number) {
                topic.droppable.pop_front();
            }
            topic.gap = topic.gap.filter(|gap| *gap > number);
            if topic.droppable.is_empty() && topic.gap.is_none() {
                self.topics.remove(&policy.topic);
            }
        }
    }

    /// Takes a frame that one with this policy replaces, for the caller to drop: its number, and its
    /// position in the queue.
    pub(super) fn replaced(
        &mut self,
        policy: &Arc<DiscardPolicy>,
        list: Numbered<'_>,
        positions: Positions<'_>,
    ) -> Option<(u64, usize)> {
        let position = |number| positions.of(list.get(number).filter(|entry| entry.is_replaceable())?);
        if let Some(number) = self.latest.remove(policy) {
            if let Some(position) = position(number) {
                return Some((number, position));
            }
            self.superseded.entry(Arc::clone(policy)).or_default().push(number);
        }
        let superseded = self.superseded.get_mut(policy)?;
        let (index, found) =
            superseded.iter().enumerate().find_map(|(index, number)| Some((index, (*number, position(*number)?))))?;
        superseded.remove(index);
        if superseded.is_empty() {
            self.superseded.remove(policy);
        }
        Some(found)
    }

    /// Finds the oldest droppable frame, of this topic or of any.
    pub(super) fn oldest(
        &mut self,
        topic: Option<&str>,
        list: Numbered<'_>,
        positions: Positions<'_>,
    ) -> Option<(u64, usize)> {
        match topic {
            Some(topic) => self.topics.get_mut(topic)?.oldest(list, positions),
            // Linear in the connection's topics with this policy.
            None => self.topics.values_mut().filter_map(|topic| topic.oldest(list, positions)).min(),
        }
    }

    /// Whether a gap notice of the topic is queued.
    pub(super) fn has_gap(&self, topic: &str, list: Numbered<'_>, positions: Positions<'_>) -> bool {
        let gap = self.topics.get(topic).and_then(|topic| list.get(topic.gap?));
        gap.is_some_and(|gap| gap.is_gap && positions.of(gap).is_some())
    }
}
