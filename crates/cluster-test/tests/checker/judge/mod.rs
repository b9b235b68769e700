//! Histories written by hand.

mod commands;
mod messages;
mod requests;
mod users;

use std::time::Duration;

use cluster_test::{
    history::{Client, Disturbance, Event, History, Message, Outcome, Publisher, Scope, Topic, What},
    judge::{Rule, Verdict, judge},
};

/// A history that is being written: two nodes, one topic. Times are in milliseconds.
struct Story(History);

const TOPIC: Topic = Topic(0);
const PUBLISHER: Client = Client(100);
const OTHER: Client = Client(101);
const A: Client = Client(1);
const B: Client = Client(2);

fn message(publisher: Client, n: u32) -> Message {
    Message { topic: TOPIC, publisher: Publisher { client: publisher, life: 0 }, n }
}

impl Story {
    /// Two publishers and two members; the first of each is at node 0, the second at node 1.
    fn new() -> Self {
        let mut story = Self(History { nodes: 2, one_order: true, until: ms(60_000), ..History::default() });
        for (client, node) in [(PUBLISHER, 0), (OTHER, 1), (A, 0), (B, 1)] {
            story.add(0, client, What::Connected { node });
        }
        for member in [A, B] {
            story.add(0, member, What::Joining(TOPIC)).add(1, member, What::Joined(TOPIC));
        }
        story
    }

    fn add(&mut self, at: u64, client: Client, what: What) -> &mut Self {
        self.0.events.push(Event { at: ms(at), client, what });
        self
    }

    fn sent(&mut self, at: u64, message: Message) -> &mut Self {
        self.add(at, message.publisher.client, What::Sent(message))
    }

    fn answered(&mut self, at: u64, message: Message, outcome: Outcome) -> &mut Self {
        self.add(at, message.publisher.client, What::Answered(message, outcome))
    }

    /// Is accepted 10 ms after it was sent.
    fn published(&mut self, at: u64, message: Message) -> &mut Self {
        self.sent(at, message).answered(at + 10, message, Outcome::Accepted)
    }

    fn got(&mut self, at: u64, client: Client, message: Message) -> &mut Self {
        self.add(at, client, What::Got(message))
    }

    fn gap(&mut self, at: u64, client: Client) -> &mut Self {
        self.add(at, client, What::Gap(TOPIC))
    }

    fn disturbed(&mut self, scope: Scope, from: u64, until: u64) -> &mut Self {
        self.0.disturbances.push(Disturbance { scope, fault: "fault", from: ms(from), until: ms(until) });
        self
    }

    fn judge(&self) -> Verdict {
        judge(&self.0)
    }

    /// The broken promises.
    fn rules(&self) -> Vec<Rule> {
        self.judge().findings.into_iter().map(|finding| finding.rule).collect()
    }
}

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}
