//! Payloads that do not fit into a flat envelope.

use axum::Router;
use serde_json::{Value, json};
use switchboard::{CallErrorKind, Conn, EnvelopeStyle, Progress, WsError, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{client::Server, serve::ws_route};

/// Its key is another's in a flat envelope.
#[ws_message("TYPED")]
#[derive(Debug)]
struct Typed {
    r#type: String,
}

fn typed() -> Typed {
    Typed { r#type: "x".into() }
}

#[ws_rpc("GET", response = Typed, progress = u32)]
struct Get {
    wait: bool,
}

#[ws_rpc("GIVE", response = Typed)]
struct Give {
    r#type: String,
}

#[ws_message("KINDS")]
struct Kinds {
    send: String,
    call: String,
}

#[ws_message("TRY")]
struct Try {}

async fn get(conn: Conn, mut progress: Progress<u32>, get: Get) -> Result<Typed, WsError> {
    if get.wait {
        tokio::task::yield_now().await;
        // A number has no keys.
        let refused = progress.send(1).await.map_err(|error| error.kind());
        conn.send(Kinds { send: format!("{refused:?}"), call: String::new() })?;
    }
    Ok(typed())
}

async fn attempt(conn: Conn, _: Try) -> Kinds {
    let send = conn.send(typed()).unwrap_err();
    assert!(format!("{send:?}").contains("the flat envelope"), "{send:?}");
    let call = conn.call(Give { r#type: "x".into() }).await.unwrap_err();
    assert_eq!(call.kind(), CallErrorKind::InvalidRequest);
    Kinds { send: format!("{:?}", send.kind()), call: format!("{:?}", call.kind()) }
}

#[tokio::test]
async fn flat_requests_have_their_end_and_senders_are_told() {
    let ws = WsRouter::<()>::new().envelope(EnvelopeStyle::Flat).on(get).on(attempt);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut client = server.connect("/ws").await;
    for wait in [false, true] {
        let request = json!({ "type": "GET", "meta": { "correlationId": "g" }, "wait": wait });
        client.text(request.to_string()).await;
        if wait {
            assert_eq!(client.recv().await["send"], "Err(Invalid)");
        }
        let reply: Value = client.recv().await;
        assert_eq!((&reply["type"], &reply["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("g")), "{reply}");
        assert_eq!(reply["code"], "INTERNAL", "{reply}");
    }
    client.text(r#"{"type":"TRY"}"#).await;
    let kinds = client.recv().await;
    assert_eq!((&kinds["send"], &kinds["call"]), (&json!("Invalid"), &json!("InvalidRequest")), "{kinds}");
}
