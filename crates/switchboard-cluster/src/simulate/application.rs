//! The simulated application: members that join, leave and publish, and users that come and go.

use std::time::Duration;

use bytes::Bytes;
use switchboard_core::broker::{TopicName, UserKey};

use super::{
    Planted,
    node::{Member, Process},
    world::World,
};
use crate::{CommandKind, Delivery, Join, Output, Publish};

const TOPICS: u64 = 5;
pub(super) const USERS: u64 = 6;
const MAX_MEMBERS: usize = 6;
const MAX_CONNECTIONS: usize = 5;

fn topic(number: u64) -> Option<TopicName> {
    TopicName::new(format!("topic:{number}")).ok()
}

pub(super) fn user(number: u64) -> Option<UserKey> {
    UserKey::new(format!("user:{number}")).ok()
}

/// What a simulated message says: its publisher (node and life) and number.
pub(super) fn said(payload: &[u8]) -> Option<(usize, u32, u64)> {
    let text = std::str::from_utf8(payload).ok()?;
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

impl World {
    /// Something that the application does, on some node that runs.
    pub(super) fn act(&mut self) {
        let node = self.random.below(self.nodes.len() as u64) as usize;
        let slot = &self.nodes[node];
        if slot.is_paused || slot.process.as_ref().is_none_or(|process| process.is_draining) {
            return;
        }
        match self.random.below(22) {
            0..=9 => (0..=self.random.below(4)).for_each(|_| self.publish(node)),
            10..=12 => self.join(node),
            13..=14 => self.leave(node),
            15..=16 => self.connect_user(node),
            17 => self.disconnect_user(node),
            18 => self.command(node),
            19 => self.ask_clients(node),
            20 if self.random.below(4) == 0 => self.cancel_request(node),
            _ => self.ask(node),
        }
        self.pump(node);
    }

    fn process(&mut self, node: usize) -> Option<&mut Process> {
        self.nodes[node].process.as_mut()
    }

    fn publish(&mut self, node: usize) {
        let (now, life) = (self.now, self.nodes[node].life);
        let Some(topic) = topic(self.random.below(TOPICS)) else { return };
        let Some(process) = self.process(node) else { return };
        process.next_publish += 1;
        let number = process.next_publish;
        let payload = format!("{node}.{life}.{number}");
        let publish = Publish { message_type: "SAY", payload: payload.as_bytes(), ..Publish::default() };
        if let Ok(id) = process.cluster.publish(&topic, &publish, now) {
            process.publishes.insert(id, (topic.clone(), number));
            self.trace.add(now, format_args!("node {node} publishes {payload} in {topic}"));
            self.judge.published((node, life), number, topic, now);
        }
    }

    fn join(&mut self, node: usize) {
        let now = self.now;
        let Some(topic) = topic(self.random.below(TOPICS)) else { return };
        let Some(process) = self.process(node).filter(|process| process.members.len() < MAX_MEMBERS) else { return };
        let Ok(join) = process.cluster.join(&topic, now) else { return };
        let life = self.nodes[node].life;
        let number = self.judge.asked_to_join((node, life), topic.clone(), now);
        let Some(process) = self.process(node) else { return };
        let waiting = match join {
            Join::Ready => None,
            Join::Waiting(id) => {
                process.joins.insert(id, number);
                Some(id)
            }
        };
        process.members.insert(number, Member { topic: topic.clone(), waiting });
        self.trace.add(now, format_args!("member {number} joins {topic} on node {node}: {join:?}"));
        if waiting.is_none() {
            self.judge.joined(number, true, now);
        }
    }

    fn leave(&mut self, node: usize) {
        let (now, chosen) = (self.now, self.random.next() as usize);
        let Some(process) = self.process(node).filter(|process| !process.members.is_empty()) else { return };
        let Some(number) = process.members.keys().nth(chosen % process.members.len()).copied() else { return };
        let Some(member) = process.members.remove(&number) else { return };
        match member.waiting {
            Some(join) => {
                process.joins.remove(&join);
                process.cluster.cancel_join(&member.topic, join, now);
            }
            None => process.cluster.leave(&member.topic, now),
        }
        self.trace.add(now, format_args!("member {number} leaves"));
        self.judge.left(number, now);
    }

    fn connect_user(&mut self, node: usize) {
        let (now, life) = (self.now, self.nodes[node].life);
        let Some(user) = user(self.random.below(USERS)) else { return };
        let connection = self.random.next();
        let Some(process) = self.process(node) else { return };
        if process.connections.len() < MAX_CONNECTIONS && process.cluster.user_connected(&user, [0; 16], now).is_ok() {
            process.connections.insert(connection, user.clone());
            self.trace.add(now, format_args!("{user} connects to node {node}"));
            self.judge.user_connected(connection, user, (node, life), now);
        }
    }

    fn disconnect_user(&mut self, node: usize) {
        let now = self.now;
        let Some(process) = self.process(node) else { return };
        if let Some((connection, user)) = process.connections.pop_first() {
            process.cluster.user_disconnected(&user, [0; 16], now);
            self.trace.add(now, format_args!("{user} disconnects from node {node}"));
            self.judge.user_disconnected(connection, now);
        }
    }

    fn command(&mut self, node: usize) {
        let (now, life) = (self.now, self.nodes[node].life);
        let Some(user) = user(self.random.below(USERS)) else { return };
        let number = self.judge.next_command();
        let payload = Bytes::copy_from_slice(&number.to_be_bytes());
        let Some(process) = self.process(node) else { return };
        if let Ok(id) = process.cluster.command(&user, CommandKind::Send, payload, now) {
            process.commands.insert(id, number);
            self.trace.add(now, format_args!("node {node} sends command {number} to {user}"));
            self.judge.commanded(number, user, (node, life), now);
        }
    }

    fn ask(&mut self, node: usize) {
        let now = self.now;
        let Some(process) = self.process(node) else { return };
        if let Ok(id) = process.cluster.ask(Bytes::new(), now) {
            process.questions.insert(id, now);
        }
    }

    pub(super) fn drain(&mut self, node: usize) {
        let now = self.now;
        let Some(process) = self.process(node) else { return };
        process.is_draining = true;
        process.cluster.drain(now);
        let members: Vec<_> = std::mem::take(&mut process.members).into_keys().collect();
        let connections: Vec<_> = std::mem::take(&mut process.connections).into_keys().collect();
        process.joins.clear();
        members.into_iter().for_each(|number| self.judge.left(number, now));
        connections.into_iter().for_each(|connection| self.judge.user_disconnected(connection, now));
        self.pump(node);
    }

    /// What a node asks its application to do.
    pub(super) fn application_output(&mut self, node: usize, output: Output) {
        let (now, life) = (self.now, self.nodes[node].life);
        match output {
            Output::Deliver(delivery) => self.deliver_faulty(node, delivery),
            Output::Gap { topic, reason } => {
                self.trace.add(now, format_args!("node {node} tells a gap in {topic}: {reason:?}"));
                let Some(process) = self.process(node) else { return };
                let told =
                    process.members.iter().filter(|(_, member)| member.topic == topic && member.waiting.is_none());
                let told: Vec<_> = told.map(|(number, _)| *number).collect();
                told.into_iter().for_each(|number| self.judge.gap(number, now));
            }
            Output::Joined { join, result } => {
                let Some(process) = self.process(node) else { return };
                let Some(number) = process.joins.remove(&join) else { return };
                match (process.members.get_mut(&number), result) {
                    (Some(member), Ok(())) => member.waiting = None,
                    _ => _ = process.members.remove(&number),
                }
                self.trace.add(now, format_args!("member {number}: {result:?}"));
                self.judge.joined(number, result.is_ok(), now);
            }
            Output::Published { publish, result } => {
                let Some(process) = self.process(node) else { return };
                let Some((_, number)) = process.publishes.remove(&publish) else {
                    self.judge.violation(format!("node {node} ended publish {publish:?} that was not pending"));
                    return;
                };
                self.trace.add(now, format_args!("node {node} has published {number}: {result:?}"));
                self.judge.publish_ended((node, life), number, result, now);
            }
            Output::Command(command) => {
                let Some(process) = self.process(node) else { return };
                let reached = process.connections.iter().filter(|(_, user)| **user == command.user);
                let reached: Vec<_> = reached.map(|(connection, _)| *connection).collect();
                process.cluster.acknowledge(command.reply, reached.len() as u32, now);
                let number = command.payload.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
                self.judge.command_reached(number, &reached);
            }
            Output::CommandEnded { command, outcome } => {
                let Some(number) = self.process(node).and_then(|process| process.commands.remove(&command)) else {
                    return;
                };
                self.trace.add(now, format_args!("command {number} has ended: {outcome:?}"));
                self.judge.command_ended(number, outcome, now);
            }
            Output::Question { question, .. } => {
                let Some(process) = self.process(node) else { return };
                process.cluster.answer(question, Bytes::new(), now);
            }
            Output::Answers { question, answers, is_complete } => {
                let Some(asked) = self.process(node).and_then(|process| process.questions.remove(&question)) else {
                    return;
                };
                let from: Vec<_> = answers.iter().map(|(node, _)| *node).collect();
                self.judge.answered(node, &from, is_complete, asked, now);
            }
            Output::ClientRequest(request) => self.requested(node, &request),
            Output::ClientRequestCancelled(reply) => {
                let Some(process) = self.process(node) else { return };
                if process.silent.remove(&reply) {
                    process.cluster.end_client_request(reply, false, now);
                }
            }
            Output::ClientResponse { request, payload } => self.responded(node, request, &payload),
            Output::ClientRequestEnded { request, is_complete } => self.request_ended(node, request, is_complete),
            other => self.trace.add(now, format_args!("node {node}: {other:?}")),
        }
    }

    /// Delivers to the members, unless a planted fault interferes.
    fn deliver_faulty(&mut self, node: usize, delivery: Delivery) {
        let mut is_chosen = |one_in: u64| self.random.below(one_in) == 0;
        match self.planted {
            Some(Planted::Drop(one_in)) if is_chosen(one_in) => return,
            Some(Planted::Repeat(one_in)) if is_chosen(one_in) => self.deliver(node, &delivery),
            Some(Planted::Reorder(one_in)) if is_chosen(one_in) => {
                if let Some(process) = self.process(node).filter(|process| process.held_back.is_none()) {
                    process.held_back = Some(delivery);
                    return;
                }
            }
            _ => {}
        }
        self.deliver(node, &delivery);
        let Some(process) = self.process(node) else { return };
        let is_next = |held: &mut Delivery| held.topic == delivery.topic && held.node == delivery.node;
        if let Some(held) = process.held_back.take_if(is_next) {
            self.deliver(node, &held);
        }
    }

    fn deliver(&mut self, node: usize, delivery: &Delivery) {
        let now = self.now;
        let Some((publisher, life, number)) = said(&delivery.payload) else {
            self.judge.violation(format!("node {node} delivered a message that was never published"));
            return;
        };
        self.trace.add(now, format_args!("node {node} delivers {publisher}.{life}.{number}"));
        let Some(process) = self.process(node) else { return };
        let members =
            process.members.iter().filter(|(_, member)| member.topic == delivery.topic && member.waiting.is_none());
        let members: Vec<_> = members.map(|(number, _)| *number).collect();
        members.into_iter().for_each(|member| self.judge.heard(member, (publisher, life), number, now));
    }

    /// Looks at what the nodes say of the users.
    pub(super) fn observe(&mut self) {
        let now = self.now;
        for node in 0..self.nodes.len() {
            let slot = &self.nodes[node];
            let Some(process) = slot.process.as_ref().filter(|process| !slot.is_paused && !process.is_draining) else {
                continue;
            };
            for user in (0..USERS).filter_map(user) {
                let mut presence = process.cluster.user(&user);
                if self.planted == Some(Planted::KeepGhosts) && self.judge.was_ever_connected(&user) {
                    presence.connections = presence.connections.max(1);
                }
                self.judge.observed(node, &user, presence, now);
            }
        }
        // A question that never ends would not be noticed otherwise.
        for node in 0..self.nodes.len() {
            let slot = &self.nodes[node];
            let Some(process) = slot.process.as_ref().filter(|_| !slot.is_paused) else { continue };
            let questions = process.questions.values().map(|asked| *asked + Duration::from_secs(1));
            let requests = process.requests.values().map(|request| request.begun + Duration::from_secs(3));
            if questions.chain(requests).any(|until| until < now) && self.judge.is_awake(node, now) {
                self.judge.violation(format!("a question or request of node {node} has not ended"));
            }
        }
    }
}
