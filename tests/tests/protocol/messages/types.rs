//! Section 1: types of messages.

use axum::Router;
use serde_json::json;
use switchboard::{UnknownMessage, WsError, WsRouter};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};

use crate::server;

/// Sends an event and a request of this type; both get this code.
async fn refused(client: &mut Client, message_type: &str, code: &str) {
    client.text(json!({ "type": message_type }).to_string()).await;
    let error = client.recv().await;
    assert_eq!((&error["type"], error["meta"].get("correlationId")), (&json!("ERROR"), None), "{message_type:?}");
    assert_eq!(error["payload"]["code"], code, "{message_type:?}");
    let error = client.request(message_type, "c", json!({})).await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("c")));
    assert_eq!(error["payload"]["code"], code, "{message_type:?}");
}

#[tokio::test]
async fn reserved_types_are_refused() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for reserved in ["$ws:subscribe", "$ws:", "__heartbeat_ack", "__x", "ERROR", "RPC_ERROR"] {
        refused(&mut client, reserved, "INVALID_ARGUMENT").await;
    }
    client.assert_alive().await;
}

#[tokio::test]
async fn types_an_empty_type_is_refused() {
    let server = server();
    let mut client = server.connect("/ws").await;
    refused(&mut client, "", "INVALID_ARGUMENT").await;
    client.assert_alive().await;
}

#[tokio::test]
async fn types_too_long_or_with_control_characters_are_refused() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for bad in [&"x".repeat(129), &"é".repeat(65), "A\u{0}", "A\nB", "\u{7f}", "A\u{85}B"] {
        refused(&mut client, bad, "INVALID_ARGUMENT").await;
    }
    client.assert_alive().await;
    for unknown in [&"x".repeat(128), &"é".repeat(64), "A B", "À"] {
        refused(&mut client, unknown, "UNIMPLEMENTED").await;
    }
    client.assert_alive().await;
}

#[tokio::test]
async fn types_that_break_the_rules_do_not_reach_the_fallback() {
    let fallback = async |_: UnknownMessage| Err::<(), _>(WsError::not_found("seen"));
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().fallback(fallback))));
    let mut client = server.connect("/ws").await;
    for bad in [&"x".repeat(129), "A\nB", "", "__x"] {
        refused(&mut client, bad, "INVALID_ARGUMENT").await;
    }
    refused(&mut client, &"x".repeat(128), "NOT_FOUND").await;
}

/// Also where clients know them.
#[tokio::test]
async fn types_of_the_server_are_refused_of_clients() {
    let server = server();
    let mut client = server.upgrade("/ws", &[("sec-websocket-protocol", "switchboard.v1.json")]).await.unwrap();
    client.expect("$ws:hello").await;
    for of_the_server in ["goaway", "gap", "presence", "subscribed", "refreshed", "rpc-progress", "hello"] {
        refused(&mut client, &format!("$ws:{of_the_server}"), "INVALID_ARGUMENT").await;
    }
    client.assert_alive().await;
}
