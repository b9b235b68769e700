//! What happens at which virtual time.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use switchboard_core::broker::{BrokerErrorKind, Channel};

use super::faults::Fault;
use crate::{BrokerCall, OperationId};

/// A connection between a node and the broker. Each attempt has another number.
pub(super) type LinkNumber = u64;

#[derive(Debug, Clone)]
pub(super) enum Event {
    /// A request has reached the broker.
    Request {
        link: LinkNumber,
        request: Request,
    },
    /// For a node, which does not see it while it is stopped.
    Node {
        node: usize,
        life: u32,
        event: NodeEvent,
    },
    Begin(Fault),
    End(Fault),
    /// The application does something at random.
    Act,
    /// The judge asks which users are online.
    Observe,
}

#[derive(Debug, Clone)]
pub(super) enum NodeEvent {
    Tick,
    /// Try to connect.
    Connect,
    Connected {
        link: LinkNumber,
    },
    Refused,
    /// The broker or the network has closed the connection.
    Closed {
        link: LinkNumber,
    },
    Message {
        link: LinkNumber,
        channel: Channel,
        message: Bytes,
    },
    /// The adapter has noticed that a message was lost.
    Dropped {
        link: LinkNumber,
        channel: Channel,
    },
    Answer {
        link: LinkNumber,
        ticket: Ticket,
        result: Result<(), BrokerErrorKind>,
    },
    /// The adapter's patience with a request has ended.
    Impatient {
        link: LinkNumber,
        ticket: Ticket,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) ticket: Ticket,
    pub(super) call: BrokerCall,
}

/// Why the adapter has sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Ticket {
    Operation(OperationId),
    /// To restore subscriptions after a reconnect.
    Restore(usize),
}

/// Events by time, and in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Queue {
    events: BTreeMap<(Duration, u64), Event>,
    next: u64,
}

impl Queue {
    pub(super) fn add(&mut self, at: Duration, event: Event) {
        self.next += 1;
        self.events.insert((at, self.next), event);
    }

    pub(super) fn pop(&mut self) -> Option<(Duration, Event)> {
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }
}
