//! Finds marked frames where there are many.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::marks::{Mark, Marked, Numbered, Places};

#[derive(Debug, Default)]
pub(super) struct Index {
    /// The latest frame of each key.
    latest: HashMap<Arc<Mark>, u64>,
    /// Earlier ones that were being written when a later one came, and so are there still.
    stuck: HashMap<Arc<Mark>, Vec<u64>>,
    topics: HashMap<Box<str>, OfTopic>,
}

#[derive(Debug, Default)]
struct OfTopic {
    /// Those that may be dropped, the oldest first; and some that are gone.
    droppable: VecDeque<u64>,
    /// The last that tells a gap.
    gap: Option<u64>,
}

impl OfTopic {
    fn oldest(&mut self, list: Numbered<'_>, places: Places<'_>) -> Option<(u64, usize)> {
        let mut index = 0;
        while let Some(number) = self.droppable.get(index).copied() {
            match list.get(number).filter(|marked| marked.is_droppable()) {
                // Being written: few are, and nothing is removed far behind them.
                Some(marked) => match places.of(marked) {
                    Some(place) => return Some((number, place)),
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
            self.stuck.entry(Arc::clone(mark)).or_default().push(earlier);
        }
        if !marked.is_gap && !mark.drop_oldest {
            return;
        }
        if !self.topics.contains_key(&mark.topic) {
            self.topics.insert(mark.topic.clone(), OfTopic::default());
        }
        let Some(topic) = self.topics.get_mut(&mark.topic) else { return };
        if marked.is_gap {
            topic.gap = Some(number);
        } else {
            topic.droppable.push_back(number);
        }
    }

    /// The first of all is gone.
    pub(super) fn remove(&mut self, number: u64, marked: &Marked) {
        let mark = &*marked.mark;
        if mark.key.is_some() {
            if self.latest.get(mark) == Some(&number) {
                self.latest.remove(mark);
            }
            if let Some(numbers) = self.stuck.get_mut(mark) {
                numbers.retain(|stuck| *stuck > number);
                if numbers.is_empty() {
                    self.stuck.remove(mark);
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

    /// One of those in whose place one with this mark comes: its number, and its place in the queue.
    /// It is to be dropped.
    pub(super) fn replaced(
        &mut self,
        mark: &Arc<Mark>,
        list: Numbered<'_>,
        places: Places<'_>,
    ) -> Option<(u64, usize)> {
        let place = |number| places.of(list.get(number).filter(|marked| marked.is_replaceable())?);
        if let Some(number) = self.latest.remove(mark) {
            if let Some(place) = place(number) {
                return Some((number, place));
            }
            self.stuck.entry(Arc::clone(mark)).or_default().push(number);
        }
        let stuck = self.stuck.get_mut(mark)?;
        let (index, found) =
            stuck.iter().enumerate().find_map(|(index, number)| Some((index, (*number, place(*number)?))))?;
        stuck.remove(index);
        if stuck.is_empty() {
            self.stuck.remove(mark);
        }
        Some(found)
    }

    /// The oldest that may be dropped, of this topic or of any.
    pub(super) fn oldest(
        &mut self,
        topic: Option<&str>,
        list: Numbered<'_>,
        places: Places<'_>,
    ) -> Option<(u64, usize)> {
        match topic {
            Some(topic) => self.topics.get_mut(topic)?.oldest(list, places),
            // As many as the connection has topics with this policy.
            None => self.topics.values_mut().filter_map(|topic| topic.oldest(list, places)).min(),
        }
    }

    /// Whether a gap of the topic is told by what waits.
    pub(super) fn has_gap(&self, topic: &str, list: Numbered<'_>, places: Places<'_>) -> bool {
        let gap = self.topics.get(topic).and_then(|topic| list.get(topic.gap?));
        gap.is_some_and(|gap| gap.is_gap && places.of(gap).is_some())
    }
}
