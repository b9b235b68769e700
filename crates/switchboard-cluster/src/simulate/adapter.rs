//! The adapter of a node to the simulated broker: what `Broker` promises, step by step.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use switchboard_core::broker::{BrokerErrorKind, Channel, Channels, LinkEvent};

use super::event::{LinkNumber, Request, Ticket};
use crate::{BrokerCall, OperationId};

/// How long the adapter waits for an answer.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Adapter {
    pub(super) link: Option<LinkNumber>,
    channels: BTreeSet<Channel>,
    pending: BTreeMap<Ticket, BrokerCall>,
    was_connected: bool,
    /// Requests that restore subscriptions and were not confirmed.
    restoring: usize,
    next_restore: usize,
    pub(super) forgets: bool,
    /// Whether it reports each restored channel, or all at the end.
    pub(super) reports_portions: bool,
}

/// What the adapter reports to its node.
#[derive(Debug)]
pub(super) enum Reported {
    Completion(OperationId, Result<(), BrokerErrorKind>),
    Link(LinkEvent),
}

impl Adapter {
    pub(super) fn new() -> Self {
        Self {
            link: None,
            channels: BTreeSet::new(),
            pending: BTreeMap::new(),
            was_connected: false,
            restoring: 0,
            next_restore: 0,
            forgets: false,
            reports_portions: false,
        }
    }

    /// Takes a call, and returns the request to send, or the answer.
    pub(super) fn call(&mut self, operation: OperationId, call: BrokerCall) -> Result<Request, BrokerErrorKind> {
        if let BrokerCall::Unsubscribe(channel) = &call {
            self.channels.remove(channel);
        }
        if self.link.is_none() {
            return Err(BrokerErrorKind::Unavailable);
        }
        let ticket = Ticket::Operation(operation);
        self.pending.insert(ticket, call.clone());
        Ok(Request { ticket, call })
    }

    /// A connection was made: returns the subscriptions to send again.
    pub(super) fn connected(&mut self, link: LinkNumber) -> (LinkEvent, Vec<Request>) {
        self.link = Some(link);
        let mut channels: Vec<Channel> = self.channels.iter().cloned().collect();
        if self.forgets && self.was_connected {
            let forgotten = channels.iter().position(|channel| matches!(channel, Channel::Topic(_)));
            forgotten.map(|at| channels.remove(at));
        }
        let requests: Vec<_> = channels
            .into_iter()
            .map(|channel| {
                self.next_restore += 1;
                let ticket = Ticket::Restore(self.next_restore);
                let call = BrokerCall::Subscribe(channel);
                self.pending.insert(ticket, call.clone());
                Request { ticket, call }
            })
            .collect();
        self.restoring = requests.len();
        (LinkEvent::Connected, requests)
    }

    /// Returns what a connection with nothing to restore reports, too.
    pub(super) fn restored_at_once(&mut self) -> Option<LinkEvent> {
        let is_again = std::mem::replace(&mut self.was_connected, true);
        (is_again && self.restoring == 0).then_some(LinkEvent::Restored(Channels::All))
    }

    pub(super) fn answered(&mut self, ticket: Ticket, result: Result<(), BrokerErrorKind>) -> Option<Reported> {
        let call = self.pending.remove(&ticket)?;
        match ticket {
            Ticket::Operation(operation) => {
                if let (BrokerCall::Subscribe(channel), true) = (call, result.is_ok()) {
                    let mut later = self.pending.range(ticket..);
                    let is_left =
                        later.any(|(_, call)| matches!(call, BrokerCall::Unsubscribe(left) if *left == channel));
                    if !is_left {
                        self.channels.insert(channel);
                    }
                }
                Some(Reported::Completion(operation, result))
            }
            Ticket::Restore(_) => {
                self.restoring -= 1;
                let restored = match call {
                    BrokerCall::Subscribe(channel) if self.reports_portions => [channel].into(),
                    _ if self.restoring == 0 => Channels::All,
                    _ => return None,
                };
                Some(Reported::Link(LinkEvent::Restored(restored)))
            }
        }
    }

    pub(super) fn is_restoring(&self) -> bool {
        self.restoring > 0
    }

    pub(super) fn is_waiting(&self, ticket: Ticket) -> bool {
        self.pending.contains_key(&ticket)
    }

    /// The connection is gone: whatever was not answered may have taken place.
    pub(super) fn disconnected(&mut self, reason: &'static str) -> Vec<Reported> {
        self.link = None;
        self.restoring = 0;
        let mut reported = vec![Reported::Link(LinkEvent::Disconnected { reason: reason.into() })];
        for (ticket, _) in std::mem::take(&mut self.pending) {
            if let Ticket::Operation(operation) = ticket {
                reported.push(Reported::Completion(operation, Err(BrokerErrorKind::Unknown)));
            }
        }
        reported
    }
}
