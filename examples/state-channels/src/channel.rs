//! The one task that applies updates and publishes them.
//!
//! Handlers publish at the end of their turn, so two handlers of two connections may publish in
//! another order than the one in which they changed the state. A task of its own publishes at once.

use std::sync::{Mutex, PoisonError};

use switchboard::{Conn, Hub, WsError};
use tokio::sync::mpsc;

use crate::{
    history::{History, Update},
    messages::{Payload, SequenceGap, StateSync, StateUpdate},
};

/// The topic of all connected clients.
pub(crate) const TOPIC: &str = "state";

/// How many messages may wait for the task. Handlers wait if the queue is full.
const QUEUE: usize = 256;

/// The data of a connection: its progress. Only the task changes it.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Last>);

#[derive(Debug, Default, Clone, Copy)]
struct Last {
    /// The client's last applied update, in the client's numbering.
    client: u64,
    /// The same in the server's numbering.
    server: u64,
}

impl Progress {
    fn get(&self) -> Last {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, last: Last) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }
}

type Client = Conn<Progress>;

#[derive(Debug)]
enum Command {
    Update(Client, StateUpdate),
    CatchUp(Client, u64),
}

/// A handle to the task, which ends with the last handle.
#[derive(Debug, Clone)]
pub(crate) struct Channel(mpsc::Sender<Command>);

impl Channel {
    pub(crate) fn start(hub: Hub, capacity: usize) -> Self {
        let (commands, mut received) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut history = History::new(capacity);
            while let Some(command) = received.recv().await {
                match command {
                    Command::Update(client, update) => apply(&hub, &mut history, &client, update).await,
                    Command::CatchUp(client, from) => catch_up(&history, &client, from),
                }
            }
        });
        Self(commands)
    }

    /// If dropped before it is ready, the update is not applied.
    pub(crate) async fn update(&self, client: Client, update: StateUpdate) -> Result<(), WsError> {
        self.give(Command::Update(client, update)).await
    }

    pub(crate) async fn catch_up(&self, client: Client, from: u64) -> Result<(), WsError> {
        self.give(Command::CatchUp(client, from)).await
    }

    async fn give(&self, command: Command) -> Result<(), WsError> {
        self.0.send(command).await.map_err(|_| WsError::unavailable("the channel is closed"))
    }
}

async fn apply(hub: &Hub, history: &mut History, client: &Client, update: StateUpdate) {
    let Last { client: last, server } = client.data().get();
    let StateUpdate { seq, payload } = update;
    // Fails only if the client has gone.
    if seq > last + 1 {
        let _ = client.send(SequenceGap { expected_seq: last + 1, received_seq: seq, resume_from: server + 1 });
    } else if seq <= last {
        // For updates that are not kept any more, only the client's own number is known. It is
        // never above the server's number, which counts them, too: clients recognise it as old.
        let sync = history.find(client.id(), seq).map_or(StateSync { seq, payload }, sync);
        let _ = client.send(sync);
    } else {
        let server = history.push(client.id(), seq, Payload::clone(&payload));
        client.data().set(Last { client: seq, server });
        // Fails only if too many messages are queued: clients notice the gap.
        let _ = hub.publish(TOPIC, StateSync { seq: server, payload }).await;
    }
}

fn catch_up(history: &History, client: &Client, from: u64) {
    let first = history.first_seq();
    // 0 and 1 mean the same.
    let from = from.max(1);
    if from < first {
        let _ = client.send(SequenceGap { expected_seq: from, received_seq: first, resume_from: first });
    }
    for update in history.since(from) {
        let _ = client.send(sync(update));
    }
}

fn sync(update: &Update) -> StateSync {
    StateSync { seq: update.seq, payload: update.payload.clone() }
}
