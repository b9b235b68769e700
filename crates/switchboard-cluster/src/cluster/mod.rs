//! One node: what its own application asks for.

mod input;
#[cfg(test)]
mod tests;
mod time;

use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashSet;
use switchboard_core::broker::{Channel, Incarnation, NodeId, TopicName, UserKey};

use crate::{
    ClusterConfig, ClusterError, ClusterStats, CommandId, CommandKind, CommandReply, GapReason, Health, JoinId, Output,
    Publish, PublishId, QuestionId, ReceivedCommand, ReceivedQuestion, UserPresence,
    bus::{self, BusMessage, Origin},
    commands::Commands,
    hash::{Random, Seeded, SeededSet},
    health::Link,
    interest::Interest,
    nodes::Nodes,
    operations::{Operations, Purpose},
    positions::Positions,
    publishing::Publishing,
    questions::Questions,
    users::{LocalUsers, RemoteUsers, Serving, Snapshots},
};

/// One node of a cluster, without I/O. See the [crate's documentation](crate) for how to drive it.
#[derive(Debug)]
pub struct Cluster {
    origin: Origin,
    /// With the first incarnation: sequences go on when it changes.
    publisher: Origin,
    config: ClusterConfig,
    random: Random,
    operations: Operations,
    interest: Interest,
    positions: Positions,
    publishing: Publishing,
    nodes: Nodes,
    link: Link,
    local_users: LocalUsers,
    remote_users: RemoteUsers,
    snapshots: Snapshots,
    serving: Serving,
    commands: Commands,
    questions: Questions,
    stats: ClusterStats,
    /// Channels whose subscription is being sent again.
    repairing: SeededSet<Channel>,
    accepted_heartbeats: u64,
    heartbeat_at: Duration,
    check_at: Duration,
    last_input: Duration,
    is_draining: bool,
}

/// Whether a subscription is in force at once: [`Cluster::join`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Join {
    /// It is. While the link is down, messages are lost until it is back; [`Output::Gap`] says so then.
/// What a node has told the others of itself: [`Cluster::announced`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    origin: Origin,
    users_version: u64,
}

    Ready,
    /// [`Output::Joined`] follows with this id.
    Waiting(JoinId),
}

impl Cluster {
    /// Creates a node. `node` and `incarnation` are random: they also seed its jitter.
    #[must_use]
    pub fn new(node: NodeId, incarnation: Incarnation, config: ClusterConfig, now: Duration) -> Self {
        let mut random = Random::new(incarnation.as_u64());
        let hasher = Seeded::new(random.next());
        Self {
            origin: Origin { node, incarnation },
            publisher: Origin { node, incarnation },
            random,
            operations: Operations::new(config.operation_timeout),
            interest: Interest::new(&config, hasher),
            positions: Positions::new(&config, hasher),
            publishing: Publishing::new(&config, hasher),
            nodes: Nodes::new(&config),
            link: Link::new(&config, now),
            local_users: LocalUsers::new(&config, hasher),
            remote_users: RemoteUsers::new(config.max_remote_users, hasher),
            snapshots: Snapshots::new(&config),
            serving: Serving::new(config.max_snapshot_requests, config.max_users_per_message),
            commands: Commands::new(&config),
            questions: Questions::new(&config),
            stats: ClusterStats::default(),
            repairing: SeededSet::with_hasher(hasher),
            accepted_heartbeats: 0,
            heartbeat_at: now,
            check_at: now,
            last_input: now,
            is_draining: false,
            config,
        }
    }

    /// Returns the next thing to do. Call it until it returns `None`, after each input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.operations.outputs.pop_front()
    }

    /// Holds a topic for one local subscriber, until [`leave`](Self::leave).
    ///
    /// # Errors
    ///
    /// [`TooManyChannels`](ClusterError::TooManyChannels) or [`TooManyJoins`](ClusterError::TooManyJoins): then nothing is
    /// held.
    pub fn join(&mut self, topic: &TopicName, now: Duration) -> Result<Join, ClusterError> {
        self.advance(now);
        self.interest.join(&Channel::Topic(topic.clone()), &mut self.operations, now)
    }

    /// Returns whether a [`join`](Self::join) of this topic would be [`Ready`](Join::Ready).
    #[must_use]
    pub fn is_joined(&self, topic: &TopicName) -> bool {
        self.interest.is_joined(&Channel::Topic(topic.clone()))
    }

    /// Releases a hold of a topic. After the last one the subscription lingers, then it ends.
    pub fn leave(&mut self, topic: &TopicName, now: Duration) {
        self.advance(now);
        self.interest.leave(&Channel::Topic(topic.clone()), now);
    }

    /// Gives up a [`join`](Self::join) that was not answered yet, and releases its hold.
    ///
    /// Without effect if [`Output::Joined`] is already among the outputs: then its hold is released with
    /// [`leave`](Self::leave), unless the join has failed.
    pub fn cancel_join(&mut self, topic: &TopicName, join: JoinId, now: Duration) {
        self.advance(now);
        self.interest.cancel(&Channel::Topic(topic.clone()), join, now);
    }

    /// Publishes a message in a topic. [`Output::Published`] follows.
    ///
    /// The message is encoded here, and its place among this node's messages is settled. Local subscribers get it when it
    /// comes back from the broker.
    ///
    /// # Errors
    ///
    /// [`TooManyPublishes`](ClusterError::TooManyPublishes), [`TooManyBytes`](ClusterError::TooManyBytes) or
    /// [`TooManyExcluded`](ClusterError::TooManyExcluded): then nothing is published.
    pub fn publish(
        &mut self,
        topic: &TopicName,
        publish: &Publish<'_>,
        now: Duration,
    ) -> Result<PublishId, ClusterError> {
        self.advance(now);
        if publish.except.len() > self.config.max_excluded {
            return Err(ClusterError::TooManyExcluded { limit: self.config.max_excluded });
        }
        let channel = Channel::Topic(topic.clone());
        let awaits_echo = self.interest.is_held(&channel);
        let (sequence, predecessor) = self.publishing.begin(topic, publish.payload.len(), awaits_echo, now)?;
        let message = bus::encode_publish(self.publisher, sequence, predecessor, publish);
        self.operations.publish(Purpose::Publish(sequence), channel, message, now);
        Ok(PublishId(sequence))
    }

    /// Adds a connection of a user on this node.
    ///
    /// # Errors
    ///
    /// [`TooManyUsers`](ClusterError::TooManyUsers) or [`TooManyChannels`](ClusterError::TooManyChannels): then nothing is
    /// added.
    pub fn user_connected(&mut self, user: &UserKey, now: Duration) -> Result<(), ClusterError> {
        self.advance(now);
        if self.local_users.connected(user, now)?
            && let Err(error) = self.interest.hold(&Channel::User(user.clone()), &mut self.operations, now)
        {
            self.local_users.disconnected(user, now);
            return Err(error);
        }
        Ok(())
    }

    /// Removes a connection of a user on this node.
    pub fn user_disconnected(&mut self, user: &UserKey, now: Duration) {
        self.advance(now);
        if self.local_users.disconnected(user, now) {
            self.interest.leave(&Channel::User(user.clone()), now);
        }
    }

    /// Returns the connections of a user on all nodes.
    #[must_use]
    pub fn user(&self, user: &UserKey) -> UserPresence {
        let connections = self.local_users.connections(user) as usize + self.remote_users.connections(user);
        UserPresence { connections, is_complete: self.knows_all() }
    }

    fn knows_all(&self) -> bool {
        self.link.is_up() && self.remote_users.is_current() && !self.nodes.is_any_down()
    }

    /// Sends a command to all connections of a user, on all nodes. [`Output::CommandEnded`] follows.
    ///
    /// # Errors
    ///
    /// [`TooManyCommands`](ClusterError::TooManyCommands).
    pub fn command(
        &mut self,
        user: &UserKey,
        kind: CommandKind,
        payload: Bytes,
        now: Duration,
    ) -> Result<CommandId, ClusterError> {
        self.advance(now);
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

    /// Asks all nodes, this one included. [`Output::Answers`] follows.
    ///
    /// # Errors
    ///
    /// [`TooManyQuestions`](ClusterError::TooManyQuestions).
    pub fn ask(&mut self, payload: Bytes, now: Duration) -> Result<QuestionId, ClusterError> {
        self.advance(now);
        let expected = self.nodes.up().chain([self.origin.node]).collect();
        let is_certain = !self.nodes.is_any_down() && self.health(now) == Health::Healthy;
        let question = self.questions.ask(expected, is_certain, now)?;
        self.send(Purpose::Question(question), Channel::AllNodes, &BusMessage::Question { question, payload }, now);
        Ok(QuestionId(question))
    }

    /// Answers a question.
    pub fn answer(&mut self, question: ReceivedQuestion, payload: Bytes, now: Duration) {
        self.advance(now);
        let ReceivedQuestion { node, question } = question;
        if node == self.origin.node {
            let outputs = &mut self.operations.outputs;
            self.questions.answered(question, node, payload, self.config.max_nodes, outputs);
        } else {
            self.send(Purpose::Message, Channel::Node(node), &BusMessage::Answer { question, payload }, now);
        }
    }

    /// Returns what this node has told the others of itself, for tests that wait until the others
    /// [know](Self::knows) it. `None` while the node is not healthy or has changes to send.
    #[must_use]
    pub fn announced(&self, now: Duration) -> Option<Announced> {
        let (users_version, _) = self.local_users.announced();
        let is_settled = self.health(now) == Health::Healthy && self.local_users.next_timeout().is_none();
        is_settled.then_some(Announced { origin: self.origin, users_version })
    }

    /// Returns whether this node knows all that another one has announced.
    #[must_use]
    pub fn knows(&self, announced: &Announced) -> bool {
        let Announced { origin, users_version } = announced;
        self.nodes.is_up(*origin) && self.remote_users.is_current_with(*origin, *users_version)
    }

    /// Leaves the cluster: the other nodes take this node's users for offline at once. Publishing and subscriptions go on
    /// until the caller ends the broker.
    pub fn drain(&mut self, now: Duration) {
        self.advance(now);
        if !std::mem::replace(&mut self.is_draining, true) {
            self.send(Purpose::Message, Channel::AllNodes, &BusMessage::Leaving, now);
        }
    }

    /// Returns the state of the link and of the other nodes.
    #[must_use]
    pub fn health(&self, now: Duration) -> Health {
        let has_channels = self.interest.is_joined(&Channel::AllNodes) && self.interest.is_joined(&self.inbox());
        match self.link.health(now) {
            _ if self.is_draining => Health::Draining,
            Health::Healthy if !has_channels => Health::Starting,
            health => health,
        }
    }

    /// Returns the id of this node.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.origin.node
    }

    /// Returns this node's incarnation. It changes when the node was stopped for so long that others took it for dead.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.origin.incarnation
    }

    /// Returns the other nodes that are up.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.nodes.up()
    }

    /// Returns how long ago a message of this node came back to it, or the link was up anew.
    #[must_use]
    pub fn silence(&self, now: Duration) -> Duration {
        self.link.silence(now)
    }

    /// Returns what was counted.
    #[must_use]
    pub fn stats(&self) -> ClusterStats {
        ClusterStats {
            nodes: self.nodes.len(),
            channels: self.interest.len(),
            remote_users: self.remote_users.total(),
            ..self.stats
        }
    }

    fn inbox(&self) -> Channel {
        Channel::Node(self.origin.node)
    }

    fn send(&mut self, purpose: Purpose, channel: Channel, message: &BusMessage, now: Duration) {
        self.operations.publish(purpose, channel, bus::encode(self.origin, message), now);
    }

    /// Tells the subscribers of a topic, if there are any, that messages were lost.
    fn tell_gap(&mut self, channel: &Channel, reason: GapReason) {
        if let Channel::Topic(topic) = channel
            && self.interest.is_held(channel)
        {
            self.stats.gaps += 1;
            self.operations.outputs.push_back(Output::Gap { topic: topic.clone(), reason });
        }
    }
}
