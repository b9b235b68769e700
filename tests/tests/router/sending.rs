//! What may be sent, and from where.

use std::error::Error as _;

use serde_json::json;
use switchboard::{Conn, Failure, WsError, WsMessages, WsRouter, ws_message, ws_rpc};
use switchboard_tests::client::Server;
use tokio::sync::mpsc::unbounded_channel;

use crate::{Ping, Pong, serve};

#[ws_message("SHORT")]
struct Short {
    #[validate(length(max = 3))]
    text: String,
}

#[ws_message("FAIL")]
struct Fail {}

#[ws_rpc("ASK_SHORT", response = Short)]
struct AskShort {
    text: String,
}

#[tokio::test]
async fn outgoing_messages_are_validated() {
    async fn ask(ask: AskShort) -> Short {
        Short { text: ask.text }
    }
    /// What came of each; an assertion in here could not be told from the error that is expected below.
    async fn attempt(conn: Conn, _: Ping) -> Pong {
        let short = || Short { text: "too long".into() };
        let kinds = [
            format!("{:?}", conn.send(short()).map_err(|error| error.kind())),
            format!("{:?}", conn.publish("t", short()).await.map(drop).map_err(|error| error.kind())),
            format!("{:?}", conn.publish("a b", Pong::new("")).await.map(drop).map_err(|error| error.kind())),
            format!("{:?}", conn.publish("t", Pong::new("")).await.map(|published| published.matched()).ok()),
        ];
        Pong::new(kinds.join(" "))
    }
    async fn fail(conn: Conn, _: Fail) -> Result<Pong, WsError> {
        conn.send(Short { text: "too long".into() })?;
        Ok(Pong::new("not reached"))
    }
    let (send, mut sources) = unbounded_channel();
    let failed = async move |failure: Failure| {
        _ = send.send(failure.error().source().map(ToString::to_string).unwrap_or_default());
    };
    let server = serve(WsRouter::new().on(ask).on(attempt).on(fail).on_error(failed));
    let mut client = server.connect("/ws").await;
    client.send_request("ASK_SHORT", "c1", json!({ "text": "abc" })).await;
    assert_eq!(client.expect("SHORT").await, json!({ "text": "abc" }));
    client.send_request("ASK_SHORT", "c2", json!({ "text": "abcd" })).await;
    let error = client.expect_error("RPC_ERROR", "INTERNAL").await;
    assert_eq!(error["message"], "internal error");
    client.send("PING", json!({})).await;
    assert_eq!(client.expect("PONG").await["text"], "Err(Invalid) Err(Invalid) Err(InvalidTopic) Some(Exact(0))");
    client.send("FAIL", json!({})).await;
    client.expect_error("ERROR", "INTERNAL").await;
    for expected in ["the outgoing SHORT is invalid", "the outgoing message is invalid"] {
        let source = sources.recv().await.unwrap();
        assert!(source.starts_with(expected), "{source}");
    }
}

#[tokio::test]
async fn a_connection_can_be_used_after_its_handler_and_from_other_tasks() {
    async fn ping(conn: Conn, _: Ping) {
        tokio::spawn(async move {
            for n in 0..3 {
                tokio::task::yield_now().await;
                conn.send(Pong::new(n.to_string())).unwrap();
            }
            conn.flushed().await.unwrap();
            conn.close(4000, "done");
        });
    }
    let server = serve(WsRouter::new().on(ping));
    let mut client = server.connect("/ws").await;
    client.send("PING", json!({})).await;
    for n in 0..3 {
        assert_eq!(client.expect("PONG").await["text"], n.to_string());
    }
    assert_eq!(client.expect_close().await, (4000, "done".to_owned()));
}

#[derive(WsMessages)]
enum ServerMessage {
    Pong(Pong),
}

#[tokio::test]
async fn a_router_may_be_limited_to_a_set_of_messages() {
    async fn ping(conn: Conn<(), ServerMessage>, _: Ping) -> Result<Pong, WsError> {
        conn.send(Pong::new("sent"))?;
        Ok(Pong::new("replied"))
    }
    let ws = WsRouter::<(), ()>::sending::<ServerMessage>().on(ping);
    let server = Server::start(axum::Router::new().route("/ws", switchboard_tests::serve::ws_route(ws)));
    let mut client = server.connect("/ws").await;
    client.send("PING", json!({})).await;
    assert_eq!(client.expect("PONG").await["text"], "sent");
    assert_eq!(client.expect("PONG").await["text"], "replied");
}
