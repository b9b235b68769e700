//! A command on its way, and its answer.

use redis::Value;
use switchboard_core::{
    adapter::{Permit, Room},
    broker::{BrokerError, BrokerErrorKind},
};
use tokio::sync::mpsc;

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
    _permit: Option<Permit>,
}

impl Request {
    /// A request of the link's own, which takes no room in the queue.
    pub(crate) fn internal(command: Command, on_outcome: impl FnOnce(Outcome) + Send + 'static) -> Self {
        Self { command, is_sent: false, on_outcome: Some(Box::new(on_outcome)), _permit: None }
    }

    /// Queues a request, or reports nothing to `on_outcome` and returns why not.
    pub(crate) fn queue(
        room: &Room,
        queue: &mpsc::Sender<Self>,
        command: Command,
        on_outcome: impl FnOnce(Outcome) + Send + 'static,
    ) -> Result<(), BrokerError> {
        let permit = room.take(command.len())?;
        let request = Self { command, is_sent: false, on_outcome: Some(Box::new(on_outcome)), _permit: Some(permit) };
        queue.try_send(request).map_err(|error| {
            let (mut request, error) = match error {
                mpsc::error::TrySendError::Full(request) => {
                    (request, BrokerError::new(BrokerErrorKind::Overloaded, "the link is busy"))
                }
                mpsc::error::TrySendError::Closed(request) => (request, link_down()),
            };
            request.on_outcome = None;
            error
        })
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

pub(crate) fn link_down() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Unavailable, "the link is down")
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn queue(room: &Room, sender: &mpsc::Sender<Request>) -> Result<oneshot::Receiver<Outcome>, BrokerErrorKind> {
        let (answer, outcome) = oneshot::channel();
        let command = Command::words(["PING"]);
        let queued = Request::queue(room, sender, command, |outcome| drop(answer.send(outcome)));
        queued.map(|()| outcome).map_err(|error| error.kind())
    }

    #[test]
    fn room_is_given_back_with_the_outcome() {
        let room = Room::new(2, 1000);
        let (sender, mut requests) = mpsc::channel(10);
        let mut first = queue(&room, &sender).unwrap();
        let mut second = queue(&room, &sender).unwrap();
        assert_eq!(queue(&room, &sender).unwrap_err(), BrokerErrorKind::Overloaded);
        requests.try_recv().unwrap().answer(Value::Okay);
        assert!(matches!(first.try_recv(), Ok(Ok(Value::Okay))));
        let mut third = queue(&room, &sender).unwrap();
        let mut sent = requests.try_recv().unwrap();
        sent.set_sent();
        drop(sent);
        drop(requests);
        assert!(matches!(second.try_recv(), Ok(Err(NoAnswer::Lost))));
        assert!(matches!(third.try_recv(), Ok(Err(NoAnswer::NotSent))));
        assert_eq!(queue(&room, &sender).unwrap_err(), BrokerErrorKind::Unavailable);
    }
}
