//! A key that serde_json takes for text to be parsed: no way past the limit of depth, for payloads, meta
//! and answers.

use axum::Router;
use serde_json::{Value, json};
use switchboard::{Conn, Meta, WsError, WsRouter, ws_message, ws_meta, ws_rpc};
use switchboard_tests::{client::Server, serve::ws_route};

const KEY: &str = "$serde_json::private::RawValue";

#[ws_meta]
struct Marks {
    #[serde(default)]
    mark: Value,
}

#[ws_message("DONE")]
struct Done {
    text: String,
}

#[ws_rpc("ANY", response = Done, meta = Marks)]
struct Any {
    value: Value,
}

#[ws_rpc("ASK_ME", response = Done)]
struct AskMe {}

#[ws_rpc("ASK", response = Done)]
struct Ask {}

/// Without the limit it is as deep as 13 times the limit.
fn deep() -> String {
    let mut text = "1".to_owned();
    for _ in 0..13 {
        let nested = format!("{}{text}{}", "[".repeat(120), "]".repeat(120));
        text = format!(r#"{{"{KEY}":{}}}"#, json!(nested));
    }
    text
}

fn server() -> Server {
    let ws = WsRouter::<()>::new()
        .config(switchboard::Config::new().max_message_bytes(1 << 20))
        .on(async |_: Meta<Marks>, any: Any| Done { text: any.value.to_string() })
        .on(async |conn: Conn, _: AskMe| {
            let error = conn.call(Ask {}).await.err();
            Ok::<_, WsError>(Done { text: format!("{:?}", error.map(|error| error.kind())) })
        });
    Server::start(Router::new().route("/ws", ws_route(ws)))
}

#[tokio::test]
async fn raw_values_in_payloads_and_meta_are_refused() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let (shallow, deep) = (format!(r#"{{"{KEY}":"[1]"}}"#), deep());
    for raw in [&shallow, &deep] {
        for (payload, meta, path) in [
            (format!(r#"{{"value":{raw}}}"#), String::new(), format!("value.{KEY}")),
            (r#"{"value":1}"#.to_owned(), format!(r#","mark":{raw}"#), format!("meta.mark.{KEY}")),
        ] {
            let text = format!(r#"{{"type":"ANY","meta":{{"correlationId":"c"{meta}}},"payload":{payload}}}"#);
            client.text(&*text).await;
            let error = client.expect_error("RPC_ERROR", "INVALID_ARGUMENT").await;
            assert_eq!(error["details"]["issues"][0]["path"], path, "{} bytes", text.len());
        }
    }
    // As text it is like any other.
    let done = client.request("ANY", "d", json!({ "value": [KEY] })).await;
    assert_eq!(done["payload"]["text"], json!([KEY]).to_string());
}

#[tokio::test]
async fn raw_values_in_answers_are_refused() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for details in [format!(r#"{{"{KEY}":"[1]"}}"#), deep()] {
        client.send_request("ASK_ME", "a", json!({})).await;
        let id = client.recv().await["meta"]["correlationId"].as_str().unwrap().to_owned();
        let payload = format!(r#"{{"code":"NOT_FOUND","message":"no","details":{details}}}"#);
        client.text(format!(r#"{{"type":"RPC_ERROR","meta":{{"correlationId":"{id}"}},"payload":{payload}}}"#)).await;
        assert_eq!(client.expect("DONE").await["text"], "Some(Refused)");
    }
}
