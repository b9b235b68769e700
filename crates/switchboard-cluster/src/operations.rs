//! Calls of the broker that have not been answered yet.

use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use switchboard_core::broker::{Channel, TopicName};

use crate::{BrokerCall, OperationId, Output, deadlines::Deadlines, outputs::Outputs};

/// Why the broker was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    Subscribe(Channel),
    /// Subscribes to a channel that is subscribed already.
    Repair(Channel),
    Unsubscribe(Channel),
    /// Publishes the message with this sequence.
    Publish(u64),
    /// Publishes a heartbeat that lists these topics.
    Heartbeat(Vec<TopicName>),
    Command(u64),
    Question(u64),
    ClientRequest(u64),
    /// Publishes a page of the snapshot that is being served under this number.
    SnapshotPage(u64),
    /// A message whose loss is noticed by other means.
    Message,
}

/// The calls that wait for an answer, and what the caller has not taken yet.
#[derive(Debug)]
pub(crate) struct Operations {
    next: u64,
    pending: FxHashMap<u64, Purpose>,
    deadlines: Deadlines<u64>,
    published: u64,
    pub(crate) outputs: Outputs,
}

impl Operations {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            next: 0,
            pending: FxHashMap::default(),
            deadlines: Deadlines::new(timeout),
            published: 0,
            outputs: Outputs::default(),
        }
    }

    pub(crate) fn call(&mut self, purpose: Purpose, call: BrokerCall, now: Duration) -> OperationId {
        self.next += 1;
        self.pending.insert(self.next, purpose);
        let pending = &self.pending;
        self.deadlines.shrink(pending.len(), |operation| pending.contains_key(operation));
        self.deadlines.start(self.next, now);
        let operation = OperationId(self.next);
        self.outputs.push_back(Output::Call { operation, call });
        operation
    }

    pub(crate) fn publish(&mut self, purpose: Purpose, channel: Channel, message: Bytes, now: Duration) {
        self.published += 1;
        self.call(purpose, BrokerCall::Publish(channel, message), now);
    }

    /// Returns how many messages were published.
    pub(crate) fn published(&self) -> u64 {
        self.published
    }

    pub(crate) fn subscribe(&mut self, channel: &Channel, now: Duration) -> OperationId {
        self.call(Purpose::Subscribe(channel.clone()), BrokerCall::Subscribe(channel.clone()), now)
    }

    pub(crate) fn unsubscribe(&mut self, channel: &Channel, now: Duration) -> OperationId {
        self.call(Purpose::Unsubscribe(channel.clone()), BrokerCall::Unsubscribe(channel.clone()), now)
    }

    /// Returns what an answered call was for, once.
    pub(crate) fn complete(&mut self, operation: OperationId) -> Option<Purpose> {
        self.pending.remove(&operation.0)
    }

    /// Returns the next call that the broker has not answered in time.
    pub(crate) fn timed_out(&mut self, now: Duration) -> Option<(OperationId, Purpose)> {
        while let Some(operation) = self.deadlines.pop(now) {
            if let Some(purpose) = self.pending.remove(&operation) {
                return Some((OperationId(operation), purpose));
            }
        }
        None
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.deadlines.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_completed_or_times_out_once() {
        let second = Duration::from_secs(1);
        let mut operations = Operations::new(second);
        let first = operations.subscribe(&Channel::AllNodes, Duration::ZERO);
        let other = operations.unsubscribe(&Channel::AllNodes, Duration::ZERO);
        assert_eq!(operations.complete(first), Some(Purpose::Subscribe(Channel::AllNodes)));
        assert_eq!(operations.complete(first), None);
        assert_eq!(operations.timed_out(second / 2), None);
        assert_eq!(operations.timed_out(second), Some((other, Purpose::Unsubscribe(Channel::AllNodes))));
        assert_eq!((operations.timed_out(second), operations.complete(other)), (None, None));
    }
}
