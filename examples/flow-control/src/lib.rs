//! Clients that send faster than their messages are processed: each has a queue of 10, and the
//! policy of the route decides what happens when it is full. A client is told of every message that
//! is dropped.
//!
//! | path | when the queue is full |
//! |---|---|
//! | `/ws/drop-oldest` | the first item in the queue is dropped, which `RESOURCE_EXHAUSTED` reports, and the new one is queued |
//! | `/ws/drop-new` | the new item is dropped, which `RESOURCE_EXHAUSTED` reports instead of `DATA_ACK` |
//! | `/ws/queue` | the new item waits for room, which `RESOURCE_EXHAUSTED` reports, and is then queued. Meanwhile the client's messages are not read, and TCP slows it down |
//! | `/watch` | the processed items, as `DATA` |
//!
//! Each queue processes ten items per second, even if its client is gone.
//!
//! ```text
//! PORT=3000 cargo run -p flow-control
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws/drop-oldest`, more than ten times:
//!
//! ```text
//! {"type":"SEND_DATA","payload":{"data":"one"}}
//! ```

mod messages;
mod pace;
mod queue;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
};
use switchboard::{AnyMessage, Authenticated, Conn, Hub, WsError, WsRouter, ws_route};

pub use self::pace::Pace;
use self::{
    messages::{Data, DataAck, Policy, ResourceExhausted, SendData},
    queue::{Full, Item, Queue},
};

/// How long one item takes.
const WORK: Duration = Duration::from_millis(100);

/// The `retryAfterMs` of errors: by then there is room again.
const RETRY_AFTER_MS: u64 = 100;

/// The topic of processed items.
const DATA: &str = "data";

/// The data of a connection.
#[derive(Debug)]
struct Inlet {
    policy: Policy,
    queue: Arc<Queue>,
}

/// Returns the application.
pub fn app() -> Router {
    app_with(Pace::every(WORK))
}

/// Returns the application with queues of another pace.
pub fn app_with(pace: Pace) -> Router {
    let hub = Hub::new();
    let watch = WsRouter::new().hub(hub.clone()).on_open(watch);
    Router::new().route("/ws/{policy}", ws_route(ws().hub(hub))).route("/watch", ws_route(watch)).with_state(pace)
}

fn ws() -> WsRouter<Pace, Inlet, AnyMessage, Authenticated> {
    WsRouter::new()
        .on_open(opened)
        .on(send_data)
        .on_close(closed)
        // Another policy in the path is answered with 400.
        .authenticate(async |Path(policy): Path<Policy>| Ok::<_, Infallible>(Inlet { policy, queue: Arc::default() }))
}

async fn watch(conn: Conn) -> Result<(), WsError> {
    conn.subscribe(DATA).await?;
    Ok(())
}

/// The task ends once the connection is closed and the queue is empty: after a second at most.
async fn opened(conn: Conn<Inlet>, State(pace): State<Pace>) {
    let (queue, hub, client_id) = (Arc::clone(&conn.data().queue), conn.hub().clone(), conn.id().to_string());
    tokio::spawn(process_items(queue, pace, hub, client_id));
}

async fn process_items(queue: Arc<Queue>, pace: Pace, hub: Hub, client_id: String) {
    while queue.filled().await {
        pace.next().await;
        // If the first item was dropped meanwhile, this is the next one.
        let Some(Item { id, data }) = queue.pop() else { continue };
        let data = Data { client_id: client_id.clone(), id: id.to_string(), data };
        // Without watchers, or if too much is published, the item is processed all the same.
        let _ = hub.publish(DATA, data).await;
    }
}

async fn send_data(conn: Conn<Inlet>, message: SendData) -> Result<(), WsError> {
    let Inlet { policy, queue } = conn.data();
    let policy = *policy;
    let exhausted = |queue_depth| conn.send(ResourceExhausted { policy, retry_after_ms: RETRY_AFTER_MS, queue_depth });
    let id = match (queue.push(message.data), policy) {
        (Ok(id), _) => id,
        (Err(Full { depth, .. }), Policy::DropNew) => return Ok(exhausted(depth)?),
        (Err(Full { data, .. }), Policy::DropOldest) => {
            let (id, depth) = queue.push_dropping_oldest(data);
            exhausted(depth)?;
            id
        }
        (Err(Full { data, depth }), Policy::Queue) => {
            exhausted(depth)?;
            // If that takes longer than a handler's deadline, the client gets `DEADLINE_EXCEEDED`.
            queue.push_when_possible(data).await
        }
    };
    Ok(conn.send(DataAck { id: id.to_string() })?)
}

async fn closed(conn: Conn<Inlet>) {
    conn.data().queue.close();
}
