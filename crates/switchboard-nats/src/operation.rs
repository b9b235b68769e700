//! What the node asks of the broker, on its way.

use std::sync::Arc;

use bytes::Bytes;
use switchboard_core::{
    adapter::{Permit, Room},
    broker::{BrokerError, BrokerErrorKind},
};
use tokio::sync::oneshot;

use crate::table::Subscription;

/// How an operation ended.
pub(crate) type Outcome = Result<(), BrokerError>;

#[derive(Debug)]
pub(crate) enum Action {
    Publish {
        subject: String,
        message: Bytes,
    },
    /// If the link has this subscription already, only the link is checked: NATS forgets no subscription of a link that is
    /// up.
    Subscribe {
        subscription: Arc<Subscription>,
    },
    /// Perhaps nothing needs the wildcard of this partition any more.
    Leave {
        partition: u16,
    },
}

impl Action {
    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::Publish { subject, .. } => subject,
            Self::Subscribe { subscription, .. } => &subscription.subject,
            Self::Leave { .. } => "",
        }
    }

    fn len(&self) -> usize {
        const OVERHEAD: usize = 64;
        let message = if let Self::Publish { message, .. } = self { message.len() } else { 0 };
        OVERHEAD + self.subject().len() + message
    }
}

/// Runs in a task of the link, so it must not block.
type OnError = Box<dyn FnOnce() + Send>;

/// An operation that waits for its confirmation. Whatever happens to it, its outcome is reported exactly once.
pub(crate) struct Operation {
    pub(crate) action: Action,
    is_sent: bool,
    outcome: Option<oneshot::Sender<Outcome>>,
    on_error: Option<OnError>,
    /// Its room in the queue, which it has until it is confirmed.
    _permit: Permit,
}

impl Operation {
    /// Makes an operation, if there is room for it.
    pub(crate) fn new(room: &Room, action: Action) -> Result<(Self, oneshot::Receiver<Outcome>), BrokerError> {
        let permit = room.take(action.len())?;
        let (outcome, receiver) = oneshot::channel();
        let operation = Self { action, is_sent: false, outcome: Some(outcome), on_error: None, _permit: permit };
        Ok((operation, receiver))
    }

    /// Runs `on_error` before an error is reported. Not while a lock is held that it takes.
    pub(crate) fn on_error(&mut self, on_error: impl FnOnce() + Send + 'static) {
        self.on_error = Some(Box::new(on_error));
    }

    pub(crate) fn set_sent(&mut self) {
        self.is_sent = true;
    }

    pub(crate) fn end(mut self, outcome: Outcome) {
        self.report(outcome);
    }

    fn report(&mut self, outcome: Outcome) {
        let Some(sender) = self.outcome.take() else { return };
        if outcome.is_err()
            && let Some(on_error) = self.on_error.take()
        {
            on_error();
        }
        // There is no waiter.
        let _ = sender.send(outcome);
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let (kind, detail) = if self.is_sent {
            (BrokerErrorKind::Unknown, "the link was lost before the confirmation")
        } else {
            (BrokerErrorKind::Unavailable, "the link was lost before the operation was sent")
        };
        self.report(Err(BrokerError::new(kind, detail)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(room: &Room) -> (Operation, oneshot::Receiver<Outcome>) {
        let action = Action::Publish { subject: "s".into(), message: Bytes::from_static(&[0; 100]) };
        Operation::new(room, action).unwrap()
    }

    #[test]
    fn room_is_given_back_with_the_outcome() {
        let room = Room::new(2, 1000);
        let (first, mut first_outcome) = publish(&room);
        let (mut second, mut second_outcome) = publish(&room);
        first.end(Ok(()));
        assert!(first_outcome.try_recv().unwrap().is_ok());
        let (third, mut third_outcome) = publish(&room);
        assert_eq!(room.take(1).unwrap_err().kind(), BrokerErrorKind::Overloaded);
        second.set_sent();
        drop((second, third));
        assert!(second_outcome.try_recv().unwrap().unwrap_err().is_unknown());
        assert_eq!(third_outcome.try_recv().unwrap().unwrap_err().kind(), BrokerErrorKind::Unavailable);
        drop(room.take(1).unwrap());
    }
}
