//! What handlers of events answer.

use serde_json::json;
use switchboard::{WsError, WsRouter, ws_message};

use crate::{Ping, Pong, serve};

#[ws_message("FIND")]
struct Find {
    name: String,
}

async fn find(find: Find) -> Result<Option<Pong>, WsError> {
    match find.name.as_str() {
        "" => Err(WsError::invalid_argument("who?")),
        "ann" => Ok(Some(Pong::new("here"))),
        _ => Ok(None),
    }
}

async fn nobody(_: Ping) -> Option<Pong> {
    None
}

#[tokio::test]
async fn an_event_may_or_may_not_have_an_answer() {
    let ws = WsRouter::new().on(find).on(nobody);
    let messages = json!(ws.contract("/ws").outbound.messages);
    assert!(messages.as_array().unwrap().iter().any(|message| message["type"] == "PONG"), "{messages}");
    let server = serve(ws);
    let mut client = server.connect("/ws").await;
    for name in ["ben", "ann"] {
        client.send("FIND", json!({ "name": name })).await;
    }
    client.send("PING", json!({})).await;
    client.send("FIND", json!({ "name": "" })).await;
    // In order: so there was no answer to the first, nor to the ping.
    assert_eq!(client.expect("PONG").await, json!({ "text": "here" }));
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
}
