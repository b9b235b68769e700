//! Users, and what is done to their connections on all nodes.

use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashSet;
use switchboard_core::broker::{Channel, NodeId, UserKey};

use super::Cluster;
use crate::{
    ClusterError, CommandId, CommandKind, CommandReply, Output, ReceivedCommand, UserChangeKind, UserPresence,
    bus::BusMessage, operations::Purpose,
};

impl Cluster {
    /// Adds a connection of a user on this node, with any id.
    ///
    /// # Errors
    ///
    /// [`TooManyUsers`](ClusterError::TooManyUsers) or [`TooManyChannels`](ClusterError::TooManyChannels): then nothing is
    /// added.
    pub fn user_connected(&mut self, user: &UserKey, connection: [u8; 16], now: Duration) -> Result<(), ClusterError> {
        self.advance(now);
        if self.local_users.connected(user, now)?
            && let Err(error) = self.interest.hold(&Channel::User(user.clone()), &mut self.operations, now)
        {
            self.local_users.disconnected(user, now);
            return Err(error);
        }
        self.tell_local_change(user, UserChangeKind::ConnectionAdded, connection);
        Ok(())
    }

    /// Removes a connection of a user on this node. Returns `false` if it was not [added](Self::user_connected).
    pub fn user_disconnected(&mut self, user: &UserKey, connection: [u8; 16], now: Duration) -> bool {
        self.advance(now);
        if self.local_users.connections(user) == 0 {
            return false;
        }
        if self.local_users.disconnected(user, now) {
            self.interest.leave(&Channel::User(user.clone()), now);
        }
        self.tell_local_change(user, UserChangeKind::ConnectionEnded, connection);
        true
    }

    /// Begins to report which users come online and go offline, with [`Output::UsersChanged`].
    ///
    /// From then on, the node remembers which users it has reported as online.
    pub fn watch_users(&mut self, now: Duration) {
        self.advance(now);
        if self.user_changes.begin(self.local_users.keys().chain(self.remote_users.keys())) {
            self.remote_users.watch();
        }
    }

    fn tell_local_change(&mut self, user: &UserKey, kind: UserChangeKind, connection: [u8; 16]) {
        if self.user_changes.are_watched() {
            let is_online = self.local_users.connections(user) > 0 || self.remote_users.connections(user) > 0;
            let change = self.user_changes.changed_here(user, is_online, kind, connection);
            self.operations.outputs.push_back(Output::UsersChanged(vec![change]));
        }
    }

    /// Reports what has changed on other nodes since the last call.
    pub(super) fn tell_remote_changes(&mut self) {
        let touched = self.remote_users.take_touched();
        if touched.is_empty() {
            return;
        }
        let (mut changes, local_users, remote_users) = (Vec::new(), &self.local_users, &self.remote_users);
        for user in touched {
            let is_online = local_users.connections(&user) > 0 || remote_users.connections(&user) > 0;
            changes.extend(self.user_changes.changed_elsewhere(user, is_online));
        }
        if !changes.is_empty() {
            self.operations.outputs.push_back(Output::UsersChanged(changes));
        }
    }

    /// Returns the connections of a user on the other nodes, as far as those have told.
    #[must_use]
    pub fn connections_elsewhere(&self, user: &UserKey) -> usize {
        self.remote_users.connections(user)
    }

    /// Returns the connections of a user on all nodes.
    #[must_use]
    pub fn user(&self, user: &UserKey) -> UserPresence {
        let connections = self.local_users.connections(user) as usize + self.remote_users.connections(user);
        UserPresence { connections, is_complete: self.knows_all() }
    }

    pub(super) fn knows_all(&self) -> bool {
        self.link.is_up() && self.remote_users.is_current() && !self.nodes.is_any_down()
    }

    /// Sends a command to all connections of a user, on all nodes. [`Output::CommandEnded`] follows.
    ///
    /// # Errors
    ///
    /// [`TooManyCommands`](ClusterError::TooManyCommands) or [`TooManyOutputBytes`](ClusterError::TooManyOutputBytes).
    pub fn command(
        &mut self,
        user: &UserKey,
        kind: CommandKind,
        payload: Bytes,
        now: Duration,
    ) -> Result<CommandId, ClusterError> {
        self.advance(now);
        self.check_room()?;
        let mut expected: FxHashSet<NodeId> = self.remote_users.nodes_with(user).collect();
        let is_here = self.local_users.connections(user) > 0;
        if is_here {
            expected.insert(self.origin.node);
        }
        let channel = Channel::User(user.clone());
        // What the broker would not bring back is applied at once.
        let is_heard = self.link.is_up() && self.interest.is_joined(&channel);
        let is_applied = is_here && !is_heard;
        let command = self.commands.begin(expected, self.knows_all(), now)?;
        let message = BusMessage::Command { command, is_applied, kind, payload: payload.clone() };
        self.send(Purpose::Command(command), channel, &message, now);
        if is_applied {
            let reply = CommandReply { node: self.origin.node, command };
            let received = ReceivedCommand { user: user.clone(), kind, payload, reply };
            self.operations.outputs.push_back(Output::Command(received));
        }
        Ok(CommandId(command))
    }

    /// Reports how many connections have got a command.
    pub fn acknowledge(&mut self, reply: CommandReply, connections: u32, now: Duration) {
        self.advance(now);
        let CommandReply { node, command } = reply;
        if node == self.origin.node {
            let outputs = &mut self.operations.outputs;
            self.commands.acknowledged(command, node, connections, self.config.max_nodes, outputs);
        } else {
            let message = BusMessage::Acknowledgement { command, connections };
            self.send(Purpose::Message, Channel::Node(node), &message, now);
        }
    }
}
