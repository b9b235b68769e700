//! What happens by itself.

use std::time::Duration;

use switchboard_core::broker::{BrokerErrorKind, Channel, Incarnation, NodeId};

use super::Cluster;
use crate::{
    BrokerCall, GapReason, Output,
    bus::{BusMessage, Heartbeat},
    config::MIN_HEARTBEAT,
    health::LinkAction,
    nodes::Silent,
    operations::Purpose,
};

/// How often the silence of other nodes is looked at.
const CHECK: Duration = Duration::from_millis(250);

impl Cluster {
    /// Does what is due.
    pub fn handle_tick(&mut self, now: Duration) {
        self.advance(now);
        while let Some((operation, purpose)) = self.operations.timed_out(now) {
            self.completed(operation, purpose, Err(BrokerErrorKind::Unknown), now);
        }
        for channel in self.interest.tick(&mut self.operations, now) {
            if let Channel::Topic(topic) = &channel {
                self.positions.end(topic);
            }
        }
        while let Some(topic) = self.positions.lost(now) {
            let channel = Channel::Topic(topic);
            self.tell_gap(&channel, GapReason::Loss);
            self.repair(channel, now);
        }
        let outputs = &mut self.operations.outputs;
        self.publishing.tick(now, outputs);
        self.commands.tick(now, outputs);
        self.questions.tick(now, outputs);
        self.asked_requests.tick(now, outputs);
        self.send_users(now);
        self.watch_link(now);
        if self.heartbeat_at <= now {
            self.send_heartbeat(now);
        }
        if self.check_at <= now {
            self.check_at = now.saturating_add(CHECK);
            self.check_nodes(now);
        }
    }

    /// Returns when [`handle_tick`](Self::handle_tick) must be called, at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Duration {
        let next = [
            self.operations.next_timeout(),
            self.interest.next_timeout(),
            self.positions.next_timeout(),
            self.publishing.next_timeout(),
            self.commands.next_timeout(),
            self.questions.next_timeout(),
            self.asked_requests.next_timeout(),
            self.local_users.next_timeout(),
            self.snapshots.next_timeout(),
            self.link.next_timeout(),
        ];
        next.into_iter().flatten().fold(self.heartbeat_at.min(self.check_at), Duration::min)
    }

    /// Notices that this node was stopped: for so long that the others took it for dead. It comes back as a new
    /// incarnation, so that nothing of its past is taken for news.
    pub(super) fn advance(&mut self, now: Duration) {
        let stopped = now.saturating_sub(self.last_input);
        self.last_input = self.last_input.max(now);
        if stopped < self.config.node_timeout {
            return;
        }
        self.stats.pauses += 1;
        self.origin.incarnation = Incarnation::from_u64(self.random.next());
        self.nodes.excuse(now);
        self.remote_users.excuse(now);
        self.link.heard_own(now);
        self.heartbeat_at = now;
    }

    fn send_heartbeat(&mut self, now: Duration) {
        let interval = u64::try_from(self.config.heartbeat.max(MIN_HEARTBEAT).as_micros()).unwrap_or(u64::MAX);
        let varied = (interval - interval / 5).saturating_add(self.random.below(interval / 5 * 2 + 1));
        self.heartbeat_at = now.saturating_add(Duration::from_micros(varied));
        if self.is_draining || !self.link.is_up() || !self.interest.is_joined(&Channel::AllNodes) {
            return;
        }
        let (topics, publishes) = self.publishing.take_listed(now);
        let (users_version, users_digest) = self.local_users.announced();
        let accepted = self.accepted_heartbeats;
        let publisher = self.publisher.incarnation;
        let heartbeat =
            BusMessage::Heartbeat(Heartbeat { publisher, accepted, users_version, users_digest, publishes });
        self.send(Purpose::Heartbeat(topics), Channel::AllNodes, &heartbeat, now);
    }

    fn send_users(&mut self, now: Duration) {
        for delta in self.local_users.tick(now) {
            if !self.is_draining {
                self.send(Purpose::Message, Channel::AllNodes, &BusMessage::Users(delta), now);
            }
        }
        while let Some((node, request)) = self.snapshots.next_request(now) {
            self.stats.snapshots += 1;
            self.send(Purpose::Message, Channel::Node(node), &BusMessage::SnapshotRequest { request }, now);
        }
    }

    fn watch_link(&mut self, now: Duration) {
        match self.link.tick(now) {
            Some(LinkAction::Probe(number)) => {
                self.send(Purpose::Message, self.inbox(), &BusMessage::Probe { number }, now);
                // The link may work, and the broker may have forgotten the subscription by which heartbeats come back.
                self.repair(Channel::AllNodes, now);
                self.repair(self.inbox(), now);
            }
            Some(LinkAction::Reconnect) => self.operations.outputs.push_back(Output::Reconnect),
            None => {}
        }
    }

    fn check_nodes(&mut self, now: Duration) {
        let patience = self.config.node_timeout.saturating_add(self.config.node_grace);
        self.remote_users.forget_stale(patience, now);
        // While the link is down, the silence of the others says nothing, but they may well be gone when it is back.
        for silent in self.nodes.tick(now) {
            match silent {
                Silent::Down(node) => {
                    self.requests_lose(node, false);
                    self.operations.outputs.push_back(Output::NodeDown(node));
                }
                Silent::Gone(node) => self.forget_node(node),
            }
        }
        self.tell_remote_changes();
    }

    /// A node has said goodbye.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.forget_node(node);
        if self.nodes.len() == 0 {
            self.link.is_alone();
        }
    }

    fn forget_node(&mut self, node: NodeId) {
        self.remote_users.remove(node);
        self.snapshots.forget(node);
        self.requests_lose(node, true);
        self.operations.outputs.push_back(Output::NodeGone(node));
    }

    /// Sends a subscription to the broker again, because a message of it is missing: it may have forgotten it.
    fn repair(&mut self, channel: Channel, now: Duration) {
        if self.repairing.len() < self.config.max_repairs
            && self.interest.is_joined(&channel)
            && self.repairing.insert(channel.clone())
        {
            self.stats.repairs += 1;
            self.operations.call(Purpose::Repair(channel.clone()), BrokerCall::Subscribe(channel), now);
        }
    }
}
