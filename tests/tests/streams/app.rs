//! The application of the scenarios.

use axum::Router;
use serde_json::json;
use switchboard::{CloseReason, ClosedBy, Config, Conn, Hub, WsError, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{Client, PATIENCE},
    serve::ws_route,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::timeout,
};

#[ws_rpc("ECHO", response = Echoed)]
struct Echo {
    text: String,
}

#[ws_message("ECHOED")]
struct Echoed {
    text: String,
}

#[ws_message("JOIN")]
struct Join {}

#[ws_message("JOINED")]
struct Joined {}

/// Publishes one note.
#[ws_rpc("SAY", response = Reached)]
struct Say {
    from: u32,
    n: u32,
    bytes: usize,
}

/// How many members a note was for.
#[ws_message("REACHED")]
struct Reached {
    members: usize,
}

#[ws_message("NOTE")]
struct Note {
    from: u32,
    n: u32,
    text: String,
}

/// Sends many notes.
#[ws_rpc("POUR", response = Poured)]
struct Pour {
    count: u32,
    bytes: usize,
    /// For room, before each.
    wait: bool,
}

#[ws_message("POURED")]
struct Poured {
    count: u32,
}

#[ws_message("CLOSE")]
struct Close {
    code: u16,
    reason: String,
}

/// Never ends.
#[ws_rpc("HANG", response = Poured)]
struct Hang {}

#[ws_message("HANGING")]
struct Hanging {}

async fn echo(echo: Echo) -> Echoed {
    Echoed { text: echo.text }
}

async fn join(conn: Conn, _: Join) -> Result<Joined, WsError> {
    conn.subscribe("notes").await?;
    Ok(Joined {})
}

async fn say(conn: Conn, say: Say) -> Result<Reached, WsError> {
    let Say { from, n, bytes } = say;
    let published = conn.publish("notes", Note { from, n, text: "x".repeat(bytes) }).await?;
    Ok(Reached { members: published.count().unwrap_or(0) })
}

async fn pour(conn: Conn, pour: Pour) -> Result<Poured, WsError> {
    for n in 0..pour.count {
        if pour.wait {
            conn.ready().await?;
        }
        conn.send(Note { from: 0, n, text: "x".repeat(pour.bytes) })?;
    }
    Ok(Poured { count: pour.count })
}

async fn close(conn: Conn, close: Close) {
    conn.close(close.code, close.reason);
}

/// The scenarios' application, and what its hooks have seen.
pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) hub: Hub,
    closed: mpsc::Receiver<(u16, ClosedBy)>,
    dropped: mpsc::Receiver<()>,
}

impl App {
    /// At `/ws`.
    pub(crate) fn new(config: Config) -> Self {
        let hub = Hub::new();
        let (report, closed) = mpsc::channel(1000);
        let on_close = move |reason: CloseReason| {
            let report = report.clone();
            async move {
                _ = report.send((reason.code().get(), reason.by())).await;
            }
        };
        let (guard, dropped) = mpsc::channel(1000);
        let hang = move |conn: Conn, _: Hang| {
            let guard = Guard(guard.clone());
            async move {
                conn.send(Hanging {})?;
                std::future::pending::<()>().await;
                drop(guard);
                Ok::<_, WsError>(Poured { count: 0 })
            }
        };
        let ws = WsRouter::new().config(config).hub(hub.clone()).on(echo).on(join).on(say).on(pour).on(close).on(hang);
        let router = Router::new().route("/ws", ws_route(ws.on_close(on_close)));
        Self { router, hub, closed, dropped }
    }

    /// How the next connection that ends has ended.
    pub(crate) async fn closed(&mut self) -> (u16, ClosedBy) {
        timeout(PATIENCE, self.closed.recv()).await.expect("on_close in time").unwrap()
    }

    /// Waits until a handler of `HANG` was dropped.
    pub(crate) async fn dropped(&mut self) {
        timeout(PATIENCE, self.dropped.recv()).await.expect("dropped in time").unwrap();
    }

    /// Waits until nobody is connected.
    pub(crate) async fn is_empty(&self) {
        self.has_connections(0).await;
        let stats = self.hub.stats();
        assert_eq!((stats.subscriptions, stats.topics), (0, 0));
    }

    /// Waits until so many are connected.
    pub(crate) async fn has_connections(&self, count: usize) {
        let wait = async {
            while self.hub.stats().connections != count {
                tokio::task::yield_now().await;
            }
        };
        assert!(timeout(PATIENCE, wait).await.is_ok(), "not {count}: {:?}", self.hub.stats());
    }
}

/// Says that it was dropped.
struct Guard(mpsc::Sender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        _ = self.0.try_send(());
    }
}

/// Becomes a member of the topic.
pub(crate) async fn enter<S: AsyncRead + AsyncWrite + Unpin>(client: &mut Client<S>) {
    client.send("JOIN", json!({})).await;
    client.expect("JOINED").await;
}

/// The next message, which must be this note.
pub(crate) async fn expect_note<S: AsyncRead + AsyncWrite + Unpin>(client: &mut Client<S>, from: u32, n: u32) {
    let note = client.expect("NOTE").await;
    assert_eq!((&note["from"], &note["n"]), (&json!(from), &json!(n)));
}
