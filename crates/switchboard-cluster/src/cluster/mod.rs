//! One node: what its own application asks for.

mod client_requests;
mod input;
#[cfg(test)]
mod tests;
mod time;
mod users;

use std::time::Duration;

use bytes::Bytes;
use switchboard_core::broker::{BrokerErrorKind, Channel, Incarnation, NodeId, TopicName};

use crate::{
    ClusterConfig, ClusterError, ClusterStats, GapReason, Health, JoinId, Output, Publish, PublishId, QuestionId,
    ReceivedQuestion,
    bus::{self, BusMessage, Origin},
    client_requests::{AskedRequests, ServedRequests},
    commands::Commands,
    hash::{Random, Seeded, SeededSet},
    health::Link,
    interest::Interest,
    nodes::Nodes,
    operations::{Operations, Purpose},
    positions::Positions,
    publishing::{Confirms, Publishing},
    questions::Questions,
    users::{LocalUsers, RemoteUsers, Serving, Snapshots, UserChanges},
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
    asked_requests: AskedRequests,
    served_requests: ServedRequests,
    user_changes: UserChanges,
    stats: ClusterStats,
    /// Channels whose subscription is being sent again.
    repairing: SeededSet<Channel>,
    accepted_heartbeats: u64,
    heartbeat_at: Duration,
    check_at: Duration,
    last_input: Duration,
    is_draining: bool,
}

/// What a node has told the others of itself: [`Cluster::announced`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    origin: Origin,
    users_version: u64,
}

/// Whether a subscription is in force at once: [`Cluster::join`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Join {
    /// It is. While the link is down, messages are lost until it is back; [`Output::Gap`] says so then.
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
            asked_requests: AskedRequests::new(&config),
            served_requests: ServedRequests::new(&config),
            user_changes: UserChanges::new(hasher),
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
    /// [`TooManyPublishes`](ClusterError::TooManyPublishes), [`TooManyBytes`](ClusterError::TooManyBytes),
    /// [`TooManyOutputBytes`](ClusterError::TooManyOutputBytes) or
    /// [`TooManyExcluded`](ClusterError::TooManyExcluded): then nothing is published. An
    /// [`unconfirmed`](Publish::unconfirmed) publish also fails here if the link is down.
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
        self.check_room()?;
        if publish.unconfirmed && !self.link.is_up() {
            return Err(ClusterError::Broker(BrokerErrorKind::Unavailable));
        }
        let channel = Channel::Topic(topic.clone());
        let confirms = match publish.unconfirmed {
            true => Confirms::Failure,
            false if self.interest.is_held(&channel) => Confirms::Delivery,
            false => Confirms::Acceptance,
        };
        let (sequence, predecessor) = self.publishing.begin(topic, publish.payload.len(), confirms, now)?;
        let message = bus::encode_publish(self.publisher, sequence, predecessor, publish);
        self.operations.publish(Purpose::Publish(sequence), channel, message, now);
        Ok(PublishId(sequence))
    }

    /// Asks all nodes, this one included. [`Output::Answers`] follows.
    ///
    /// # Errors
    ///
    /// [`TooManyQuestions`](ClusterError::TooManyQuestions) or [`TooManyOutputBytes`](ClusterError::TooManyOutputBytes).
    pub fn ask(&mut self, payload: Bytes, now: Duration) -> Result<QuestionId, ClusterError> {
        self.advance(now);
        self.check_room()?;
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

    /// Leaves the cluster: the other nodes take this node's users for offline at once. Publishing and subscriptions go on
    /// until the caller ends the broker.
    pub fn drain(&mut self, now: Duration) {
        self.advance(now);
        if !std::mem::replace(&mut self.is_draining, true) {
            self.send(Purpose::Message, Channel::AllNodes, &BusMessage::Leaving, now);
        }
    }

    /// Returns whether the publishes that wait for the broker take more than half of their room: a publisher that does not
    /// wait for them should let others run.
    #[must_use]
    pub fn is_backlogged(&self) -> bool {
        self.publishing.is_backlogged()
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
            failed_publishes: self.publishing.failed(),
            sent_messages: self.operations.published(),
            pending_publishes: self.publishing.pending().0,
            pending_bytes: self.publishing.pending().1,
            queued_outputs: self.operations.outputs.len(),
            queued_bytes: self.operations.outputs.bytes(),
            client_requests: self.asked_requests.len(),
            served_requests: self.served_requests.len(),
            ..self.stats
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

    fn inbox(&self) -> Channel {
        Channel::Node(self.origin.node)
    }

    /// Checks that the caller is not too far behind with what it is to do.
    fn check_room(&self) -> Result<(), ClusterError> {
        let limit = self.config.max_output_bytes;
        if self.operations.outputs.bytes() < limit { Ok(()) } else { Err(ClusterError::TooManyOutputBytes { limit }) }
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
