//! How the traffic between nodes grows with their number.
//!
//! Nodes are joined by a bus that delivers at once. What each does follows from its configuration alone, so the counts are
//! exact.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use switchboard_core::broker::{Channel, Channels, Incarnation, LinkEvent, NodeId, TopicName, UserKey};

use crate::{BrokerCall, Cluster, ClusterConfig, Output, Publish, bus};

/// What a number of nodes sends, with one row of the table as its text.
#[derive(Debug, Clone, Copy)]
pub struct Traffic {
    /// The nodes.
    pub nodes: usize,
    /// Messages that an idle node sends in a second.
    pub idle_sent: f64,
    /// Messages that an idle node receives in a second.
    pub idle_received: f64,
    /// Bytes that an idle node receives in a second.
    pub idle_bytes: f64,
    /// Bytes of a heartbeat of a node that publishes in 100 topics a second.
    pub busy_heartbeat_bytes: usize,
    /// Messages besides heartbeats that one more node causes when it starts, with 20 users on each of the others, until it
    /// knows all.
    pub start_messages: u64,
    /// Subscriptions that are sent again when the broker has lost all of them, of nodes with 100 topics each.
    pub resubscriptions: u64,
    /// Messages of all nodes in the two seconds after it.
    pub restart_messages: u64,
}

/// The heading of a table of [`Traffic`], in Markdown.
pub const HEADING: &str = "\
| nodes | idle: sent/s by each | idle: received/s by each | idle: KB/s to each | heartbeat with 100 topics, bytes | one node more, messages | broker back empty: subscriptions | and messages within 2 s |
|---:|---:|---:|---:|---:|---:|---:|---:|";

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| {} | {:.2} | {:.0} | {:.1} | {} | {} | {} | {} |",
            self.nodes,
            self.idle_sent,
            self.idle_received,
            self.idle_bytes / 1000.0,
            self.busy_heartbeat_bytes,
            self.start_messages,
            self.resubscriptions,
            self.restart_messages,
        )
    }
}

/// Measures the traffic of a number of nodes.
#[must_use]
pub fn measure(nodes: usize) -> Traffic {
    let mut bus = Bus::default();
    (0..nodes).for_each(|_| bus.start());
    bus.run(Duration::from_secs(3));

    bus.counts = Counts::default();
    let idle_for = Duration::from_secs(5);
    bus.run(idle_for);
    let per_second = |count: u64| count as f64 / idle_for.as_secs_f64() / nodes as f64;
    let idle = bus.counts;

    let topics: Vec<TopicName> = (0..100).filter_map(|n| TopicName::new(format!("topic:{n}")).ok()).collect();
    bus.counts = Counts::default();
    topics.iter().for_each(|topic| bus.publish(topic));
    bus.run(Duration::from_millis(1200));
    let busy_heartbeat_bytes = bus.counts.largest;

    for node in 0..nodes {
        (0..20).filter_map(|n| UserKey::new(format!("user:{node}:{n}")).ok()).for_each(|user| bus.connect(node, &user));
    }
    bus.run(Duration::from_secs(3));
    bus.counts = Counts::default();
    bus.start();
    bus.until_known(nodes);
    let start_messages = bus.counts.sent - bus.counts.heartbeats;

    for node in 0..=nodes {
        topics.iter().for_each(|topic| bus.join(node, topic));
    }
    bus.run(Duration::from_secs(1));
    bus.counts = Counts::default();
    bus.lose_subscriptions();
    let resubscriptions = bus.counts.subscriptions;
    bus.run(Duration::from_secs(2));
    Traffic {
        nodes,
        idle_sent: per_second(idle.sent),
        idle_received: per_second(idle.received),
        idle_bytes: per_second(idle.received_bytes),
        busy_heartbeat_bytes,
        start_messages,
        resubscriptions,
        restart_messages: bus.counts.sent,
    }
}

#[derive(Debug, Default)]
struct Bus {
    now: Duration,
    nodes: Vec<Cluster>,
    timers: BTreeSet<(Duration, usize)>,
    /// The timer of each node.
    timer_of: Vec<Duration>,
    subscriptions: BTreeMap<Channel, BTreeSet<usize>>,
    counts: Counts,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    sent: u64,
    heartbeats: u64,
    received: u64,
    received_bytes: u64,
    subscriptions: u64,
    largest: usize,
}

impl Bus {
    fn start(&mut self) {
        let number = self.nodes.len() as u64 + 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let incarnation = Incarnation::from_u64(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut cluster = Cluster::new(NodeId::from_bytes(id), incarnation, ClusterConfig::new(), self.now);
        cluster.handle_link(LinkEvent::Connected, self.now);
        self.nodes.push(cluster);
        self.timer_of.push(self.now);
        self.work(self.nodes.len() - 1);
    }

    fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some((at, node)) = self.timers.first().copied().filter(|(at, _)| *at <= until) {
            self.timers.pop_first();
            self.now = self.now.max(at);
            self.nodes[node].handle_tick(self.now);
            self.work(node);
        }
        self.now = until;
    }

    /// Runs until the last node knows the users of all others.
    fn until_known(&mut self, others: usize) {
        let give_up = self.now + Duration::from_secs(120);
        let is_known = |cluster: &Cluster| cluster.stats().remote_users == 20 * others;
        while !self.nodes.last().is_none_or(is_known) && self.now < give_up {
            self.run(Duration::from_millis(100));
        }
    }

    fn publish(&mut self, topic: &TopicName) {
        let publish = Publish { message_type: "SAY", payload: b"{}", ..Publish::default() };
        // There is room for a hundred.
        let _ = self.nodes[0].publish(topic, &publish, self.now);
        self.work(0);
    }

    fn connect(&mut self, node: usize, user: &UserKey) {
        let _ = self.nodes[node].user_connected(user, [0; 16], self.now);
        self.work(node);
    }

    fn join(&mut self, node: usize, topic: &TopicName) {
        let _ = self.nodes[node].join(topic, self.now);
        self.work(node);
    }

    /// Loses all subscriptions, as a broker that is back empty, and restores them as an adapter does.
    fn lose_subscriptions(&mut self) {
        self.counts.subscriptions += self.subscriptions.values().map(|nodes| nodes.len() as u64).sum::<u64>();
        for node in 0..self.nodes.len() {
            for event in [
                LinkEvent::Disconnected { reason: "reset".into() },
                LinkEvent::Connected,
                LinkEvent::Restored(Channels::All),
            ] {
                self.nodes[node].handle_link(event, self.now);
            }
            self.work(node);
        }
    }

    /// Does what a node asks for, and what follows from it on the others.
    fn work(&mut self, node: usize) {
        let mut waiting = BTreeSet::from([node]);
        while let Some(node) = waiting.pop_first() {
            while let Some(output) = self.nodes[node].poll_output() {
                let Output::Call { operation, call } = output else { continue };
                match call {
                    BrokerCall::Subscribe(channel) => _ = self.subscriptions.entry(channel).or_default().insert(node),
                    BrokerCall::Unsubscribe(channel) => {
                        _ = self.subscriptions.entry(channel).or_default().remove(&node)
                    }
                    BrokerCall::Publish(channel, message) => {
                        self.counts.sent += 1;
                        self.counts.heartbeats += u64::from(bus::is_heartbeat(&message));
                        self.counts.largest = self.counts.largest.max(message.len());
                        for to in self.subscriptions.get(&channel).into_iter().flatten() {
                            self.counts.received += 1;
                            self.counts.received_bytes += message.len() as u64;
                            self.nodes[*to].handle_message(&channel, message.clone(), self.now);
                            waiting.insert(*to);
                        }
                    }
                }
                self.nodes[node].handle_completion(operation, Ok(()), self.now);
            }
            let next = self.nodes[node].poll_timeout().max(self.now);
            let before = std::mem::replace(&mut self.timer_of[node], next);
            self.timers.remove(&(before, node));
            self.timers.insert((next, node));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_node_sends_less_than_two_messages_a_second() {
        let traffic = measure(10);
        assert!(traffic.idle_sent < 2.0, "{traffic:?}");
        assert!((traffic.idle_received - 10.0 * traffic.idle_sent).abs() < 0.1, "each hears all: {traffic:?}");
        assert_eq!(traffic.resubscriptions, 11 * 102 + 200, "{traffic:?}");
    }
}
