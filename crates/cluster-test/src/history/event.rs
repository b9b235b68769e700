//! One thing that a client did or saw.

use std::{fmt, time::Duration};

/// A client, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Client(pub u32);

/// A topic, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(pub u32);

/// A connection that publishes: a client, and which of its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Publisher {
    /// The client.
    pub client: Client,
    /// Its connections are counted from 0.
    pub life: u32,
}

/// A message; no other has the same values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Message {
    /// Where it is published.
    pub topic: Topic,
    /// By whom.
    pub publisher: Publisher,
    /// The messages of a publisher in a topic are numbered from 0, in the order in which it sends them.
    pub n: u32,
}

/// How a publish ended for its publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted.
    Accepted,
    /// The message reaches no member.
    Refused,
    /// The message may reach members.
    Unknown,
    /// The connection ended before the answer.
    ConnectionLost,
}

/// What one node does to the connections of a user, which are at another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// A message is sent.
    Send,
    /// The subscription to a topic is ended.
    Revoke(Topic),
    /// The connections are closed.
    Kick,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, from the start of the run.
    pub at: Duration,
    /// To whom.
    pub client: Client,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The client is connected to a node.
    Connected {
        /// The node.
        node: usize,
    },
    /// Its connection has ended.
    Disconnected,
    /// Asks to be subscribed: from now on messages may arrive.
    Joining(Topic),
    /// Its subscription was confirmed.
    Joined(Topic),
    /// Its subscription ends: from now on messages need not arrive.
    Leaving(Topic),
    /// Its subscription has ended: nothing that is published from now on may arrive.
    Left(Topic),
    /// A message has arrived.
    Got(Message),
    /// Was told that messages of a topic are lost.
    Gap(Topic),
    /// Sends a message to be published.
    Sent(Message),
    /// Got the answer to that.
    Answered(Message, Outcome),
    /// Makes any other request.
    Asked(u64),
    /// Got its reply or error, or its connection has ended.
    Ended(u64),
    /// Has a node do something to another client.
    Ordered {
        /// No other command has it.
        token: u64,
        /// To whom.
        target: Client,
        /// What.
        command: Command,
    },
    /// A command has reached its client.
    Reached(u64),
    /// A node said whether a user is online.
    Online {
        /// The node.
        node: usize,
        /// The user is the client's.
        user: Client,
        /// When the node was asked.
        asked: Duration,
        /// What it said.
        online: bool,
    },
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, publisher: Publisher { client, life }, n } = self;
        write!(f, "message {n} of c{}.{life} in t{}", client.0, topic.0)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.3} c{:<4} ", self.at.as_secs_f64(), self.client.0)?;
        match self.what {
            What::Connected { node } => write!(f, "connected to node {node}"),
            What::Disconnected => f.write_str("disconnected"),
            What::Joining(topic) => write!(f, "joining t{}", topic.0),
            What::Joined(topic) => write!(f, "joined t{}", topic.0),
            What::Leaving(topic) => write!(f, "leaving t{}", topic.0),
            What::Left(topic) => write!(f, "left t{}", topic.0),
            What::Got(message) => write!(f, "got {message}"),
            What::Gap(topic) => write!(f, "told of a gap in t{}", topic.0),
            What::Sent(message) => write!(f, "sent {message}"),
            What::Answered(message, outcome) => write!(f, "{outcome:?}: {message}"),
            What::Asked(request) => write!(f, "asked {request}"),
            What::Ended(request) => write!(f, "ended {request}"),
            What::Ordered { token, target, command } => write!(f, "ordered {token}: {command:?} for c{}", target.0),
            What::Reached(token) => write!(f, "reached by {token}"),
            What::Online { node, user, asked, online } => {
                let not = if online { "" } else { "not " };
                write!(f, "node {node}, asked at {:.3}: c{} is {not}online", asked.as_secs_f64(), user.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_readable() {
        let message = Message { topic: Topic(3), publisher: Publisher { client: Client(7), life: 1 }, n: 12 };
        let event = Event { at: Duration::from_millis(1500), client: Client(40), what: What::Got(message) };
        assert_eq!(event.to_string(), "    1.500 c40   got message 12 of c7.1 in t3");
    }
}
