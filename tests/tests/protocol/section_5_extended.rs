//! Section 5: the extended dialect, only after `switchboard.v1.*` was negotiated.

use std::time::Duration;

use axum::Router;
use serde_json::{Value, json};
use switchboard::{Conn, Contract, Identity, RefreshToken, WsError, WsRouter};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};

use crate::server;

const OFFER: [(&str, &str); 1] = [("sec-websocket-protocol", "switchboard.v1.json")];

async fn extended(server: &Server, path: &str) -> (Client, Value) {
    let mut client = server.upgrade(path, &OFFER).await.unwrap();
    assert_eq!(client.headers["sec-websocket-protocol"], "switchboard.v1.json");
    let hello = client.expect("$ws:hello").await;
    (client, hello)
}

#[tokio::test]
async fn row_hello_is_the_first_frame() {
    let server = server();
    let (mut client, hello) = extended(&server, "/ws").await;
    assert_eq!(hello["clientId"].as_str(), client.headers["x-client-id"].to_str().ok());
    assert_eq!(hello["heartbeatMs"], 25_000);
    assert_eq!(hello["limits"]["maxMessageBytes"], 65_536);
    let (status, contract) = server.http("GET", "/contract.json", None).await;
    let contract: Contract = serde_json::from_value(contract).unwrap();
    assert_eq!((status, &hello["contract"]), (200, &json!(contract.hash())));
    client.assert_alive().await;
    let mut plain = server.connect("/ws").await;
    plain.assert_alive().await;
}

#[tokio::test]
async fn row_goaway_says_when_to_come_back() {
    let server = server();
    let (mut client, _) = extended(&server, "/ws").await;
    let mut plain = server.connect("/ws").await;
    assert_eq!(server.http("POST", "/drain", Some(json!({ "seconds": 0 }))).await.0, 202);
    let goaway = client.expect("$ws:goaway").await;
    assert!(goaway["reason"].is_string());
    assert!(goaway["retryInMs"].as_u64().unwrap() < 1000, "{goaway}");
    assert_eq!(client.expect_close().await.0, 1012);
    assert_eq!(plain.expect_close().await.0, 1012);
}

#[tokio::test]
async fn row_subscribe_is_denied_where_no_topic_is_open_to_clients() {
    let server = server();
    let (mut client, _) = extended(&server, "/ws").await;
    for message_type in ["$ws:subscribe", "$ws:unsubscribe"] {
        let error = client.request(message_type, "c", json!({ "topic": "t" })).await;
        assert_eq!((&error["type"], &error["payload"]["code"]), (&json!("RPC_ERROR"), &json!("PERMISSION_DENIED")));
    }
    // Without the subprotocol these types are reserved, and that is all.
    let mut plain = server.connect("/ws").await;
    for message_type in ["$ws:subscribe", "$ws:refresh", "$ws:hello"] {
        plain.send(message_type, json!({ "topic": "t", "token": "x" })).await;
        plain.expect_error("ERROR", "INVALID_ARGUMENT").await;
    }
}

/// Tokens are `user:milliseconds`.
fn identity(token: &str) -> Result<Identity, WsError> {
    let parsed = token.split_once(':').and_then(|(user, ms)| Some((user, ms.parse().ok()?)));
    let (user, ms) = parsed.ok_or_else(|| WsError::unauthenticated("Invalid token"))?;
    Ok(Identity::new(user).expires_in(Duration::from_millis(ms)))
}

async fn refresh(conn: Conn, token: RefreshToken) -> Result<(), WsError> {
    conn.identify(identity(token.as_str())?)
}

fn refreshing() -> Server {
    let open = async |conn: Conn| conn.identify(identity("ann:60000")?);
    let ws = WsRouter::new().on_open(open).on_refresh(refresh);
    Server::start(Router::new().route("/ws", ws_route(ws)))
}

#[tokio::test]
async fn row_refresh_renews_the_identity() {
    let server = refreshing();
    let (mut client, _) = extended(&server, "/ws").await;
    let refreshed = client.request("$ws:refresh", "r1", json!({ "token": "ann:30000" })).await;
    assert_eq!((&refreshed["type"], &refreshed["meta"]["correlationId"]), (&json!("$ws:refreshed"), &json!("r1")));
    let ms = refreshed["payload"]["expiresInMs"].as_u64().unwrap();
    assert!((20_000..=30_000).contains(&ms), "{ms}");
}

#[tokio::test]
async fn fault_34_a_refresh_as_another_user_changes_nothing_and_expiry_closes_with_4001() {
    let server = refreshing();
    let (mut client, _) = extended(&server, "/ws").await;
    for (token, code) in [("bob:1", "PERMISSION_DENIED"), ("rubbish", "UNAUTHENTICATED")] {
        let error = client.request("$ws:refresh", "r1", json!({ "token": token })).await;
        assert_eq!((&error["type"], &error["payload"]["code"]), (&json!("RPC_ERROR"), &json!(code)));
    }
    for payload in [json!({}), json!({ "token": 1 })] {
        let error = client.request("$ws:refresh", "r1", payload).await;
        assert_eq!(error["payload"]["code"], "INVALID_ARGUMENT");
    }
    let refreshed = client.request("$ws:refresh", "r2", json!({ "token": "ann:50" })).await;
    assert_eq!(refreshed["type"], "$ws:refreshed");
    assert_eq!(client.expect_close().await, (4001, "token expired".to_owned()));
}
