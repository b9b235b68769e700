//! What happens around messages.

use std::time::Duration;

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};
use switchboard::{
    CloseReason, ClosedBy, Config, Conn, Failure, Hub, SendError, SendErrorKind, WsError, WsRouter, ws_message,
};
use switchboard_tests::client::{Client, Server};
use switchboard_tests::serve::ws_route;
use tokio::sync::mpsc;

use crate::{Ping, Pong, serve};

async fn ping(_: Ping) -> Pong {
    Pong::new("pong")
}

#[ws_message("CLOSE")]
struct Close {
    code: u16,
}

async fn close(conn: Conn, close: Close) -> Result<(), WsError> {
    conn.send(Pong::new("bye"))?;
    conn.close(close.code, "as asked");
    // What is sent after the close is refused; the error says otherwise if it is not.
    match conn.send(Pong::new("late")).map_err(|error| error.kind()) {
        Err(SendErrorKind::Closed) => Err(WsError::unauthenticated("Invalid token")),
        other => Err(WsError::failed_precondition(format!("{other:?}"))),
    }
}

#[tokio::test]
async fn on_open_runs_first_and_what_arrives_meanwhile_waits() {
    async fn opened(conn: Conn) -> Result<(), SendError> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        conn.send(Pong::new("open"))
    }
    let server = serve(WsRouter::new().on(ping).on_open(opened));
    let mut client = server.connect("/ws").await;
    for _ in 0..40 {
        client.send("PING", json!({})).await;
    }
    assert_eq!(client.expect("PONG").await["text"], "open");
    for _ in 0..40 {
        assert_eq!(client.expect("PONG").await["text"], "pong");
    }
}

#[tokio::test]
async fn a_failed_open_hook_closes_with_1011() {
    async fn fails(_: Conn) -> Result<(), WsError> {
        Err(WsError::unavailable("the secret database is down"))
    }
    #[expect(clippy::panic, reason = "what is tested")]
    async fn panics(_: Conn) {
        panic!("secret");
    }
    async fn hangs(_: Conn) {
        std::future::pending().await
    }
    let config = Config::new().hook_timeout(Duration::from_millis(30));
    for ws in [
        WsRouter::new().on(ping).on_open(fails),
        WsRouter::new().on(ping).on_open(panics),
        WsRouter::new().on(ping).on_open(hangs).config(config),
    ] {
        let server = serve(ws);
        let mut client = server.connect("/ws").await;
        client.send("PING", json!({})).await;
        let (code, reason) = client.expect_close().await;
        assert_eq!(code, 1011);
        assert!(!reason.contains("secret"), "{reason}");
    }
}

type Reasons = mpsc::Sender<(u16, String, ClosedBy)>;

fn reporting(ws: WsRouter<Reasons>) -> (Server, mpsc::Receiver<(u16, String, ClosedBy)>) {
    async fn closed(State(reasons): State<Reasons>, conn: Conn, reason: CloseReason) {
        let text = if conn.is_closed() { reason.reason() } else { "still open" };
        reasons.send((reason.code().get(), text.to_owned(), reason.by())).await.unwrap();
    }
    let (send, receive) = mpsc::channel(16);
    let ws = ws.on(ping).on(close).on_close(closed);
    (Server::start(Router::new().route("/ws", ws_route(ws)).with_state(send)), receive)
}

async fn reason(reasons: &mut mpsc::Receiver<(u16, String, ClosedBy)>) -> (u16, String, ClosedBy) {
    tokio::time::timeout(Duration::from_secs(10), reasons.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn on_close_knows_code_reason_and_who() {
    let (server, mut reasons) = reporting(WsRouter::new());
    let mut client = server.connect("/ws").await;
    client.raw(&switchboard_tests::client::masked(0x88, b"\x0f\xa0because")).await;
    assert_eq!(client.skip_to_close().await, 4000);
    assert_eq!(reason(&mut reasons).await, (4000, "because".to_owned(), ClosedBy::Client));

    let mut client = server.connect("/ws").await;
    client.raw(&switchboard_tests::client::masked(0x88, b"")).await;
    assert_eq!(reason(&mut reasons).await, (1005, String::new(), ClosedBy::Client));

    drop(server.connect("/ws").await);
    assert_eq!(reason(&mut reasons).await, (1006, String::new(), ClosedBy::Lost));

    let mut client = server.connect("/ws").await;
    client.send("CLOSE", json!({ "code": 4321 })).await;
    client.skip_to_close().await;
    drop(client);
    assert_eq!(reason(&mut reasons).await, (4321, "as asked".to_owned(), ClosedBy::Server));

    let mut client = server.connect("/ws").await;
    client.raw(&[0x83, 0x80, 0, 0, 0, 0]).await;
    assert_eq!(client.skip_to_close().await, 1002);
    drop(client);
    assert_eq!(reason(&mut reasons).await.0, 1002);
}

#[tokio::test]
async fn messages_sent_before_close_and_the_handlers_error_still_arrive() {
    let (server, _reasons) = reporting(WsRouter::new());
    let mut client = server.connect("/ws").await;
    client.send("CLOSE", json!({ "code": 1008 })).await;
    client.send("PING", json!({})).await;
    assert_eq!(client.expect("PONG").await["text"], "bye");
    assert_eq!(client.expect_error("ERROR", "UNAUTHENTICATED").await["message"], "Invalid token");
    assert_eq!(client.expect_close().await, (1008, "as asked".to_owned()));
    // A code that may not be sent becomes 1000.
    let mut client = server.connect("/ws").await;
    client.send("CLOSE", json!({ "code": 1006 })).await;
    assert_eq!(client.skip_to_close().await, 1000);
}

#[tokio::test]
async fn on_close_may_publish() {
    async fn opened(conn: Conn) -> Result<(), WsError> {
        conn.subscribe("all").await?;
        conn.send(Pong::new("open"))?;
        Ok(())
    }
    async fn closed(conn: Conn) -> Result<(), WsError> {
        let count = conn.publish("all", Pong::new(conn.topics().join(","))).await?.count();
        // Nobody looks at what a hook asserts.
        conn.publish("all", Pong::new(format!("{count:?}"))).await?;
        Ok(())
    }
    let server = serve(WsRouter::new().on_open(opened).on_close(closed));
    let mut stays = server.connect("/ws").await;
    stays.expect("PONG").await;
    let mut goes = server.connect("/ws").await;
    goes.expect("PONG").await;
    goes.close(1000).await;
    assert_eq!(stays.expect("PONG").await["text"], "all");
    // The closed connection is no receiver.
    assert_eq!(stays.expect("PONG").await["text"], "Some(1)");
}

#[tokio::test]
async fn on_close_hooks_run_when_the_server_could_not_write_either() {
    let (server, mut reasons) = reporting(WsRouter::new());
    let client = server.connect("/ws").await;
    let stream = client.ws.into_inner();
    // RST instead of FIN.
    let stream = stream.into_std().unwrap();
    let socket = tokio::net::TcpStream::from_std(stream).unwrap();
    socket.set_zero_linger().unwrap();
    drop(socket);
    assert_eq!(reason(&mut reasons).await.0, 1006);
}

#[tokio::test]
async fn on_error_sees_every_failure_with_its_connection() {
    #[ws_message("ERROR_SEEN")]
    struct ErrorSeen {
        code: String,
        message_type: Option<String>,
    }
    async fn failed(conn: Conn, failure: Failure) -> Result<(), SendError> {
        tokio::task::yield_now().await;
        let code = failure.error().code().to_string();
        conn.send(ErrorSeen { code, message_type: failure.message_type().map(str::to_owned) })
    }
    #[ws_message("PANIC")]
    struct Panic {}
    #[expect(clippy::panic, reason = "what is tested")]
    async fn panics(_: Panic) {
        panic!("as planned");
    }
    let server = serve(WsRouter::new().on(ping).on(panics).on_error(failed));
    let mut client = server.connect("/ws").await;
    client.text("x").await;
    client.send("NOPE", json!({})).await;
    client.send("PING", json!({ "x": 1 })).await;
    client.send("PANIC", json!({})).await;
    client.send("PING", json!({})).await;
    for (code, message_type) in [
        ("INVALID_ARGUMENT", Value::Null),
        ("UNIMPLEMENTED", Value::Null),
        ("INVALID_ARGUMENT", json!("PING")),
        ("INTERNAL", json!("PANIC")),
    ] {
        client.expect_error("ERROR", code).await;
        assert_eq!(client.expect("ERROR_SEEN").await, json!({ "code": code, "messageType": message_type }));
    }
    client.expect("PONG").await;
}

#[tokio::test]
async fn on_error_sees_a_request_that_was_aborted_while_it_waited() {
    #[ws_message("CODE")]
    struct Code {
        code: String,
    }
    #[switchboard::ws_rpc("WAIT", response = Pong)]
    struct Wait {}
    async fn wait(_: Wait) -> Pong {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Pong::new("waited")
    }
    async fn failed(conn: Conn, failure: Failure) -> Result<(), SendError> {
        conn.send(Code { code: failure.error().code().to_string() })
    }
    let server = serve(WsRouter::new().on(wait).on_error(failed));
    let mut client = server.connect("/ws").await;
    client.send_request("WAIT", "c1", json!({})).await;
    client.send_request("WAIT", "c2", json!({})).await;
    client.text(r#"{"type":"$ws:abort","meta":{"correlationId":"c2"}}"#).await;
    client.expect_error("RPC_ERROR", "CANCELLED").await;
    client.expect("PONG").await;
    assert_eq!(client.expect("CODE").await, json!({ "code": "CANCELLED" }));
}

/// A connection may be closed by another thread at any moment of its first turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_close_from_another_thread_is_never_lost() {
    async fn opened(conn: Conn) {
        std::thread::spawn(move || conn.close(4000, "raced"));
    }
    let server = std::sync::Arc::new(serve(WsRouter::new().on_open(opened)));
    let clients = (0..8).map(|_| {
        let server = std::sync::Arc::clone(&server);
        tokio::spawn(async move {
            for _ in 0..50 {
                let mut client = server.connect("/ws").await;
                assert_eq!(client.skip_to_close().await, 4000);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn a_hub_is_shared_by_routes_and_http_handlers() {
    async fn opened(conn: Conn) -> Result<(), WsError> {
        conn.subscribe("all").await?;
        conn.send(Pong::new("open"))?;
        Ok(())
    }
    async fn notify(State(hub): State<Hub>) -> Json<Option<usize>> {
        Json(hub.publish("all", Pong::new("http")).await.ok().and_then(|published| published.count()))
    }
    let hub = Hub::new();
    let route = || ws_route(WsRouter::new().hub(hub.clone()).on_open(opened));
    let alone = ws_route(WsRouter::new().on_open(opened));
    let app = Router::new().route("/a", route()).route("/b", route()).route("/alone", alone);
    let server = Server::start(app.route("/notify", get(notify)).with_state(hub));
    let mut clients: Vec<Client> = Vec::new();
    for path in ["/a", "/b", "/alone"] {
        let mut client = server.connect(path).await;
        client.expect("PONG").await;
        clients.push(client);
    }
    assert_eq!(server.http("GET", "/notify", None).await.1, json!(2));
    for client in &mut clients[..2] {
        assert_eq!(client.expect("PONG").await["text"], "http");
    }
}
