//! Authentication: at the upgrade, after it, in band, again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode};
use serde_json::json;
use switchboard::{Config, Conn, Identity, WsError, WsRouter, ws_message};
use switchboard_tests::{
    client::{PATIENCE, Server, masked},
    serve::ws_route,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::server;

#[tokio::test]
async fn refusals_stay_http_unless_a_route_asks() {
    let server = server();
    for (token, status) in [("", 401), ("?access_token=eve", 401), ("?access_token=boom", 500)] {
        let refusal = server.upgrade(&format!("/secure{token}"), &[]).await.unwrap_err();
        assert_eq!(refusal.status, StatusCode::from_u16(status).unwrap(), "{token}");
    }
    for headers in [
        [("authorization", "Bearer alice")],
        [("cookie", "a=b; auth_token=alice")],
        [("sec-websocket-protocol", "bearer.alice")],
    ] {
        let mut client = server.upgrade("/secure", &headers).await.unwrap();
        let me = client.request("WHOAMI", "c", json!({})).await;
        assert_eq!(me["payload"]["user"], "alice");
    }
}

#[tokio::test]
async fn a_refused_browser_gets_4401_after_the_upgrade() {
    let server = server();
    for (path, headers) in [
        ("/secure-close", vec![]),
        ("/secure-close?access_token=eve", vec![]),
        ("/secure-close", vec![("sec-websocket-protocol", "bearer.eve")]),
        ("/secure-close", vec![("sec-websocket-protocol", "switchboard.v1.json, bearer.eve")]),
    ] {
        let mut client = server.upgrade(path, &headers).await.unwrap();
        if let Some((_, offered)) = headers.first() {
            // Else a browser would fail the connection before it sees why.
            let first = offered.split(", ").next().unwrap();
            assert_eq!(client.headers["sec-websocket-protocol"], first);
        }
        assert_eq!(client.expect_close().await.0, 4401);
    }
    // Other statuses stay HTTP; whoever is let in is.
    let refusal = server.upgrade("/secure-close?access_token=boom", &[]).await.unwrap_err();
    assert_eq!(refusal.status, StatusCode::INTERNAL_SERVER_ERROR);
    let mut client = server.upgrade("/secure-close?access_token=bob", &[]).await.unwrap();
    client.assert_alive().await;
    let (_, stats) = server.http("GET", "/stats", None).await;
    assert_eq!(stats["connections"], 1);
}

#[tokio::test]
async fn a_panic_while_identifying_costs_one_upgrade() {
    #[expect(clippy::panic, reason = "what is tested")]
    let ws = WsRouter::<()>::new().identify(|()| panic!("as planned"));
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    assert_eq!(server.upgrade("/ws", &[]).await.unwrap_err().status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_refusal_after_the_upgrade_is_4403() {
    let refuse = async || Err::<(), _>(StatusCode::FORBIDDEN);
    // Whatever would be done with it.
    let open = async |conn: Conn| conn.send(Slow {});
    let ws = WsRouter::new().refuse_after_accept().authenticate(refuse).on_open(open);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut client = server.connect("/ws").await;
    assert_eq!(client.expect_close().await, (4403, "Forbidden".to_owned()));
}

#[tokio::test]
async fn a_client_that_does_not_authenticate_gets_1008() {
    let server = server();
    let mut client = server.connect("/limited").await;
    assert_eq!(client.expect_close().await, (1008, "Authentication required".to_owned()));
}

#[tokio::test]
async fn in_band_authentication_keeps_the_connection() {
    let server = server();
    let mut client = server.connect("/limited").await;
    client.assert_alive().await;
    client.send("AUTH", json!({ "token": "alice" })).await;
    assert_eq!(client.expect("AUTHED").await, json!({ "user": "alice" }));
    // Beyond the deadline of two seconds: the client library answers the pings.
    for _ in 0..25 {
        client.text(r#"{"type":"__heartbeat"}"#).await;
        assert_eq!(client.recv().await["type"], "__heartbeat_ack");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    client.send("AUTH", json!({ "token": "bob" })).await;
    client.expect_error("ERROR", "PERMISSION_DENIED").await;
    client.assert_alive().await;
}

#[tokio::test]
async fn an_invalid_token_gets_1008() {
    let server = server();
    let mut client = server.connect("/limited").await;
    client.send("AUTH", json!({ "token": "eve" })).await;
    let error = client.expect_error("ERROR", "UNAUTHENTICATED").await;
    assert_eq!(error["message"], "Invalid token");
    assert_eq!(client.expect_close().await, (1008, "Invalid token".to_owned()));
}

#[tokio::test]
async fn an_expired_token_gets_4001() {
    let identity = |_: &()| Some(Identity::new("ann").expires_in(Duration::from_millis(50)));
    let ws = WsRouter::<()>::new().identify(identity);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut client = server.connect("/ws").await;
    assert_eq!(client.expect_close().await, (4001, "token expired".to_owned()));
}

#[ws_message("CHECK")]
struct Check {}

#[derive(Clone)]
struct App {
    /// 0: may stay; 1: unknown; 2: not allowed; 3: the check fails.
    verdict: Arc<AtomicU8>,
    checked: Arc<AtomicBool>,
}

async fn may_stay(State(app): State<App>) -> Result<(), WsError> {
    app.checked.store(true, SeqCst);
    match app.verdict.load(SeqCst) {
        0 => Ok(()),
        1 => Err(WsError::unauthenticated("logged out")),
        2 => Err(WsError::permission_denied("no longer allowed")),
        _ => Err(WsError::unavailable("the database is down")),
    }
}

#[tokio::test]
async fn a_connection_is_reauthorised_on_demand() {
    let app = App { verdict: Arc::default(), checked: Arc::default() };
    let ws = WsRouter::new().on_reauthorize(may_stay).on(async |conn: Conn, _: Check| conn.reauthorize());
    let server = Server::start(Router::new().route("/ws", ws_route(ws)).with_state(app.clone()));
    for (verdict, code) in [(0, None), (3, None), (1, Some(4401)), (2, Some(4403))] {
        app.verdict.store(verdict, SeqCst);
        app.checked.store(false, SeqCst);
        let mut client = server.connect("/ws").await;
        client.send("CHECK", json!({})).await;
        match code {
            Some(code) => assert_eq!(client.expect_close().await.0, code),
            None => {
                client.text(r#"{"type":"NOPE"}"#).await;
                client.expect_error("ERROR", "UNIMPLEMENTED").await;
            }
        }
        assert!(app.checked.load(SeqCst), "{verdict}");
    }
}

#[tokio::test]
async fn reauthorisation_at_an_interval() {
    let app = App { verdict: Arc::new(AtomicU8::new(0)), checked: Arc::default() };
    let config = Config::new().reauthorize_interval(Duration::from_millis(40));
    let ws = WsRouter::new().config(config).on_reauthorize(may_stay);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)).with_state(app.clone()));
    let mut client = server.connect("/ws").await;
    while !app.checked.swap(false, SeqCst) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    app.verdict.store(2, SeqCst);
    assert_eq!(client.expect_close().await, (4403, "no longer allowed".to_owned()));
}

#[ws_message("SLOW")]
struct Slow {}

#[tokio::test]
async fn nothing_is_lost_that_arrives_while_authentication_runs() {
    let slow = async || {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok::<_, StatusCode>(())
    };
    let ws = WsRouter::new().authenticate(slow).on(async |conn: Conn, _: Slow| {
        let _ = conn.send(Slow {});
    });
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    // In one piece with the request, long before the answer to it.
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let request = "GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let early = [request.as_bytes(), &masked(0x81, br#"{"type":"SLOW","payload":{}}"#)].concat();
    stream.write_all(&early).await.unwrap();
    let mut bytes = Vec::new();
    let answered = async {
        while !String::from_utf8_lossy(&bytes).contains(r#"{"type":"SLOW""#) {
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "{}", String::from_utf8_lossy(&bytes));
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.unwrap();
    assert!(bytes.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&bytes));
}
