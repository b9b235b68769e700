//! The one task that changes the state and publishes it, so that all clients see all changes in
//! order.

use std::time::Duration;

use switchboard::{ConnId, WsError};
use tokio::{
    select,
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};

use crate::{
    Client,
    meeting::Meeting,
    messages::{Join, Update},
};

/// How many messages may wait for the task. Handlers wait if the queue is full.
const QUEUE: usize = 256;

type Answer = oneshot::Sender<Result<(), WsError>>;

#[derive(Debug)]
pub(crate) enum Command {
    Join(Client, Join, Answer),
    Update(Client, Update, Answer),
    Leave(ConnId),
    Heartbeat(ConnId),
    Closed(ConnId),
}

/// A handle to the task, which ends with the last handle.
#[derive(Debug, Clone)]
pub(crate) struct Room(mpsc::Sender<Command>);

impl Room {
    pub(crate) fn open(stale: Duration, sweep: Duration) -> Self {
        let (commands, mut received) = mpsc::channel(QUEUE);
        let mut sweep = interval(sweep);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::spawn(async move {
            let mut meeting = Meeting::default();
            loop {
                select! {
                    command = received.recv() => match command {
                        Some(command) => carry_out(&mut meeting, command),
                        None => break,
                    },
                    _ = sweep.tick() => meeting.sweep(stale),
                }
            }
        });
        Self(commands)
    }

    /// If dropped before it is ready, the task may still carry it out.
    pub(crate) async fn ask(&self, command: impl FnOnce(Answer) -> Command) -> Result<(), WsError> {
        let (answer, answered) = oneshot::channel();
        self.tell(command(answer)).await?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    pub(crate) async fn tell(&self, command: Command) -> Result<(), WsError> {
        self.0.send(command).await.map_err(|_| closed())
    }
}

fn carry_out(meeting: &mut Meeting, command: Command) {
    // The handler that asked was dropped.
    match command {
        Command::Join(client, join, answer) => drop(answer.send(meeting.join(client, join))),
        Command::Update(client, update, answer) => drop(answer.send(meeting.update(&client, update))),
        Command::Leave(client) => meeting.leave(client),
        Command::Heartbeat(client) => meeting.seen(client),
        Command::Closed(client) => meeting.closed(client),
    }
}

fn closed() -> WsError {
    WsError::unavailable("the meeting is over")
}
