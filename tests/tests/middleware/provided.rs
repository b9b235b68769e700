//! Guards, and what layers say of messages.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use serde_json::json;
use switchboard::{RouteOptions, TraceLayer, WsError, WsRequest, WsRouter, middleware::guard};
use switchboard_tests::{client::Server, serve::ws_route};

use crate::{add, ping, serve};

#[tokio::test]
async fn row_001_10_and_11_a_guard_stops_the_chain_for_all_or_for_one_route() {
    struct User {
        role: Option<String>,
    }
    let known = guard(|request: &WsRequest<User>| match request.data().role {
        Some(_) => Ok(()),
        None => Err(WsError::unauthenticated("Authentication required")),
    });
    let admins = guard(|request: &WsRequest<User>| request.data().role.as_deref() == Some("admin"));
    let ws =
        WsRouter::<(), User>::new().on(ping).on_with(add, RouteOptions::new().layer(admins)).layer(known).authenticate(
            async |headers: axum::http::HeaderMap| {
                let role = headers.get("role").and_then(|role| role.to_str().ok()).map(str::to_owned);
                Ok::<_, StatusCode>(User { role })
            },
        );
    let server = Server::start(axum::Router::new().route("/ws", ws_route(ws)));
    for (role, may_ping, may_add) in [(None, false, "UNAUTHENTICATED"), (Some("user"), true, "PERMISSION_DENIED")] {
        let headers: Vec<_> = role.map(|role| ("role", role)).into_iter().collect();
        let mut client = server.upgrade("/ws", &headers).await.unwrap();
        client.send("PING", json!({})).await;
        assert_eq!(client.recv().await["type"] == "PONG", may_ping);
        let refused = client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await;
        assert_eq!(refused["payload"]["code"], may_add);
    }
    let mut admin = server.upgrade("/ws", &[("role", "admin")]).await.unwrap();
    assert_eq!(admin.request("ADD", "1", json!({ "a": 1, "b": 2 })).await["payload"]["result"], 3);
}

/// Where the log goes.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn row_003_3_each_message_is_logged_with_type_and_duration() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).without_time().finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = serve(WsRouter::new().on(add).layer(TraceLayer::new()));
    let mut client = server.connect("/ws").await;
    client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await;
    client.request("ADD", "2", json!({})).await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let id = client.headers["x-client-id"].to_str().unwrap();
    for outcome in ["OK", "INVALID_ARGUMENT"] {
        let line = text.lines().find(|line| line.contains(&format!("outcome=\"{outcome}\""))).unwrap();
        for part in ["type=\"ADD\"", "took=", id] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
}
