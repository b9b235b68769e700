//! What comes from the broker.

use std::time::Duration;

use bytes::Bytes;
use switchboard_core::broker::{BrokerErrorKind, Channel, Channels, LinkEvent, TopicName, UserKey};

use super::Cluster;
use crate::{
    ClientsOf, CommandKind, CommandReply, Delivery, GapReason, OperationId, Output, ReceivedCommand, ReceivedQuestion,
    bus::{BusMessage, BusPublish, Decoded, Heartbeat, Origin, SnapshotPage, UsersDelta, decode},
    interest::Subscribed,
    nodes::Heard,
    operations::Purpose,
    positions::Arrival,
    users::{Applied, Page},
};

impl Cluster {
    /// Takes a message from the broker.
    ///
    /// Bytes that are not of this crate are counted and ignored, whatever they are.
    pub fn handle_message(&mut self, channel: &Channel, message: Bytes, now: Duration) {
        self.advance(now);
        self.stats.received_messages += 1;
        let (origin, message) = match decode(message) {
            Ok(Decoded::Message(origin, message)) => (origin, message),
            Ok(Decoded::Newer) => {
                self.stats.newer_messages += 1;
                return;
            }
            Err(_) => {
                self.stats.malformed_messages += 1;
                return;
            }
        };
        let is_own = origin.node == self.origin.node;
        match &message {
            // Messages in topics would hide that the broker has forgotten the subscriptions of the node itself.
            BusMessage::Heartbeat(_) | BusMessage::Probe { .. } if is_own => self.link.heard_own(now),
            _ if !is_own => self.link.heard_other(now),
            _ => {}
        }
        let is_full = self.operations.outputs.len() >= self.config.max_outputs || self.check_room().is_err();
        match (channel, message) {
            (
                _,
                BusMessage::Publish(_)
                | BusMessage::Command { .. }
                | BusMessage::Question { .. }
                | BusMessage::Answer { .. }
                | BusMessage::ClientRequest { .. }
                | BusMessage::ClientResponse { .. },
            ) if is_full => {
                // The gap in a topic shows in the next message or heartbeat, and the others are reported as incomplete.
                self.stats.dropped_messages += 1;
            }
            (Channel::Topic(topic), BusMessage::Publish(publish)) => {
                self.published(channel, topic, origin, publish, now);
            }
            (Channel::User(user), BusMessage::Command { command, is_applied, kind, payload }) => {
                // Before the user's channel was subscribed, when the command began.
                if !(is_own && is_applied) {
                    self.commanded(user, origin, command, kind, payload, now);
                }
            }
            (Channel::User(_) | Channel::AllNodes, BusMessage::ClientRequest { .. }) if is_own => {}
            (Channel::User(_) | Channel::AllNodes, BusMessage::ClientRequest { request, time_ms, payload }) => {
                let clients = match channel {
                    Channel::User(user) => ClientsOf::User(user.clone()),
                    _ => ClientsOf::AllNodes,
                };
                self.client_request(clients, origin, request, (Duration::from_millis(time_ms), payload), now);
            }
            (Channel::User(_) | Channel::AllNodes, BusMessage::ClientRequestCancelled { request }) => {
                self.client_request_cancelled(origin, request);
            }
            (Channel::Node(_), BusMessage::ClientResponse { request, number, payload }) => {
                let outputs = &mut self.operations.outputs;
                self.asked_requests.response(request, origin.node, number, payload, outputs);
            }
            (Channel::Node(_), BusMessage::ClientRequestDone { request, responses, is_complete }) => {
                let outputs = &mut self.operations.outputs;
                self.asked_requests.done(request, origin.node, responses, is_complete, outputs);
            }
            (Channel::AllNodes, BusMessage::Question { question, payload }) => {
                let question = ReceivedQuestion { node: origin.node, question };
                self.operations.outputs.push_back(Output::Question { question, payload });
            }
            // The subscribers of this node may have missed what it has published itself.
            (Channel::AllNodes, BusMessage::Heartbeat(heartbeat)) if is_own => self.listed(origin, &heartbeat, now),
            (Channel::AllNodes, BusMessage::Leaving | BusMessage::Users(_)) if is_own => {}
            (Channel::AllNodes, BusMessage::Heartbeat(heartbeat)) => self.heartbeat(origin, &heartbeat, now),
            (Channel::AllNodes, BusMessage::Leaving) => {
                if self.nodes.remove(origin) {
                    self.forget(origin.node);
                }
            }
            (Channel::AllNodes, BusMessage::Users(delta)) => self.users_changed(origin, delta, now),
            (Channel::Node(_), BusMessage::SnapshotRequest { request }) => {
                let (version, users) = self.local_users.snapshot();
                if let Some(serving) = self.serving.begin(origin.node, request, version, users) {
                    self.send_page(serving, now);
                }
            }
            (Channel::Node(_), BusMessage::Snapshot(page)) => self.snapshot_page(origin, page, now),
            (Channel::Node(_), BusMessage::Acknowledgement { command, connections }) => {
                let outputs = &mut self.operations.outputs;
                self.commands.acknowledged(command, origin.node, connections, self.config.max_nodes, outputs);
            }
            (Channel::Node(_), BusMessage::Answer { question, payload }) => {
                let outputs = &mut self.operations.outputs;
                self.questions.answered(question, origin.node, payload, self.config.max_nodes, outputs);
            }
            (Channel::Node(_), BusMessage::Probe { .. }) => {}
            _ => self.stats.malformed_messages += 1,
        }
        self.tell_remote_changes();
    }

    fn published(&mut self, channel: &Channel, topic: &TopicName, origin: Origin, publish: BusPublish, now: Duration) {
        let Some(is_held) = self.interest.joined_and_held(channel) else { return };
        let sequence = publish.sequence;
        match self.positions.message(topic, origin, sequence, publish.predecessor, now) {
            Arrival::Old => {
                self.stats.old_messages += 1;
                return;
            }
            Arrival::AfterGap => self.tell_gap(channel, GapReason::Loss),
            Arrival::Next => {}
        }
        if is_held {
            let BusPublish { message_type, payload, conflation_key, except, .. } = publish;
            let (topic, node) = (topic.clone(), origin.node);
            let delivery = Delivery { topic, node, message_type, payload, conflation_key, except };
            self.operations.outputs.push_back(Output::Deliver(delivery));
        }
        if origin.node == self.origin.node {
            self.publishing.echoed(sequence, &mut self.operations.outputs);
        }
    }

    fn commanded(
        &mut self,
        user: &UserKey,
        origin: Origin,
        command: u64,
        kind: CommandKind,
        payload: Bytes,
        now: Duration,
    ) {
        let reply = CommandReply { node: origin.node, command };
        if self.local_users.connections(user) == 0 {
            // The subscription lingers after the user's last connection.
            self.acknowledge(reply, 0, now);
            return;
        }
        let received = ReceivedCommand { user: user.clone(), kind, payload, reply };
        self.operations.outputs.push_back(Output::Command(received));
    }

    fn heartbeat(&mut self, origin: Origin, heartbeat: &Heartbeat, now: Duration) {
        match self.nodes.heartbeat(origin, heartbeat.accepted, now) {
            Heard::New => self.operations.outputs.push_back(Output::NodeUp(origin.node)),
            Heard::Known { was_down, missed_several } => {
                if was_down {
                    self.operations.outputs.push_back(Output::NodeUp(origin.node));
                }
                if missed_several {
                    // Messages may be lost that only those heartbeats have listed.
                    let joined: Vec<_> = self.interest.joined().cloned().collect();
                    joined.iter().for_each(|channel| self.tell_gap(channel, GapReason::Loss));
                }
            }
            Heard::Refused => {
                self.stats.refused_nodes += 1;
                return;
            }
        }
        let Heartbeat { users_version, users_digest, .. } = *heartbeat;
        if self.remote_users.heartbeat(origin, users_version, users_digest, now) == Applied::Missing {
            self.snapshots.want(origin, &mut self.random, now);
        }
        self.listed(origin, heartbeat, now);
    }

    /// Takes the last messages of a node, as its heartbeat names them.
    fn listed(&mut self, origin: Origin, heartbeat: &Heartbeat, now: Duration) {
        let publisher = Origin { incarnation: heartbeat.publisher, ..origin };
        for listed in &heartbeat.publishes {
            self.positions.listed(publisher, *listed, now);
        }
    }

    fn users_changed(&mut self, origin: Origin, delta: UsersDelta, now: Duration) {
        // Otherwise its first heartbeat leads to a snapshot.
        if !self.nodes.is_known(origin) {
            return;
        }
        let kept = delta.clone();
        if self.remote_users.delta(origin, delta, now) == Applied::Missing {
            self.snapshots.want(origin, &mut self.random, now);
            self.snapshots.keep(origin, kept);
        }
    }

    fn snapshot_page(&mut self, origin: Origin, page: SnapshotPage, now: Duration) {
        if !self.nodes.is_known(origin) {
            return;
        }
        if let Page::Complete { version, users, deltas } = self.snapshots.page(origin, page, now) {
            self.remote_users.snapshot(origin, version, users, now);
            for delta in deltas {
                if self.remote_users.delta(origin, delta, now) == Applied::Missing {
                    self.snapshots.want(origin, &mut self.random, now);
                }
            }
        }
    }

    pub(super) fn send_page(&mut self, serving: u64, now: Duration) {
        if let Some((node, page)) = self.serving.next_page(serving) {
            self.send(Purpose::SnapshotPage(serving), Channel::Node(node), &BusMessage::Snapshot(page), now);
        }
    }

    /// Takes a change of the link.
    pub fn handle_link(&mut self, event: LinkEvent, now: Duration) {
        self.advance(now);
        match event {
            LinkEvent::Connected => {
                self.link.connected(now);
                self.heartbeat_at = now;
                for channel in [Channel::AllNodes, self.inbox()] {
                    // Held once, from the first connection on. The limit leaves room for these two.
                    if !self.interest.is_known(&channel) {
                        let _ = self.interest.hold(&channel, &mut self.operations, now);
                    }
                }
            }
            LinkEvent::Disconnected { .. } => self.link.disconnected(),
            LinkEvent::Restored(channels) => {
                self.stats.resubscriptions += 1;
                self.interrupted(&channels, GapReason::Broker, now);
            }
            LinkEvent::Dropped(channels) => self.interrupted(&channels, GapReason::Overflow, now),
            // The gap is told when the channels are heard again.
            _ => {}
        }
    }

    /// Messages of these channels may be lost, and those that come from now on are heard.
    fn interrupted(&mut self, channels: &Channels, reason: GapReason, now: Duration) {
        let joined: Vec<Channel> = match channels {
            Channels::Some(channels) => {
                channels.iter().filter(|channel| self.interest.is_joined(channel)).cloned().collect()
            }
            _ => self.interest.joined().cloned().collect(),
        };
        for channel in &joined {
            match channel {
                Channel::Topic(topic) => {
                    self.positions.interrupted(topic, now);
                    self.tell_gap(channel, reason);
                }
                Channel::AllNodes => {
                    self.nodes.interrupted();
                    self.heartbeat_at = now;
                }
                _ => {}
            }
        }
    }

    /// Takes the broker's answer to a call. Answers to calls that have timed out are ignored.
    pub fn handle_completion(&mut self, operation: OperationId, result: Result<(), BrokerErrorKind>, now: Duration) {
        self.advance(now);
        if let Some(purpose) = self.operations.complete(operation) {
            self.completed(operation, purpose, result, now);
        }
    }

    pub(super) fn completed(
        &mut self,
        operation: OperationId,
        purpose: Purpose,
        result: Result<(), BrokerErrorKind>,
        now: Duration,
    ) {
        let is_accepted = result.is_ok();
        match purpose {
            Purpose::Subscribe(channel) => {
                let subscribed = self.interest.subscribed(&channel, operation, result, &mut self.operations, now);
                match &channel {
                    Channel::Topic(topic) if subscribed == Subscribed::Joined => self.positions.begin(topic, now),
                    Channel::AllNodes if subscribed == Subscribed::Joined => self.heartbeat_at = now,
                    _ => {}
                }
            }
            Purpose::Repair(channel) => _ = self.repairing.remove(&channel),
            Purpose::Unsubscribe(channel) => self.interest.unsubscribed(&channel, operation),
            Purpose::Publish(sequence) => {
                self.publishing.answered(sequence, result, now, &mut self.operations.outputs);
            }
            Purpose::Heartbeat(topics) => {
                self.accepted_heartbeats += u64::from(is_accepted);
                self.publishing.listed(topics, is_accepted);
            }
            Purpose::Command(command) => {
                self.commands.published(command, is_accepted, &mut self.operations.outputs);
            }
            Purpose::ClientRequest(request) => {
                self.asked_requests.published(request, is_accepted, &mut self.operations.outputs);
            }
            Purpose::Question(question) if !is_accepted => {
                self.questions.end(question, &mut self.operations.outputs);
            }
            Purpose::SnapshotPage(serving) if is_accepted => self.send_page(serving, now),
            Purpose::SnapshotPage(serving) => self.serving.end(serving),
            Purpose::Question(_) | Purpose::Message => {}
        }
    }
}
