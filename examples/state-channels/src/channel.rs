//! The one task that applies updates and tells of them.
//!
//! What handlers send leaves when their turn ends, so that two handlers of two connections may publish
//! in another order than they have agreed on. A task of its own publishes at once.

use std::sync::{Mutex, PoisonError};

use switchboard::{Conn, Hub, WsError};
use tokio::sync::mpsc;

use crate::{
    history::{History, Update},
    messages::{Payload, SequenceGap, StateSync, StateUpdate},
};

/// The topic of all who are connected.
pub(crate) const TOPIC: &str = "state";

/// How many messages wait for the task; behind that, handlers wait.
const QUEUE: usize = 256;

/// The data of a connection: how far it has come. Only the task changes it.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Last>);

#[derive(Debug, Default, Clone, Copy)]
struct Last {
    /// The client's last update that was applied, as it numbers them.
    client: u64,
    /// The same, as the server numbers all.
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

    /// Dropped before it is ready, the update is not applied.
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
    // Who has gone does not hear of it: nothing to be done.
    if seq > last + 1 {
        let _ = client.send(SequenceGap { expected_seq: last + 1, received_seq: seq, resume_from: server + 1 });
    } else if seq <= last {
        // What is not kept any more has only the client's own number left. That is never beyond the
        // server's, which counts its updates, too: clients take it for what it is, something old.
        let sync = history.find(client.id(), seq).map_or(StateSync { seq, payload }, sync);
        let _ = client.send(sync);
    } else {
        let server = history.push(client.id(), seq, Payload::clone(&payload));
        client.data().set(Last { client: seq, server });
        // Fails only if too much is on its way to very many: they will see the gap.
        let _ = hub.publish(TOPIC, StateSync { seq: server, payload }).await;
    }
}

fn catch_up(history: &History, client: &Client, from: u64) {
    let first = history.first_seq();
    // From 0 and from 1 is the same.
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
