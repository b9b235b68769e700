//! Four patterns for a server's work besides answering; each is a small type of its own.
//!
//! | file | content | messages | rows of the checklist |
//! |---|---|---|---|
//! | `store.rs`, `rooms.rs` | a store that notifies subscribers of changes | `JOIN_ROOM`, `SEND_MESSAGE`, `LEAVE_ROOM`; `ROOM_STATE_UPDATE` | 003-6 |
//! | `jobs.rs` | a queue for each client: jobs wait while another one runs, and run one by one | `RUN_JOB`, `CLEAR_JOBS`; `JOB_QUEUED`, `JOB_DONE`, `JOB_FAILED` | 003-7 |
//! | `batch.rs`, `cursors.rs` | messages within 10 ms are published together | `CURSOR`; `CURSORS` | 003-10 |
//! | `announce.rs` | a message to all, 100 at a time | `POST /announce`; `ANNOUNCEMENT` | 003-12 |
//!
//! ```text
//! PORT=3000 cargo run -p state-store
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws`:
//!
//! ```text
//! {"type":"JOIN_ROOM","payload":{"roomId":"kitchen","username":"ann"}}
//! {"type":"SEND_MESSAGE","payload":{"roomId":"kitchen","text":"hi"}}
//! {"type":"RUN_JOB","payload":{"id":"1","fails":false}}
//! {"type":"CURSOR","payload":{"x":1,"y":2}}
//! ```

mod announce;
mod batch;
mod cursors;
mod jobs;
mod rooms;
mod store;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{Router, extract::State, routing::post};
use switchboard::{AnyMessage, Authenticated, Conn, Hub, WsError, WsRouter, ws_route};

use self::{announce::Clients, batch::Batcher, cursors::Move, jobs::Jobs, rooms::Memberships};
pub use self::{
    jobs::Work,
    store::{Store, StoreFull, Subscription},
};

/// The state that the handlers share.
#[derive(Debug)]
struct App {
    rooms: Store<rooms::Room>,
    work: Work,
    cursors: Batcher<Move>,
    clients: Clients,
}

type Shared = Arc<App>;

/// The data of a connection: resources to free when it ends.
#[derive(Debug, Default)]
struct Session {
    memberships: Memberships,
    jobs: Arc<Jobs>,
}

type Client = Conn<Session>;

/// Returns the application, whose jobs take a tenth of a second each.
///
/// # Panics
///
/// Outside of a Tokio runtime.
pub fn app() -> Router {
    app_with(Work::taking(Duration::from_millis(100)))
}

/// Returns the application with other jobs.
///
/// # Panics
///
/// Outside of a Tokio runtime.
pub fn app_with(work: Work) -> Router {
    let hub = Hub::new();
    let (rooms, cursors, clients) = (Store::default(), cursors::batcher(hub.clone()), Clients::default());
    Router::new()
        .route("/ws", ws_route(ws().hub(hub)))
        .route("/announce", post(announce::announce))
        .with_state(Arc::new(App { rooms, work, cursors, clients }))
}

fn ws() -> WsRouter<Shared, Session, AnyMessage, Authenticated> {
    WsRouter::new()
        .authenticate(async || Ok::<_, Infallible>(Session::default()))
        .on_open(opened)
        .on(rooms::join_room)
        .on(rooms::send_message)
        .on(rooms::leave_room)
        .on(jobs::run_job)
        .on(jobs::clear_jobs)
        .on(cursors::cursor)
        .on_close(closed)
}

async fn opened(client: Client, State(app): State<Shared>) -> Result<(), WsError> {
    client.subscribe(cursors::TOPIC).await?;
    app.clients.add(client);
    Ok(())
}

/// Frees everything that a connection has left elsewhere.
async fn closed(client: Client, State(app): State<Shared>) {
    app.clients.remove(client.id());
    client.data().memberships.end();
    client.data().jobs.clear();
}
