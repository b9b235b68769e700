//! Which hooks run when a connection ends.

use std::{future::pending, time::Duration};

use axum::{Router, extract::State};
use serde_json::json;
use switchboard::{Config, Conn, Failure, WsError, WsRouter, ws_message};
use switchboard_tests::{
    client::{PATIENCE, Server},
    serve::ws_route,
};
use tokio::sync::mpsc;

type Told = mpsc::Sender<&'static str>;

#[ws_message("LEAVE")]
struct Leave {}

/// Fails, and is the last that its connection does.
async fn leave(conn: Conn, _: Leave) -> Result<(), WsError> {
    conn.close(4000, "as asked");
    Err(WsError::not_found("the door"))
}

#[ws_message("FAIL")]
struct Fail {}

async fn fail(_: Fail) -> Result<(), WsError> {
    Err(WsError::not_found("nothing"))
}

fn serve(ws: WsRouter<Told>) -> (Server, mpsc::Receiver<&'static str>) {
    let (told, seen) = mpsc::channel(16);
    let closed = async |State(told): State<Told>| told.send("closed").await.unwrap();
    let app = Router::new().route("/ws", ws_route(ws.on(leave).on(fail).on_close(closed))).with_state(told);
    (Server::start(app), seen)
}

async fn next(seen: &mut mpsc::Receiver<&'static str>) -> &'static str {
    tokio::time::timeout(PATIENCE, seen.recv()).await.unwrap().unwrap()
}

#[expect(clippy::panic, reason = "what is tested")]
async fn panics() {
    panic!("as planned");
}

async fn fails() -> Result<(), WsError> {
    Err(WsError::unavailable("the database is down"))
}

#[tokio::test]
async fn close_hooks_run_whatever_becomes_of_the_others() {
    let beat = Duration::from_millis(50);
    let config = Config::new().hook_timeout(beat).ping_interval(beat).pong_timeout(beat);
    let stale = async |State(told): State<Told>| told.send("stale").await.unwrap();
    let hang = async || pending::<()>().await;
    let ws = WsRouter::new().config(config);
    let ws = ws.on_stale(fails).on_stale(panics).on_stale(hang).on_stale(stale);
    let (server, mut seen) = serve(ws.on_close(fails).on_close(panics).on_close(hang));
    // Nobody answers pings.
    let client = server.connect("/ws").await;
    assert_eq!((next(&mut seen).await, next(&mut seen).await), ("stale", "closed"));
    drop(client);
}

#[tokio::test]
async fn error_hooks_run_whatever_becomes_of_the_others() {
    let failed = async |State(told): State<Told>| told.send("failed").await.unwrap();
    let config = Config::new().hook_timeout(Duration::from_millis(50));
    let ws = WsRouter::new().config(config).on_error(fails).on_error(panics);
    let (server, mut seen) = serve(ws.on_error(async || pending::<()>().await).on_error(failed));
    let mut client = server.connect("/ws").await;
    client.send("FAIL", json!({})).await;
    assert_eq!(next(&mut seen).await, "failed");
    client.send("FAIL", json!({})).await;
    assert_eq!(next(&mut seen).await, "failed");
}

async fn slowly(State(told): State<Told>, failure: Failure) {
    told.send("failing").await.unwrap();
    // Long enough for the connection to be gone.
    tokio::time::sleep(Duration::from_millis(50)).await;
    told.send(failure.message_type().unwrap()).await.unwrap();
}

#[tokio::test]
async fn on_error_sees_what_fails_last() {
    let (server, mut seen) = serve(WsRouter::new().on_error(slowly));
    let mut client = server.connect("/ws").await;
    client.send("FAIL", json!({})).await;
    client.send("LEAVE", json!({})).await;
    assert_eq!(client.skip_to_close().await, 4000);
    for expected in ["failing", "FAIL", "failing", "LEAVE", "closed"] {
        assert_eq!(next(&mut seen).await, expected);
    }
}

#[tokio::test]
async fn on_error_comes_to_its_end_when_the_client_goes() {
    let (server, mut seen) = serve(WsRouter::new().on_error(slowly));
    let mut client = server.connect("/ws").await;
    client.send("FAIL", json!({})).await;
    assert_eq!(next(&mut seen).await, "failing");
    drop(client);
    assert_eq!((next(&mut seen).await, next(&mut seen).await), ("FAIL", "closed"));
}
