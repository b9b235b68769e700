//! An index of marked frames, for queues with many of them.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::marks::{Mark, Marked, Numbered, Positions};

#[derive(Debug, Default)]
pub(super) struct Index {
    /// The latest frame of each key.
    latest: HashMap<Arc<Mark>, u64>,
    /// Earlier frames that a later one could not replace because they were being written.
    superseded: HashMap<Arc<Mark>, Vec<u64>>,
    topics: HashMap<Box<str>, TopicMarks>,
}

#[derive(Debug, Default)]
struct TopicMarks {
    /// Droppable frames, the oldest first. May contain some that are gone.
    droppable: VecDeque<u64>,
    /// The last gap notice.
    gap: Option<u64>,
}

impl TopicMarks {
    fn oldest(&mut self, list: Numbered<'_>, positions: Positions<'_>) -> Option<(u64, usize)> {
        let mut index = 0;
        while let Some(number) = self.droppable.get(index).copied() {
            match list.get(number).filter(|marked| marked.is_droppable()) {
                // `None` while it is being written. Such frames are few, and at the front.
                Some(marked) => match positions.of(marked) {
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
    pub(super) fn add(&mut self, number: u64, marked: &Marked) {
        let mark = &marked.mark;
        if mark.key.is_some()
            && !marked.is_gap
            && let Some(earlier) = self.latest.insert(Arc::clone(mark), number)
        {
            self.superseded.entry(Arc::clone(mark)).or_default().push(earlier);
        }
        if !marked.is_gap && !mark.drop_oldest {
            return;
        }
        if !self.topics.contains_key(&mark.topic) {
            self.topics.insert(mark.topic.clone(), TopicMarks::default());
        }
        let Some(topic) = self.topics.get_mut(&mark.topic) else { return };
        if marked.is_gap {
            topic.gap = Some(number);
        } else {
            topic.droppable.push_back(number);
        }
    }

    /// Removes the first of all marked frames.
    pub(super) fn remove(&mut self, number: u64, marked: &Marked) {
        let mark = &*marked.mark;
        if mark.key.is_some() {
            if self.latest.get(mark) == Some(&number) {
                self.latest.remove(mark);
            }
            if let Some(numbers) = self.superseded.get_mut(mark) {
                numbers.retain(|superseded| *superseded > number);
                if numbers.is_empty() {
                    self.superseded.remove(mark);
                }
            }
        }
        if let Some(topic) = self.topics.get_mut(&mark.topic) {
            while topic.droppable.front().is_some_and(|first| *first <= number) {
                topic.droppable.pop_front();
            }
            topic.gap = topic.gap.filter(|gap| *gap > number);
            if topic.droppable.is_empty() && topic.gap.is_none() {
                self.topics.remove(&mark.topic);
            }
        }
    }

    /// Takes a frame that one with this mark replaces, for the caller to drop: its number, and its
    /// position in the queue.
    pub(super) fn replaced(
        &mut self,
        mark: &Arc<Mark>,
        list: Numbered<'_>,
        positions: Positions<'_>,
    ) -> Option<(u64, usize)> {
        let position = |number| positions.of(list.get(number).filter(|marked| marked.is_replaceable())?);
        if let Some(number) = self.latest.remove(mark) {
            if let Some(position) = position(number) {
                return Some((number, position));
            }
            self.superseded.entry(Arc::clone(mark)).or_default().push(number);
        }
        let superseded = self.superseded.get_mut(mark)?;
        let (index, found) =
            superseded.iter().enumerate().find_map(|(index, number)| Some((index, (*number, position(*number)?))))?;
        superseded.remove(index);
        if superseded.is_empty() {
            self.superseded.remove(mark);
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
