//! Section 6: close codes really arrive.

use std::time::{Duration, Instant};

use axum::Router;
use serde_json::json;
use switchboard::{CloseReason, Config, Conn, WsError, WsRouter, ws_message};
use switchboard_tests::{
    client::{Client, PATIENCE, Server, masked},
    serve::ws_route,
};
use tokio::{io::AsyncWriteExt as _, sync::mpsc};

use crate::server;

#[tokio::test]
async fn broken_frames_get_1002() {
    let server = server();
    for (what, broken) in [
        ("not masked", b"\x81\x02{}".to_vec()),
        ("reserved bit 1", masked(0xc1, b"{}")),
        ("reserved bit 2", masked(0xa1, b"{}")),
        ("reserved bit 3", masked(0x91, b"{}")),
        ("opcode 3", masked(0x83, b"{}")),
        ("opcode 11", masked(0x8b, b"")),
        ("fragmented control frame", masked(0x09, b"")),
        ("control frame of 126 bytes", masked(0x89, &[0; 126])),
        ("continuation of nothing", masked(0x80, b"{}")),
        ("message within a message", [masked(0x01, b"a"), masked(0x81, b"b")].concat()),
        ("close frame of one byte", masked(0x88, b"x")),
    ] {
        let mut client = server.connect("/ws").await;
        client.raw(&broken).await;
        assert_eq!(client.expect_close().await.0, 1002, "{what}");
    }
    server.wait_for("/stats", "connections", &json!(0)).await;
}

#[tokio::test]
async fn bad_utf8_gets_1007() {
    let server = server();
    for (what, bytes) in [
        ("at once", masked(0x81, b"{\"type\":\"\xff\"}")),
        // The rest of the message never comes.
        ("in a fragment", masked(0x01, b"abc\xed\xa0")),
        ("split over fragments", [masked(0x01, b"\xce"), masked(0x00, b"\xff")].concat()),
        ("cut off", [masked(0x01, b"\xce"), masked(0x80, b"")].concat()),
        ("in a close frame", masked(0x88, b"\x03\xe8\xff")),
    ] {
        let mut client = server.connect("/ws").await;
        client.raw(&bytes).await;
        assert_eq!(client.expect_close().await.0, 1007, "{what}");
    }
}

#[tokio::test]
async fn a_close_frame_arrives_before_unread_input_resets_the_connection() {
    let server = server();
    let mut client = server.connect("/ws").await;
    // The header of a frame that is too big, and then a lot that the server will never read.
    let mut bytes = vec![0x81, 0xff, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
    bytes.resize(40_000, b'x');
    client.raw(&bytes).await;
    assert_eq!(client.expect_close().await.0, 1009);
}

#[tokio::test]
async fn a_valid_close_code_is_echoed_and_an_invalid_one_answered_with_1002() {
    let server = server();
    for code in [1000, 1001, 1003, 1007, 1011, 3000, 4999] {
        assert_eq!(server.connect("/ws").await.close(code).await, code);
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535] {
        assert_eq!(server.connect("/ws").await.close(code).await, 1002, "{code}");
    }
    server.wait_for("/stats", "connections", &json!(0)).await;
}

#[tokio::test]
async fn a_reply_arrives_though_its_client_closes_at_once() {
    let server = server();
    for code in [1000u16, 4000] {
        let mut client = server.connect("/ws").await;
        let request = json!({ "type": "ADD", "meta": { "correlationId": "c1" }, "payload": { "a": 1, "b": 2 } });
        let mut bytes = masked(0x81, request.to_string().as_bytes());
        bytes.extend(masked(0x88, &code.to_be_bytes()));
        client.raw(&bytes).await;
        assert_eq!(client.expect("SUM").await, json!({ "result": 3.0 }));
        assert_eq!(client.expect_close().await.0, code);
    }
}

#[tokio::test]
async fn subscriptions_end_with_the_connection() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for topic in ["a", "b"] {
        client.send("JOIN", json!({ "topic": topic })).await;
        client.expect("JOINED").await;
    }
    let (_, stats) = server.http("GET", "/stats", None).await;
    assert_eq!(stats, json!({ "connections": 1, "subscriptions": 2, "topics": 2 }));
    drop(client);
    for key in ["connections", "subscriptions", "topics"] {
        server.wait_for("/stats", key, &json!(0)).await;
    }
    let (status, health) = server.http("GET", "/health", None).await;
    assert_eq!((status, &health["ready"], &health["degraded"]), (200, &json!(true), &json!(false)));
    assert_eq!((&health["nodes"], &health["broker"]), (&json!(1), &json!({ "state": "none" })));
}

#[tokio::test]
async fn a_connection_can_be_kicked_as_soon_as_its_101_is_there() {
    let server = server();
    let mut admin = server.connect("/ws").await;
    for n in 0..50 {
        let mut client = server.connect("/ws").await;
        let id = client.headers["x-client-id"].to_str().unwrap().to_owned();
        let kicked = admin.request("KICK", &n.to_string(), json!({ "clientId": id })).await;
        assert_eq!(kicked["payload"], json!({ "found": true }));
        assert_eq!(client.expect_close().await.0, 4503);
    }
}

/// Tells when it is dropped.
struct Guard(mpsc::UnboundedSender<&'static str>);

impl Drop for Guard {
    fn drop(&mut self) {
        _ = self.0.send("dropped");
    }
}

#[ws_message("HANG")]
struct Hang;

#[tokio::test]
async fn handlers_and_hooks_do_not_wait_for_the_peer_to_hang_up() {
    let (told, mut events) = mpsc::unbounded_channel();
    let closed = told.clone();
    let ws = WsRouter::new()
        // Longer than any test may take.
        .config(Config::new().close_timeout(Duration::from_secs(600)))
        .on(async move |_: Hang| {
            let _guard = Guard(told.clone());
            _ = told.send("began");
            std::future::pending::<Result<(), WsError>>().await
        })
        .on_close(async move |_: CloseReason| _ = closed.send("closed"));
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut client = server.connect("/ws").await;
    client.text(r#"{"type":"HANG"}"#).await;
    assert_eq!(events.recv().await, Some("began"));
    // Its part of the close, and no more: it neither reads nor goes.
    client.raw(&masked(0x88, &1000u16.to_be_bytes())).await;
    for expected in ["dropped", "closed"] {
        let event = tokio::time::timeout(Duration::from_secs(20), events.recv()).await;
        assert_eq!(event.unwrap(), Some(expected));
    }
    assert_eq!(client.expect_close().await.0, 1000);
}

#[ws_message("CLOSE")]
struct Close {
    reason: String,
}

/// Closes when it is asked to.
fn closing(config: Config) -> Server {
    let close = async |conn: Conn, close: Close| conn.close(4000, close.reason);
    Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().config(config).on(close))))
}

#[tokio::test]
async fn a_reason_is_cut_between_characters() {
    let server = closing(Config::new());
    for (reason, len) in [("é".repeat(100), 122), ("x".repeat(123), 123), ("x".repeat(124), 123), (String::new(), 0)] {
        let mut client = server.connect("/ws").await;
        client.send("CLOSE", json!({ "reason": reason })).await;
        let (code, told) = client.expect_close().await;
        assert_eq!((code, told.as_str()), (4000, &reason[..len]));
    }
}

/// Closed by the server; the client has that frame, and does not answer it.
async fn half_closed(server: &Server) -> Client {
    let mut client = server.connect("/ws").await;
    client.send("CLOSE", json!({ "reason": "" })).await;
    assert_eq!(client.expect_close().await.0, 4000);
    client
}

/// Writes until the server's socket is gone.
async fn write_to_the_end(client: &mut Client, frame: &[u8], pause: Duration) {
    let write = async {
        while client.ws.get_mut().write_all(frame).await.is_ok() {
            tokio::time::sleep(pause).await;
        }
    };
    tokio::time::timeout(PATIENCE, write).await.expect("the end in time");
}

#[tokio::test]
async fn a_peer_that_never_closes_is_dropped() {
    let server = closing(Config::new().close_timeout(Duration::from_millis(100)));
    let mut client = half_closed(&server).await;
    write_to_the_end(&mut client, &masked(0x89, b""), Duration::from_millis(5)).await;
}

#[tokio::test]
async fn discarded_input_is_bounded() {
    // It is not the time that ends this.
    let server = closing(Config::new().close_timeout(Duration::from_secs(600)));
    let mut client = half_closed(&server).await;
    write_to_the_end(&mut client, &masked(0x81, &[b'x'; 8192]), Duration::ZERO).await;
}

#[tokio::test]
async fn a_peer_that_does_not_close_is_dropped_after_the_default_time() {
    let begin = Instant::now();
    let server = closing(Config::new());
    let mut client = half_closed(&server).await;
    write_to_the_end(&mut client, &masked(0x89, b""), Duration::from_millis(5)).await;
    let took = begin.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(6)).contains(&took), "{took:?}");
}
