//! One order for all subscribers of a topic.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{
    Rule, Verdict,
    view::{Arrival, View},
};
use crate::history::{Client, Message, Topic};

/// The messages of a topic, and which of them a client got directly after which.
#[derive(Default)]
struct Graph {
    messages: Vec<Message>,
    places: HashMap<Message, usize>,
    next: Vec<HashMap<usize, Client>>,
}

pub(super) fn check(view: &View<'_>, verdict: &mut Verdict) {
    for topic in view.of_topic.keys() {
        let graph = Graph::of(view, *topic);
        if let Some(circle) = graph.circle() {
            let steps = circle.iter().map(|(from, to, by)| {
                let [from, to] = [from, to].map(|place| graph.messages[*place]);
                format!("c{} got {from} before {to}", by.0)
            });
            let steps = steps.collect::<Vec<_>>().join("; ");
            verdict.report(Rule::OneOrder, format!("no order fits what subscribers saw: {steps}"));
        }
    }
}

impl Graph {
    fn of(view: &View<'_>, topic: Topic) -> Self {
        let mut graph = Self::default();
        for subscription in view.subscriptions_of(topic) {
            let mut before = None;
            let mut seen = HashSet::new();
            for (_, arrival) in &subscription.arrivals {
                let Arrival::Message(message) = *arrival else { continue };
                let place = graph.place(message);
                // Duplicates are reported elsewhere.
                if !seen.insert(place) {
                    continue;
                }
                if let Some(before) = before.replace(place) {
                    graph.next[before].entry(place).or_insert(subscription.client);
                }
            }
        }
        graph
    }

    fn place(&mut self, message: Message) -> usize {
        *self.places.entry(message).or_insert_with(|| {
            self.messages.push(message);
            self.next.push(HashMap::new());
            self.messages.len() - 1
        })
    }

    /// Returns steps that lead from a message back to itself; `None` if there is an order.
    fn circle(&self) -> Option<Vec<(usize, usize, Client)>> {
        let mut before = vec![0_usize; self.messages.len()];
        self.next.iter().flat_map(HashMap::keys).for_each(|to| before[*to] += 1);
        let mut free: VecDeque<usize> = (0..before.len()).filter(|place| before[*place] == 0).collect();
        let mut is_placed = vec![false; before.len()];
        while let Some(place) = free.pop_front() {
            is_placed[place] = true;
            for to in self.next[place].keys() {
                before[*to] -= 1;
                if before[*to] == 0 {
                    free.push_back(*to);
                }
            }
        }
        // Each message that has no place comes after another that has none: going back leads into a circle.
        let start = is_placed.iter().position(|placed| !placed)?;
        let mut path = vec![start];
        loop {
            let last = *path.last()?;
            let previous =
                (0..self.next.len()).find(|from| !is_placed[*from] && self.next[*from].contains_key(&last))?;
            if let Some(at) = path.iter().position(|place| *place == previous) {
                let mut circle = path.split_off(at);
                circle.push(previous);
                circle.reverse();
                return Some(circle.windows(2).map(|pair| (pair[0], pair[1], self.next[pair[0]][&pair[1]])).collect());
            }
            path.push(previous);
        }
    }
}
