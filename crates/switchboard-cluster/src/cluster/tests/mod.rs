//! Nodes on a bus that delivers at once, unless a test interferes.

mod arbitrary;
mod client_requests;
mod links;
mod nodes;
mod topics;
mod user_changes;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use switchboard_core::broker::{BrokerErrorKind, Channel, Incarnation, LinkEvent, NodeId, TopicName, UserKey};

use super::*;
use crate::{BrokerCall, CommandKind, OperationId};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn topic(name: &str) -> TopicName {
    TopicName::new(name).unwrap()
}

fn user(key: &str) -> UserKey {
    UserKey::new(key).unwrap()
}

fn say(payload: &str) -> Publish<'_> {
    Publish { message_type: "SAY", payload: payload.as_bytes(), ..Publish::default() }
}

#[derive(Default)]
struct Net {
    now: Duration,
    nodes: Vec<Cluster>,
    subscriptions: BTreeMap<Channel, BTreeSet<usize>>,
    /// What the nodes asked their applications to do.
    outputs: Vec<VecDeque<Output>>,
    /// Channels whose messages are lost, for these nodes.
    deaf: BTreeSet<(usize, Channel)>,
    /// Nodes that do not run: what is sent to them is lost.
    stopped: BTreeSet<usize>,
    /// Nodes without a broker.
    unavailable: BTreeSet<usize>,
    /// Calls that were not answered, of nodes that the broker keeps waiting.
    unanswered: Vec<(usize, OperationId)>,
    keeps_waiting: bool,
    published: u64,
    reconnects: Vec<usize>,
}

impl Net {
    fn new(nodes: usize) -> Self {
        Self::with(nodes, &ClusterConfig::new())
    }

    fn with(nodes: usize, config: &ClusterConfig) -> Self {
        let mut net = Self::default();
        for number in 0..nodes {
            let id = NodeId::from_bytes([number as u8 + 1; 16]);
            net.nodes.push(Cluster::new(id, Incarnation::from_u64(number as u64 + 1), config.clone(), net.now));
            net.outputs.push(VecDeque::new());
        }
        for node in 0..nodes {
            net.nodes[node].handle_link(LinkEvent::Connected, net.now);
            net.work();
        }
        net.run(ms(2000));
        net.outputs.iter_mut().for_each(VecDeque::clear);
        net
    }

    /// Lets the time pass.
    fn run(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let running = (0..self.nodes.len()).filter(|node| !self.stopped.contains(node));
            let next = running.map(|node| (self.nodes[node].poll_timeout(), node)).min();
            let Some((at, node)) = next.filter(|(at, _)| *at <= until) else { break };
            self.now = self.now.max(at);
            self.nodes[node].handle_tick(self.now);
            self.work();
        }
        self.now = until;
    }

    /// Lets the time pass while a node is stopped.
    fn run_without(&mut self, node: usize, time: Duration) {
        self.stopped.insert(node);
        self.run(time);
        self.stopped.remove(&node);
    }

    /// Does what the nodes ask for, until they ask for nothing.
    fn work(&mut self) {
        while let Some(node) = (0..self.nodes.len()).find(|node| self.step(*node)) {
            while self.step(node) {}
        }
    }

    fn step(&mut self, node: usize) -> bool {
        let Some(output) = self.nodes[node].poll_output() else { return false };
        match output {
            Output::Call { operation, .. } if self.unavailable.contains(&node) => {
                self.nodes[node].handle_completion(operation, Err(BrokerErrorKind::Unavailable), self.now);
            }
            Output::Call { operation, call } => {
                match call {
                    BrokerCall::Subscribe(channel) => _ = self.subscriptions.entry(channel).or_default().insert(node),
                    BrokerCall::Unsubscribe(channel) => {
                        _ = self.subscriptions.entry(channel).or_default().remove(&node)
                    }
                    BrokerCall::Publish(channel, message) => self.carry(&channel, &message),
                }
                if self.keeps_waiting {
                    self.unanswered.push((node, operation));
                } else {
                    self.nodes[node].handle_completion(operation, Ok(()), self.now);
                }
            }
            Output::Reconnect => self.reconnects.push(node),
            output => self.outputs[node].push_back(output),
        }
        true
    }

    fn carry(&mut self, channel: &Channel, message: &Bytes) {
        self.published += 1;
        for to in self.subscriptions.get(channel).cloned().unwrap_or_default() {
            if !self.stopped.contains(&to) && !self.deaf.contains(&(to, channel.clone())) {
                self.nodes[to].handle_message(channel, message.clone(), self.now);
            }
        }
    }

    fn join(&mut self, node: usize, name: &str) {
        let _ = self.nodes[node].join(&topic(name), self.now).unwrap();
        self.work();
        self.outputs[node].retain(|output| !matches!(output, Output::Joined { .. }));
    }

    fn publish(&mut self, node: usize, name: &str, payload: &str) -> PublishId {
        let id = self.nodes[node].publish(&topic(name), &say(payload), self.now).unwrap();
        self.work();
        id
    }

    fn take(&mut self, node: usize) -> Vec<Output> {
        self.outputs[node].drain(..).collect()
    }

    /// Takes the payloads that a node has delivered, with `gap` where it has told one.
    fn heard(&mut self, node: usize) -> Vec<String> {
        let heard = self.take(node).into_iter().filter_map(|output| match output {
            Output::Deliver(delivery) => Some(String::from_utf8(delivery.payload.to_vec()).unwrap()),
            Output::Gap { reason, .. } => Some(format!("gap: {reason:?}")),
            _ => None,
        });
        heard.collect()
    }
}
