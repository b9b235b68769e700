//! What the state machine asks of its caller.

use std::time::Duration;

use bytes::Bytes;
use switchboard_core::broker::{Broker, BrokerFuture, Channel, NodeId, TopicName, UserKey};

use crate::ClusterError;

/// Something to do, from [`Cluster::poll_output`](crate::Cluster::poll_output).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Call the broker, and pass the result to [`Cluster::handle_completion`](crate::Cluster::handle_completion).
    ///
    /// Calls must reach the broker in the order of the outputs.
    Call {
        /// Identifies the call in its completion.
        operation: OperationId,
        /// What to call.
        call: BrokerCall,
    },
    /// Call [`Broker::reconnect`]: the link seems to be up, but nothing arrives.
    Reconnect,
    /// Deliver a message to the local subscribers of a topic.
    Deliver(Delivery),
    /// Tell the local subscribers of a topic that messages were lost.
    Gap {
        /// The topic.
        topic: TopicName,
        /// Why.
        reason: GapReason,
    },
    /// A subscription that had to wait is in force, or failed.
    Joined {
        /// From [`Cluster::join`](crate::Cluster::join).
        join: JoinId,
        /// After an error the hold of this join is released.
        result: Result<(), ClusterError>,
    },
    /// A publish has ended: the broker has accepted it, and this node's subscribers have the message if it has any. Or a
    /// publish has failed that is [`unconfirmed`](Publish::unconfirmed).
    Published {
        /// From [`Cluster::publish`](crate::Cluster::publish).
        publish: PublishId,
        /// The error is [`ClusterError::Broker`].
        result: Result<(), ClusterError>,
    },
    /// Apply a command to the local connections of a user, then call
    /// [`Cluster::acknowledge`](crate::Cluster::acknowledge).
    Command(ReceivedCommand),
    /// A command of this node has ended.
    CommandEnded {
        /// From [`Cluster::command`](crate::Cluster::command).
        command: CommandId,
        /// What is known of its effect.
        outcome: CommandOutcome,
    },
    /// Answer a question of some node, this one included, with [`Cluster::answer`](crate::Cluster::answer).
    Question {
        /// Names the question in the answer.
        question: ReceivedQuestion,
        /// What is asked.
        payload: Bytes,
    },
    /// A question of this node has ended.
    Answers {
        /// From [`Cluster::ask`](crate::Cluster::ask).
        question: QuestionId,
        /// One for each node that answered in time.
        answers: Vec<(NodeId, Bytes)>,
        /// Whether all nodes that are known have answered.
        is_complete: bool,
    },
    /// Pass a request of another node on to the local clients that it is for, with
    /// [`Cluster::respond`](crate::Cluster::respond) for each response, then call
    /// [`Cluster::end_client_request`](crate::Cluster::end_client_request), also after
    /// [`ClientRequestCancelled`](Self::ClientRequestCancelled).
    ClientRequest(ReceivedClientRequest),
    /// Nobody waits any more for the responses to a request of another node.
    ClientRequestCancelled(ClientRequestReply),
    /// A client of another node has responded to a request of this node.
    ClientResponse {
        /// From [`Cluster::request_clients`](crate::Cluster::request_clients).
        request: ClientRequestId,
        /// What the other node has passed to [`Cluster::respond`](crate::Cluster::respond).
        payload: Bytes,
    },
    /// A request of this node has ended.
    ClientRequestEnded {
        /// From [`Cluster::request_clients`](crate::Cluster::request_clients).
        request: ClientRequestId,
        /// Whether all clients were asked, as far as is known, and all of their responses have arrived.
        is_complete: bool,
    },
    /// Users have come online or gone offline, or have connected to this node or left it: only after
    /// [`Cluster::watch_users`](crate::Cluster::watch_users).
    UsersChanged(Vec<UserChange>),
    /// A node was heard for the first time, or came back as a new incarnation.
    NodeUp(NodeId),
    /// A node is silent. Its users count as online until [`NodeGone`](Self::NodeGone).
    NodeDown(NodeId),
    /// A node has left, or was silent for so long that its users are offline.
    NodeGone(NodeId),
}

/// A call of the [`Broker`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerCall {
    /// [`Broker::publish`].
    Publish(Channel, Bytes),
    /// [`Broker::subscribe`].
    Subscribe(Channel),
    /// [`Broker::unsubscribe`].
    Unsubscribe(Channel),
}

impl BrokerCall {
    /// Makes the call.
    pub fn call(self, broker: &dyn Broker) -> BrokerFuture {
        match self {
            Self::Publish(channel, message) => broker.publish(&channel, message),
            Self::Subscribe(channel) => broker.subscribe(&channel),
            Self::Unsubscribe(channel) => broker.unsubscribe(&channel),
        }
    }
}

/// A message to publish in a topic.
#[derive(Debug, Clone, Copy, Default)]
pub struct Publish<'a> {
    /// The type of the message, for filters.
    pub message_type: &'a str,
    /// The encoded message. The cluster does not look at it.
    pub payload: &'a [u8],
    /// Only the latest message of a key matters to a slow consumer.
    pub conflation_key: Option<&'a str>,
    /// Connections that do not get the message, such as the one that publishes.
    pub except: &'a [[u8; 16]],
    /// The publisher does not wait: [`Output::Published`] follows only if the broker does not accept the message.
    pub unconfirmed: bool,
}

/// A message from the broker, for the local subscribers of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The topic.
    pub topic: TopicName,
    /// The node that published it.
    pub node: NodeId,
    /// The type of the message.
    pub message_type: Box<str>,
    /// The encoded message, in the memory of what came from the broker.
    pub payload: Bytes,
    /// See [`Publish::conflation_key`].
    pub conflation_key: Option<Box<str>>,
    /// See [`Publish::except`].
    pub except: Vec<[u8; 16]>,
}

/// Why messages of a topic were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GapReason {
    /// A message did not arrive, although the link was up.
    Loss,
    /// The link to the broker, or the subscription, was interrupted.
    Broker,
    /// A queue of this node or of the broker's client was full.
    Overflow,
}

/// What a command does to the connections of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommandKind {
    /// Send them a message: the payload.
    Send,
    /// Close them.
    Disconnect,
    /// Take a subscription from them.
    Revoke,
    /// Ask again whether they are allowed what they do.
    Reauthorize,
}

/// A command to apply to the local connections of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedCommand {
    /// The user.
    pub user: UserKey,
    /// What to do.
    pub kind: CommandKind,
    /// What belongs to it. The cluster does not look at it.
    pub payload: Bytes,
    /// Names the command in the acknowledgement.
    pub reply: CommandReply,
}

/// Where the acknowledgement of a command goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandReply {
    pub(crate) node: NodeId,
    pub(crate) command: u64,
}

/// A change of a user's connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserChange {
    /// The user.
    pub user: UserKey,
    /// What has changed.
    pub kind: UserChangeKind,
    /// The connection, if it is one of this node.
    pub connection: Option<[u8; 16]>,
}

/// What has changed for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserChangeKind {
    /// The user has the first connection, on any node.
    Online,
    /// The user has a further connection, on this node.
    ConnectionAdded,
    /// A connection to this node has ended, and the user has others.
    ConnectionEnded,
    /// The user has no connection any more, on any node that is known.
    Offline,
}

/// Which nodes a request to clients goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientsOf {
    /// Those that have connections of a user.
    User(UserKey),
    /// All of them.
    AllNodes,
}

/// A request of another node to clients of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedClientRequest {
    /// Names the request in the responses.
    pub reply: ClientRequestReply,
    /// Which clients are asked; for [`ClientsOf::AllNodes`], the payload says it.
    pub clients: ClientsOf,
    /// How long the clients may take.
    pub time: Duration,
    /// What is asked. The cluster does not look at it.
    pub payload: Bytes,
}

/// Where the responses to a request of another node go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientRequestReply {
    pub(crate) node: NodeId,
    pub(crate) request: u64,
}

/// Where the answer to a question goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedQuestion {
    pub(crate) node: NodeId,
    pub(crate) question: u64,
}

/// What is known of a command's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandOutcome {
    /// How many connections have got it, on nodes that acknowledged.
    pub connections: usize,
    /// Whether all nodes that have the user, as far as is known, have acknowledged.
    pub is_complete: bool,
}

/// What is known of a user over all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserPresence {
    /// The user's connections.
    pub connections: usize,
    /// Whether all nodes that are known are taken into account. Nodes whose users are still being asked for, and nodes
    /// that are silent, are not.
    pub is_complete: bool,
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) u64);)*
    };
}

id! {
    /// Identifies a call of the broker.
    OperationId;
    /// Identifies a subscription that waits for the broker.
    JoinId;
    /// Identifies a publish.
    PublishId;
    /// Identifies a command of this node.
    CommandId;
    /// Identifies a question of this node.
    QuestionId;
    /// Identifies a request of this node to clients of other nodes.
    ClientRequestId;
}
