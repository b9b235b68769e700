//! Topics that clients subscribe to by themselves.

use std::time::Duration;

use axum::Router;
use serde_json::{Value, json};
use switchboard::{Config, Conn, Hub, Identity, TopicError, TopicOptions, WsError, WsRouter, ws_message};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};

#[ws_message("PRICE")]
struct Price {
    price: u32,
}

#[ws_message("SECRET")]
struct Secret {}

#[ws_message("ASK")]
struct Ask {}

fn hub() -> Hub {
    let members = TopicOptions::new().allow_subscribe().authorize_subscribe(async |_, topic| {
        if topic.ends_with("open") { Ok(()) } else { Err(WsError::permission_denied("members only")) }
    });
    Hub::builder()
        .normalize_topics(|topic| topic.to_lowercase())
        .topic("prices:*", TopicOptions::new().allow_subscribe().carries::<Price>().max_per_connection(2))
        .topic("clubs:*", members)
        .topic("inside:*", TopicOptions::new().carries::<Secret>())
        .build()
}

async fn ask(conn: Conn, _: Ask) -> Result<(), TopicError> {
    conn.subscribe("inside:1").await.map(|_| ())
}

fn serve(hub: &Hub) -> Server {
    let ws = WsRouter::<()>::new().hub(hub.clone()).config(Config::new().max_subscriptions(4)).on(ask);
    Server::start(Router::new().route("/ws", ws_route(ws)))
}

async fn extended(server: &Server) -> Client {
    let mut client = server.upgrade("/ws", &[("sec-websocket-protocol", "switchboard.v1.json")]).await.unwrap();
    client.expect("$ws:hello").await;
    client
}

async fn subscribe(client: &mut Client, topic: &str) -> Value {
    client.request("$ws:subscribe", &format!("id {topic}"), json!({ "topic": topic })).await
}

/// What was sent before has been handled, and has sent nothing.
async fn assert_nothing_came(client: &mut Client) {
    client.text(r#"{"type":"__heartbeat"}"#).await;
    assert_eq!(client.recv().await["type"], "__heartbeat_ack");
}

fn code(reply: &Value) -> &str {
    reply["payload"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_client_subscribes_and_unsubscribes() {
    let hub = hub();
    let server = serve(&hub);
    let mut client = extended(&server).await;
    let reply = subscribe(&mut client, "Prices:Gold").await;
    assert_eq!((&reply["type"], &reply["payload"]), (&json!("$ws:subscribed"), &json!({ "topic": "prices:gold" })));
    assert_eq!(reply["meta"]["correlationId"], "id Prices:Gold");
    hub.publish("prices:gold", Price { price: 1 }).await.unwrap();
    assert_eq!(client.expect("PRICE").await, json!({ "price": 1 }));
    // Once more is no error, and no second subscription.
    assert_eq!(subscribe(&mut client, "prices:gold").await["type"], "$ws:subscribed");
    hub.publish("prices:gold", Price { price: 2 }).await.unwrap();
    assert_eq!(client.expect("PRICE").await, json!({ "price": 2 }));
    for _ in 0..2 {
        let reply = client.request("$ws:unsubscribe", "u", json!({ "topic": "PRICES:GOLD" })).await;
        let expected = (&json!("$ws:unsubscribed"), &json!({ "topic": "prices:gold" }));
        assert_eq!((&reply["type"], &reply["payload"]), expected);
    }
    assert_eq!(hub.stats().subscriptions, 0);
    hub.publish("prices:gold", Price { price: 3 }).await.unwrap();
    assert_nothing_came(&mut client).await;
}

#[tokio::test]
async fn only_topics_that_allow_it_and_whose_rules_do() {
    let hub = hub();
    let server = serve(&hub);
    let mut client = extended(&server).await;
    for (topic, expected) in [
        ("inside:1", "PERMISSION_DENIED"),
        ("elsewhere", "PERMISSION_DENIED"),
        ("clubs:closed", "PERMISSION_DENIED"),
        ("prices:*", "INVALID_ARGUMENT"),
        ("", "INVALID_ARGUMENT"),
    ] {
        let reply = subscribe(&mut client, topic).await;
        assert_eq!((reply["type"].as_str(), code(&reply)), (Some("RPC_ERROR"), expected), "{topic}");
    }
    assert_eq!(subscribe(&mut client, "clubs:open").await["type"], "$ws:subscribed");
    // A client cannot leave what its handlers have joined.
    assert_eq!(hub.stats().subscriptions, 1);
    client.send("ASK", json!({})).await;
    assert_nothing_came(&mut client).await;
    let reply = client.request("$ws:unsubscribe", "u", json!({ "topic": "inside:1" })).await;
    assert_eq!(code(&reply), "PERMISSION_DENIED");
    assert_eq!(hub.stats().subscriptions, 2);
}

#[tokio::test]
async fn limits_are_those_of_subscriptions() {
    let hub = hub();
    let server = serve(&hub);
    let mut client = extended(&server).await;
    for topic in ["prices:1", "prices:2", "clubs:1-open", "clubs:2-open"] {
        assert_eq!(subscribe(&mut client, topic).await["type"], "$ws:subscribed", "{topic}");
    }
    let reply = subscribe(&mut client, "prices:3").await;
    assert_eq!((code(&reply), &reply["payload"]["details"]["limit"]), ("RESOURCE_EXHAUSTED", &json!(4)));
    client.request("$ws:unsubscribe", "u", json!({ "topic": "clubs:1-open" })).await;
    let reply = subscribe(&mut client, "prices:3").await;
    assert_eq!((code(&reply), &reply["payload"]["details"]["limit"]), ("RESOURCE_EXHAUSTED", &json!(2)));
    assert_eq!(subscribe(&mut client, "clubs:3-open").await["type"], "$ws:subscribed");
}

#[tokio::test]
async fn malformed_requests_and_positions_are_refused() {
    let hub = hub();
    let server = serve(&hub);
    let mut client = extended(&server).await;
    for payload in [
        json!({}),
        json!({ "topic": 1 }),
        json!({ "topic": "prices:1", "mode": "LIVE" }),
        json!({ "topic": "prices:1", "x": 1 }),
        json!(["prices:1"]),
    ] {
        let reply = client.request("$ws:subscribe", "c", payload.clone()).await;
        assert_eq!(code(&reply), "INVALID_ARGUMENT", "{payload}");
    }
    for payload in [
        json!({ "topic": "prices:1", "mode": "recover", "epoch": "e", "offset": 1 }),
        json!({ "topic": "prices:1", "mode": "strict" }),
        json!({ "topic": "prices:1", "offset": 1 }),
        json!({ "topic": "prices:1", "rewind": { "last": 1 } }),
    ] {
        let reply = client.request("$ws:subscribe", "c", payload.clone()).await;
        assert_eq!(code(&reply), "UNIMPLEMENTED", "{payload}");
    }
    assert_eq!(hub.stats().subscriptions, 0);
    let reply = client.request("$ws:subscribe", "c", json!({ "topic": "prices:1", "mode": "live" })).await;
    assert_eq!(reply["type"], "$ws:subscribed");
    // Without an id, the error cannot name its request.
    client.send("$ws:subscribe", json!({ "topic": "prices:2" })).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
}

#[tokio::test]
async fn a_connection_that_must_identify_does_so_first() {
    async fn login(conn: Conn, _: Ask) -> Result<(), WsError> {
        conn.identify(Identity::new("ann"))
    }
    let config = Config::new().identify_timeout(Duration::from_secs(60));
    let ws = WsRouter::<()>::new().hub(hub()).config(config).on(login);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut client = extended(&server).await;
    assert_eq!(code(&subscribe(&mut client, "prices:1").await), "UNAUTHENTICATED");
    client.send("ASK", json!({})).await;
    assert_eq!(subscribe(&mut client, "prices:1").await["type"], "$ws:subscribed");
}

#[tokio::test]
async fn without_the_dialect_the_error_names_the_subprotocol() {
    let server = serve(&hub());
    let mut client = server.connect("/ws").await;
    let reply = subscribe(&mut client, "prices:1").await;
    assert_eq!(code(&reply), "INVALID_ARGUMENT");
    assert!(reply["payload"]["message"].as_str().unwrap().contains("switchboard.v1.json"), "{reply}");
}

#[tokio::test]
async fn subscriptions_keep_the_order_of_messages() {
    let hub = hub();
    let server = serve(&hub);
    let mut client = extended(&server).await;
    client.send_request("$ws:subscribe", "1", json!({ "topic": "prices:1" })).await;
    client.send_request("$ws:unsubscribe", "2", json!({ "topic": "prices:1" })).await;
    client.send_request("$ws:subscribe", "3", json!({ "topic": "prices:1" })).await;
    for (id, message_type) in [("1", "$ws:subscribed"), ("2", "$ws:unsubscribed"), ("3", "$ws:subscribed")] {
        let reply = client.recv().await;
        assert_eq!((&reply["type"], &reply["meta"]["correlationId"]), (&json!(message_type), &json!(id)));
    }
    assert_eq!(hub.stats().subscriptions, 1);
}

#[tokio::test]
async fn the_contract_has_the_messages_of_topics_that_clients_join() {
    let ws = WsRouter::<()>::new().hub(hub()).on(ask);
    let contract = serde_json::to_value(ws.contract("/ws")).unwrap();
    let types = |side: &str, kind: &str| -> Vec<String> {
        let messages = contract[side][kind].as_array().unwrap();
        messages.iter().map(|message| message["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (types("inbound", "messages"), types("outbound", "messages")),
        (vec!["ASK".into()], vec!["PRICE".into()])
    );
    assert!(types("inbound", "rpcs").is_empty());
}
