//! Section 5: the extended dialect, only after `switchboard.v1.*` was negotiated.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use axum::Router;
use serde_json::{Value, json};
use switchboard::{Config, Conn, Contract, Hub, Identity, RefreshToken, UserEvent, WsError, WsRouter, ws_message};
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
async fn the_conformance_server_serves_what_is_generated_from_its_contract() {
    let server = server();
    let (status, asyncapi) = server.http("GET", "/asyncapi.json", None).await;
    assert_eq!((status, &asyncapi["asyncapi"]), (200, &json!("3.0.0")));
    assert_eq!(asyncapi["channels"]["ws"]["address"], "/ws");
    for action in ["send", "receive"] {
        let operations = asyncapi["operations"].as_object().unwrap();
        assert!(operations.values().any(|operation| operation["action"] == action), "{action}");
    }
    let (status, contract) = server.http("GET", "/contract.json", None).await;
    assert_eq!((status, &contract["topics"]), (200, &json!([{ "pattern": "open:*", "messages": ["SAID"] }])));
    let contract: Contract = serde_json::from_value(contract).unwrap();
    let client = switchboard_codegen::typescript(&contract).unwrap();
    for part in ["export type ServerMessage", "export type ClientMessage", &contract.hash()] {
        assert!(client.as_str().contains(part), "{part}");
    }
}

#[tokio::test]
async fn hello_is_the_first_frame() {
    let server = server();
    let (mut client, hello) = extended(&server, "/ws").await;
    assert_eq!(hello["clientId"].as_str(), client.headers["x-client-id"].to_str().ok());
    assert_eq!(hello["heartbeatMs"], 25_000);
    let limits = json!({ "maxMessageBytes": 65_536, "maxRequests": 64, "maxSubscriptions": 128 });
    assert_eq!(hello["limits"], limits);
    let (status, contract) = server.http("GET", "/contract.json", None).await;
    let contract: Contract = serde_json::from_value(contract).unwrap();
    assert_eq!((status, &hello["contract"]), (200, &json!(contract.hash())));
    client.assert_alive().await;
    let mut plain = server.connect("/ws").await;
    plain.assert_alive().await;
}

#[ws_message("NOTE")]
struct Note {
    n: u32,
}

#[tokio::test]
async fn hello_comes_before_whatever_is_sent_on_opening() {
    let hub = Hub::new();
    let open = async |conn: Conn| {
        conn.send(Note { n: 1 })?;
        conn.subscribe("t").await?;
        conn.publish("t", Note { n: 2 }).await?;
        Ok::<_, WsError>(())
    };
    let config = Config::new().max_message_bytes(1000).max_requests(2).max_subscriptions(3).ping_interval(None);
    let ws = WsRouter::<()>::new().hub(hub.clone()).config(config).identify(|()| Some("ann".into())).on_open(open);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    // Others may send as soon as the connection is listed.
    let mut events = hub.user_events();
    let elsewhere = hub.clone();
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let UserEvent::Online { conn: Some(conn), .. } | UserEvent::ConnectionAdded { conn, .. } = event {
                elsewhere.local_connection(conn).unwrap().send(Note { n: 3 }).unwrap();
            }
        }
    });
    for _ in 0..20 {
        let (mut client, hello) = extended(&server, "/ws").await;
        // Nothing is said of heartbeats where there are none.
        assert_eq!(hello.get("heartbeatMs"), None);
        assert_eq!(hello["limits"], json!({ "maxMessageBytes": 1000, "maxRequests": 2, "maxSubscriptions": 3 }));
        let mut notes = Vec::new();
        for _ in 0..3 {
            notes.push(client.expect("NOTE").await["n"].as_u64().unwrap());
        }
        notes.retain(|n| *n != 3);
        assert_eq!(notes, [1, 2]);
    }
}

#[tokio::test]
async fn goaway_says_when_to_come_back() {
    let server = server();
    let mut plain = server.connect("/ws").await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(extended(&server, "/ws").await.0);
    }
    assert_eq!(server.http("POST", "/drain", Some(json!({ "seconds": 0 }))).await.0, 202);
    let mut times = BTreeSet::new();
    for client in &mut clients {
        let goaway = client.expect("$ws:goaway").await;
        assert!(goaway["reason"].is_string());
        let time = goaway["retryInMs"].as_u64().unwrap();
        assert!(time < 1000, "{goaway}");
        times.insert(time);
        assert_eq!(client.expect_close().await.0, 1012);
    }
    // They do not all come back at once.
    assert!(times.len() > 1, "{times:?}");
    assert_eq!(plain.expect_close().await.0, 1012);
}

#[tokio::test]
async fn subscribe_is_denied_where_no_topic_is_open_to_clients() {
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

/// Whose connections begin with this token.
fn refreshing(token: &'static str) -> Server {
    let open = async move |conn: Conn| conn.identify(identity(token)?);
    let ws = WsRouter::new().on_open(open).on_refresh(refresh);
    Server::start(Router::new().route("/ws", ws_route(ws)))
}

#[tokio::test]
async fn refresh_renews_the_identity() {
    let server = refreshing("ann:60000");
    let (mut client, _) = extended(&server, "/ws").await;
    let refreshed = client.request("$ws:refresh", "r1", json!({ "token": "ann:30000" })).await;
    assert_eq!((&refreshed["type"], &refreshed["meta"]["correlationId"]), (&json!("$ws:refreshed"), &json!("r1")));
    let ms = refreshed["payload"]["expiresInMs"].as_u64().unwrap();
    assert!((20_000..=30_000).contains(&ms), "{ms}");
}

#[tokio::test]
async fn refresh_postpones_the_expiry() {
    let begin = Instant::now();
    let server = refreshing("ann:1000");
    let (mut client, _) = extended(&server, "/ws").await;
    let refreshed = client.request("$ws:refresh", "r1", json!({ "token": "ann:60000" })).await;
    assert_eq!(refreshed["type"], "$ws:refreshed");
    // Well past the first expiry: the server looks at it within a fraction of a second.
    while begin.elapsed() < Duration::from_millis(2000) {
        client.text(r#"{"type":"__heartbeat"}"#).await;
        assert_eq!(client.recv().await["type"], "__heartbeat_ack");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn refresh_to_an_identity_that_does_not_expire() {
    let for_ever = async |conn: Conn, _: RefreshToken| conn.identify(Identity::new("ann"));
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().on_refresh(for_ever))));
    let (mut client, _) = extended(&server, "/ws").await;
    let refreshed = client.request("$ws:refresh", "r1", json!({ "token": "x" })).await;
    assert_eq!(refreshed["type"], "$ws:refreshed");
    assert_eq!(refreshed["payload"], json!({ "expiresInMs": null }));
}

#[tokio::test]
async fn refresh_where_it_is_not_supported() {
    let server = server();
    let (mut client, _) = extended(&server, "/ws").await;
    let error = client.request("$ws:refresh", "r1", json!({ "token": "x" })).await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("r1")));
    assert_eq!(error["payload"]["code"], "UNIMPLEMENTED");
    // It is a request.
    client.send("$ws:refresh", json!({ "token": "x" })).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    client.assert_alive().await;
}

#[tokio::test]
async fn a_refresh_as_another_user_changes_nothing_and_expiry_closes_with_4001() {
    let server = refreshing("ann:60000");
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
