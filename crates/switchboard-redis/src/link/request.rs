//! A command on its way, and its answer.

use std::{borrow::Cow, sync::Arc};

use redis::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::command::Command;

/// The answer of the server, which may be an error of its own, or why there is none.
pub(crate) type Outcome = Result<Value, NoAnswer>;

/// Why a command has no answer.
#[derive(Debug, Clone)]
pub(crate) enum NoAnswer {
    /// It was not sent.
    NotSent,
    /// It was sent, at least in part, and the link was lost.
    Lost,
}

/// Takes the outcome. Runs in the task of the connection, so it must not block.
type OnOutcome = Box<dyn FnOnce(Outcome) + Send>;

/// A command that waits for its answer. Whatever happens to it, its outcome is reported exactly once.
pub(crate) struct Request {
    pub(crate) command: Command,
    is_sent: bool,
    on_outcome: Option<OnOutcome>,
    /// Its room in the queue, which it has until it is answered.
    _permits: Option<[OwnedSemaphorePermit; 2]>,
}

impl Request {
    /// A request of the link's own, which takes no room in the queue.
    pub(crate) fn internal(command: Command, on_outcome: impl FnOnce(Outcome) + Send + 'static) -> Self {
        Self { command, is_sent: false, on_outcome: Some(Box::new(on_outcome)), _permits: None }
    }

    pub(crate) fn set_sent(&mut self) {
        self.is_sent = true;
    }

    pub(crate) fn answer(mut self, value: Value) {
        if let Some(on_outcome) = self.on_outcome.take() {
            on_outcome(Ok(value));
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Some(on_outcome) = self.on_outcome.take() {
            on_outcome(Err(if self.is_sent { NoAnswer::Lost } else { NoAnswer::NotSent }));
        }
    }
}

/// The room for operations that wait for an answer, over all connections of a broker.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    operations: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    max_bytes: usize,
}

/// Why a request was not queued.
#[derive(Debug)]
pub(crate) enum NotQueued {
    Full(Cow<'static, str>),
    TooLarge(Cow<'static, str>),
    LinkDown,
}

impl Room {
    pub(crate) fn new(max_operations: usize, max_bytes: usize) -> Self {
        let bytes = Semaphore::new(max_bytes);
        Self { operations: Arc::new(Semaphore::new(max_operations)), bytes: Arc::new(bytes), max_bytes }
    }

    /// Queues a request, or reports nothing to `on_outcome` and returns why not.
    pub(crate) fn queue(
        &self,
        queue: &mpsc::Sender<Request>,
        command: Command,
        on_outcome: impl FnOnce(Outcome) + Send + 'static,
    ) -> Result<(), NotQueued> {
        let bytes = command.len();
        if bytes > self.max_bytes {
            let text = format!("the message takes {bytes} bytes, more than max_queued_bytes ({})", self.max_bytes);
            return Err(NotQueued::TooLarge(text.into()));
        }
        let operation = Arc::clone(&self.operations)
            .try_acquire_owned()
            .map_err(|_| NotQueued::Full("max_queued_operations operations wait for the server".into()))?;
        let bytes = Arc::clone(&self.bytes)
            .try_acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX))
            .map_err(|_| NotQueued::Full("operations of max_queued_bytes wait for the server".into()))?;
        let on_outcome: OnOutcome = Box::new(on_outcome);
        let permits = Some([operation, bytes]);
        let request = Request { command, is_sent: false, on_outcome: Some(on_outcome), _permits: permits };
        queue.try_send(request).map_err(|error| {
            let (mut request, reason) = match error {
                mpsc::error::TrySendError::Full(request) => (request, NotQueued::Full("the link is busy".into())),
                mpsc::error::TrySendError::Closed(request) => (request, NotQueued::LinkDown),
            };
            request.on_outcome = None;
            reason
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn queue(room: &Room, sender: &mpsc::Sender<Request>) -> Result<oneshot::Receiver<Outcome>, NotQueued> {
        let (answer, outcome) = oneshot::channel();
        let command = Command::words(["PING"]);
        room.queue(sender, command, |outcome| drop(answer.send(outcome))).map(|()| outcome)
    }

    #[test]
    fn room_is_given_back_with_the_outcome() {
        let room = Room::new(2, 1000);
        let (sender, mut requests) = mpsc::channel(10);
        let mut first = queue(&room, &sender).unwrap();
        let mut second = queue(&room, &sender).unwrap();
        assert!(matches!(queue(&room, &sender), Err(NotQueued::Full(_))));
        requests.try_recv().unwrap().answer(Value::Okay);
        assert!(matches!(first.try_recv(), Ok(Ok(Value::Okay))));
        let mut third = queue(&room, &sender).unwrap();
        let mut sent = requests.try_recv().unwrap();
        sent.set_sent();
        drop(sent);
        drop(requests);
        assert!(matches!(second.try_recv(), Ok(Err(NoAnswer::Lost))));
        assert!(matches!(third.try_recv(), Ok(Err(NoAnswer::NotSent))));
        assert!(matches!(queue(&room, &sender), Err(NotQueued::LinkDown)));
    }

    #[test]
    fn what_can_never_fit_is_told_from_what_does_not_fit_now() {
        let (sender, _requests) = mpsc::channel(10);
        assert!(matches!(queue(&Room::new(2, 10), &sender), Err(NotQueued::TooLarge(_))));
        let room = Room::new(10, 100);
        let _first = queue(&room, &sender).unwrap();
        assert!(matches!(queue(&room, &sender), Err(NotQueued::Full(_))));
    }
}
