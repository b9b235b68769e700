//! Users, commands and questions.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use switchboard_core::broker::{NodeId, UserKey};

use super::{Judge, NodeHistory, Publisher};
use crate::{CommandOutcome, UserPresence};

/// How long a user without connections may count as online.
const GHOST: Duration = Duration::from_secs(10);
/// How long all must be calm before a node must know all users, and reach them.
const CALM: Duration = Duration::from_secs(12);
/// How long a connection must exist before a command must reach it.
const KNOWN_AFTER: Duration = Duration::from_secs(3);
/// How long a command or question may take.
const ANSWERED_AFTER: Duration = Duration::from_millis(1300);

/// How late a deadline may be noticed.
const TICK: Duration = Duration::from_millis(300);

#[derive(Debug, Default)]
pub(super) struct Users {
    connections: BTreeMap<u64, Connection>,
    commands: BTreeMap<u64, Command>,
    next_command: u64,
}

#[derive(Debug)]
struct Connection {
    user: UserKey,
    on: Publisher,
    from: Duration,
    until: Option<Duration>,
}

#[derive(Debug)]
struct Command {
    user: UserKey,
    by: Publisher,
    begun: Duration,
    ended: Option<(Duration, CommandOutcome)>,
    reached: BTreeSet<u64>,
    is_repeated: bool,
}

impl NodeHistory {
    /// Whether nothing to and from this node was lost for a while before.
    fn is_calm(&self, until: Duration) -> bool {
        let from = until.saturating_sub(CALM);
        let is_lossy = self.lossy.iter().filter(|change| **change < from).count() % 2 == 1
            || self.lossy.iter().any(|change| (from..=until).contains(change));
        until > CALM && !is_lossy && self.disturbances.is_calm(from, until)
    }
}

impl Users {
    pub(super) fn died(&mut self, on: Publisher, now: Duration) {
        for connection in self.connections.values_mut().filter(|connection| connection.on == on) {
            connection.until.get_or_insert(now);
        }
    }

    pub(super) fn check(&self, nodes: &[NodeHistory], now: Duration, violations: &mut Vec<String>) {
        for (number, command) in &self.commands {
            let is_dead = nodes[command.by.0].lives.last().is_none_or(|(life, ..)| *life != command.by.1);
            match command.ended {
                None if !is_dead && command.begun + CALM < now => {
                    violations.push(format!("command {number} of {:?} has not ended", command.by));
                }
                Some((ended, outcome)) if outcome.is_complete => {
                    let missed = self.connections.iter().filter(|(connection, state)| {
                        state.user == command.user
                            && !command.reached.contains(connection)
                            && state.from + KNOWN_AFTER < command.begun
                            && state.until.is_none_or(|until| until > ended)
                            && nodes[state.on.0].is_calm(ended)
                    });
                    let missed = missed.count();
                    if missed > 0 && nodes[command.by.0].is_calm(ended) {
                        violations.push(format!(
                            "command {number} of {:?} was reported as complete, and {missed} connections have not got it",
                            command.by
                        ));
                    }
                }
                _ => {}
            }
            if command.is_repeated {
                violations.push(format!("command {number} of {:?} reached a connection twice", command.by));
            }
        }
    }
}

impl Judge {
    pub(in crate::simulate) fn user_connected(&mut self, connection: u64, user: UserKey, on: Publisher, now: Duration) {
        self.users.connections.insert(connection, Connection { user, on, from: now, until: None });
    }

    pub(in crate::simulate) fn user_disconnected(&mut self, connection: u64, now: Duration) {
        if let Some(connection) = self.users.connections.get_mut(&connection) {
            connection.until.get_or_insert(now);
        }
    }

    pub(in crate::simulate) fn was_ever_connected(&self, user: &UserKey) -> bool {
        self.users.connections.values().any(|connection| connection.user == *user)
    }

    /// Takes what a node says of a user.
    pub(in crate::simulate) fn observed(&mut self, node: usize, user: &UserKey, presence: UserPresence, now: Duration) {
        let history = &self.nodes[node];
        let connections = || self.users.connections.values().filter(|connection| connection.user == *user);
        let last = connections().map(|connection| connection.until.unwrap_or(now)).max();
        if presence.connections > 0 {
            let since = last.unwrap_or_default().max(history.resumed);
            if since + GHOST < now {
                self.violation(format!("at {now:?}, node {node} takes {user} for online, who left at {last:?}"));
            }
            return;
        }
        let is_sure = |connection: &super::users::Connection| {
            connection.until.is_none() && connection.from + CALM < now && self.nodes[connection.on.0].is_calm(now)
        };
        if connections().any(is_sure) && history.is_calm(now) && history.resumed + CALM < now {
            self.violation(format!("at {now:?}, node {node} takes {user} for offline"));
        }
    }

    pub(in crate::simulate) fn next_command(&mut self) -> u64 {
        self.users.next_command += 1;
        self.users.next_command
    }

    pub(in crate::simulate) fn commanded(&mut self, number: u64, user: UserKey, by: Publisher, now: Duration) {
        let reached = BTreeSet::new();
        let command = Command { user, by, begun: now, ended: None, reached, is_repeated: false };
        self.users.commands.insert(number, command);
    }

    pub(in crate::simulate) fn command_reached(&mut self, number: u64, connections: &[u64]) {
        if let Some(command) = self.users.commands.get_mut(&number) {
            for connection in connections {
                command.is_repeated |= !command.reached.insert(*connection);
            }
        }
    }

    pub(in crate::simulate) fn command_ended(&mut self, number: u64, outcome: CommandOutcome, now: Duration) {
        let Some(command) = self.users.commands.get_mut(&number) else { return };
        command.ended = Some((now, outcome));
        let (begun, by) = (command.begun, command.by);
        if begun.max(self.nodes[by.0].resumed) + ANSWERED_AFTER < now {
            self.violation(format!("command {number} of {by:?} took from {begun:?} to {now:?}"));
        }
    }

    /// Takes the end of a request to the clients of a user on other nodes, begun at a time, that may take a time.
    pub(in crate::simulate) fn request_ended(
        &mut self,
        node: usize,
        (user, begun, time): (&UserKey, Duration, Duration),
        responses: &BTreeSet<u64>,
        is_complete: bool,
        now: Duration,
    ) {
        if begun.max(self.nodes[node].resumed) + time + TICK < now {
            self.violation(format!("a request of node {node} took from {begun:?} to {now:?}"));
        }
        let missed = self.users.connections.iter().filter(|(connection, state)| {
            state.user == *user
                && state.on.0 != node
                && !responses.contains(connection)
                && state.from + KNOWN_AFTER < begun
                && state.until.is_none_or(|until| until > now)
                && self.nodes[state.on.0].is_calm(now)
        });
        if is_complete && missed.count() > 0 && self.nodes[node].is_calm(now) {
            self.violation(format!("a request of node {node} is complete without connections of {user}"));
        }
    }

    pub(in crate::simulate) fn answered(
        &mut self,
        node: usize,
        from: &[NodeId],
        is_complete: bool,
        asked: Duration,
        now: Duration,
    ) {
        if asked.max(self.nodes[node].resumed) + ANSWERED_AFTER < now {
            self.violation(format!("a question of node {node} took from {asked:?} to {now:?}"));
        }
        if is_complete && self.nodes[node].is_calm(now) {
            for other in &self.nodes {
                let Some((_, id, _, None)) = other.lives.last() else { continue };
                if other.is_calm(now) && !from.contains(id) {
                    self.violation(format!("an answer to node {node} was reported as complete, without that of {id}"));
                    return;
                }
            }
        }
    }
}
