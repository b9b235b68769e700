//! Messages beyond what a router has handlers for.

use axum::Router;
use serde::Deserialize;
use serde_json::json;
use switchboard::{Config, Conn, RawPayload, UnknownMessage, WsError, WsRouter, ws_message};
use switchboard_tests::{client::Server, serve::ws_route};

#[ws_message("SEEN")]
struct Seen {
    what: String,
}

#[derive(Deserialize)]
struct Old {
    name: String,
}

/// Takes old messages; refuses the others.
async fn fallback(conn: Conn, unknown: UnknownMessage) -> Result<(), WsError> {
    match unknown.decode::<Old>() {
        Some(Old { name }) if unknown.message_type() == "OLD" => Ok(conn.send(Seen { what: name })?),
        _ => Err(WsError::unimplemented("too old")),
    }
}

#[tokio::test]
async fn a_fallback_takes_unknown_types() {
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::new().fallback(fallback))));
    let mut client = server.connect("/ws").await;
    client.send("OLD", json!({ "name": "ann" })).await;
    assert_eq!(client.expect("SEEN").await, json!({ "what": "ann" }));
    // Not as bad as messages of a router that has none.
    for _ in 0..25 {
        client.send("OTHER", json!({})).await;
        client.expect_error("ERROR", "UNIMPLEMENTED").await;
    }
    let error = client.request("OTHER", "c", json!({})).await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("c")));
    // Reserved ones are the protocol's.
    client.send("$ws:other", json!({})).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
}

#[ws_message("STORE", allow_unknown)]
struct Store {
    key: String,
}

#[tokio::test]
async fn a_type_may_allow_unknown_keys() {
    let store = async |raw: RawPayload, store: Store| Seen { what: format!("{}: {}", store.key, raw.as_str()) };
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().on(store))));
    let mut client = server.connect("/ws").await;
    client.text(r#"{"type":"STORE","payload":{"key":"k",  "more":[1.50]}}"#).await;
    assert_eq!(client.expect("SEEN").await, json!({ "what": r#"k: {"key":"k",  "more":[1.50]}"# }));
}

#[tokio::test]
async fn a_message_over_the_soft_limit_is_an_error() {
    let echo = async |store: Store| Seen { what: store.key };
    let config = Config::new().soft_max_message_bytes(200);
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().config(config).on(echo))));
    let mut client = server.connect("/ws").await;
    client.send("STORE", json!({ "key": "x".repeat(300) })).await;
    let error = client.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
    assert_eq!(error["details"]["limit"], 200);
    assert!(error["details"]["observed"].as_u64().unwrap() > 300);
    client.send("STORE", json!({ "key": "x" })).await;
    assert_eq!(client.expect("SEEN").await, json!({ "what": "x" }));
}
