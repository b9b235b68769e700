//! What the node asks of the broker, on its way.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use switchboard_core::broker::{BrokerError, BrokerErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

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
    _permits: [OwnedSemaphorePermit; 2],
}

impl Operation {
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

/// The room for operations that wait for their confirmation.
#[derive(Debug)]
pub(crate) struct Room {
    operations: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    max_bytes: usize,
}

impl Room {
    pub(crate) fn new(max_operations: usize, max_bytes: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { operations: semaphore(max_operations), bytes: semaphore(max_bytes), max_bytes }
    }

    /// Makes an operation, if there is room for it.
    pub(crate) fn operation(&self, action: Action) -> Result<(Operation, oneshot::Receiver<Outcome>), BrokerError> {
        let full = |what: &'static str| BrokerError::new(BrokerErrorKind::Overloaded, Cow::Borrowed(what));
        let bytes = action.len();
        if bytes > self.max_bytes {
            let text = format!("the message takes {bytes} bytes, more than max_queued_bytes ({})", self.max_bytes);
            return Err(BrokerError::new(BrokerErrorKind::Rejected, text));
        }
        let operation = Arc::clone(&self.operations)
            .try_acquire_owned()
            .map_err(|_| full("max_queued_operations operations wait for the server"))?;
        let bytes = Arc::clone(&self.bytes)
            .try_acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX))
            .map_err(|_| full("operations of max_queued_bytes wait for the server"))?;
        let (outcome, receiver) = oneshot::channel();
        let operation =
            Operation { action, is_sent: false, outcome: Some(outcome), on_error: None, _permits: [operation, bytes] };
        Ok((operation, receiver))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(room: &Room) -> Result<(Operation, oneshot::Receiver<Outcome>), BrokerErrorKind> {
        let action = Action::Publish { subject: "s".into(), message: Bytes::from_static(&[0; 100]) };
        room.operation(action).map_err(|error| error.kind())
    }

    #[test]
    fn room_is_given_back_with_the_outcome() {
        let room = Room::new(2, 1000);
        let (first, mut first_outcome) = publish(&room).unwrap();
        let (mut second, mut second_outcome) = publish(&room).unwrap();
        assert_eq!(publish(&room).err().unwrap(), BrokerErrorKind::Overloaded);
        first.end(Ok(()));
        assert!(first_outcome.try_recv().unwrap().is_ok());
        let (third, mut third_outcome) = publish(&room).unwrap();
        second.set_sent();
        drop((second, third));
        assert!(second_outcome.try_recv().unwrap().unwrap_err().is_unknown());
        assert_eq!(third_outcome.try_recv().unwrap().unwrap_err().kind(), BrokerErrorKind::Unavailable);
    }

    #[test]
    fn what_can_never_fit_is_told_from_what_does_not_fit_now() {
        assert_eq!(publish(&Room::new(2, 100)).err().unwrap(), BrokerErrorKind::Rejected);
        let room = Room::new(10, 200);
        let _first = publish(&room).unwrap();
        assert_eq!(publish(&room).err().unwrap(), BrokerErrorKind::Overloaded);
    }
}
