//! Guards, and what layers say of messages.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::http::StatusCode;
use serde_json::json;
use switchboard::{RouteOptions, TraceLayer, WsError, WsRequest, WsRouter, middleware::guard, ws_rpc};
use switchboard_tests::{
    client::{PATIENCE, Server},
    serve::ws_route,
};

use crate::{Sum, add, ping, serve};

#[tokio::test]
async fn a_guard_stops_the_chain_for_all_or_for_one_route() {
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
    let roles = [(None, "UNAUTHENTICATED", "UNAUTHENTICATED"), (Some("user"), "PONG", "PERMISSION_DENIED")];
    for (role, to_ping, to_add) in roles {
        let headers: Vec<_> = role.map(|role| ("role", role)).into_iter().collect();
        let mut client = server.upgrade("/ws", &headers).await.unwrap();
        client.send("PING", json!({})).await;
        let answer = client.recv().await;
        assert_eq!(answer["payload"]["code"].as_str().or(answer["type"].as_str()), Some(to_ping));
        let refused = client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await;
        assert_eq!(refused["payload"]["code"], to_add);
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

impl Lines {
    /// What this thread logs, as long as the guard lives.
    fn of_this_thread() -> (Self, tracing::subscriber::DefaultGuard) {
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).without_time().finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }

    /// The outcomes that [`TraceLayer`] has logged of messages of a type.
    fn outcomes(&self, message_type: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().filter(|line| line.contains(&format!("type=\"{message_type}\"")));
        lines.filter_map(|line| line.split_once("outcome=\"")?.1.split('"').next().map(str::to_owned)).collect()
    }
}

#[tokio::test]
async fn each_message_is_logged_with_type_and_duration() {
    let (lines, _guard) = Lines::of_this_thread();
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

#[tokio::test]
async fn a_message_that_does_not_come_to_its_end_is_logged_too() {
    #[ws_rpc("HANG", response = Sum)]
    struct Hang {}
    #[ws_rpc("PANIC", response = Sum)]
    struct Panic {
        later: bool,
    }
    async fn hang(_: Hang) -> Sum {
        std::future::pending().await
    }
    #[expect(clippy::panic, reason = "what is tested")]
    async fn panics(panic: Panic) -> Sum {
        if panic.later {
            tokio::task::yield_now().await;
        }
        panic!("as planned");
    }
    let (lines, _guard) = Lines::of_this_thread();
    let server = serve(WsRouter::new().on(hang).on(panics).layer(TraceLayer::new()));
    let mut client = server.connect("/ws").await;
    for later in [false, true] {
        client.request("PANIC", "p", json!({ "later": later })).await;
    }
    assert_eq!(lines.outcomes("PANIC"), ["INTERNAL", "INTERNAL"]);
    // By its deadline, by the client, and by the end of the connection.
    client.text(r#"{"type":"HANG","meta":{"correlationId":"1","timeoutMs":20},"payload":{}}"#).await;
    client.expect_error("RPC_ERROR", "DEADLINE_EXCEEDED").await;
    assert_eq!(lines.outcomes("HANG"), ["dropped"]);
    client.send_request("HANG", "2", json!({})).await;
    client.text(r#"{"type":"$ws:abort","meta":{"correlationId":"2"}}"#).await;
    client.expect_error("RPC_ERROR", "CANCELLED").await;
    assert_eq!(lines.outcomes("HANG"), ["dropped"; 2]);
    client.send_request("HANG", "3", json!({})).await;
    client.close(1000).await;
    let all_three = async {
        while lines.outcomes("HANG") != ["dropped"; 3] {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all_three).await.unwrap();
}
