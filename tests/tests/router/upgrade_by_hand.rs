//! Handlers of the application's own that accept upgrades.

use axum::{
    Router,
    extract::{Path, State, ws::WebSocketUpgrade},
    http::{StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
    routing::any,
};
use serde_json::json;
use switchboard::{Conn, MountedRouter, WsRouter};
use switchboard_tests::client::Server;

use crate::{Ping, Pong};

struct User(String);

async fn ping(conn: Conn<User>, Path(name): Path<String>, _: Ping) -> Pong {
    Pong::new(format!("{} {name}", conn.data().0))
}

async fn connect(State(ws): State<MountedRouter<User>>, upgrade: WebSocketUpgrade, parts: Parts) -> Response {
    match parts.headers.get("x-name").and_then(|name| name.to_str().ok()) {
        Some(name) => {
            let user = User(name.to_owned());
            ws.on_upgrade(upgrade, parts, user).await
        }
        None => StatusCode::PAYMENT_REQUIRED.into_response(),
    }
}

#[tokio::test]
async fn on_upgrade_serves_what_the_application_accepts() {
    let ws = WsRouter::<(), User>::new().on(ping).mount();
    let server = Server::start(Router::new().route("/ws/{name}", any(connect)).with_state(ws));
    let mut client = server.upgrade("/ws/room", &[("x-name", "Ann")]).await.unwrap();
    assert_eq!(client.headers["x-client-id"].len(), 36);
    client.send("PING", json!({})).await;
    assert_eq!(client.expect("PONG").await["text"], "Ann room");
    assert_eq!(server.upgrade("/ws/room", &[]).await.unwrap_err().status, 402);
    let foreign = [("x-name", "Ann"), ("origin", "http://evil.example")];
    assert_eq!(server.upgrade("/ws/room", &foreign).await.unwrap_err().status, 403);
}
