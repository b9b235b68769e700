//! What may be sent, and from where.

use serde_json::json;
use switchboard::{Conn, Matched, PublishErrorKind, SendErrorKind, WsError, WsMessages, WsRouter, ws_message, ws_rpc};
use switchboard_tests::client::Server;

use crate::{Ping, Pong, serve};

#[ws_message("SHORT")]
struct Short {
    #[validate(length(max = 3))]
    text: String,
}

#[ws_rpc("ASK_SHORT", response = Short)]
struct AskShort {
    text: String,
}

#[tokio::test]
async fn row_002_11_outgoing_messages_are_validated() {
    async fn ask(ask: AskShort) -> Short {
        Short { text: ask.text }
    }
    async fn ping(conn: Conn, _: Ping) -> Result<Pong, WsError> {
        let short = || Short { text: "too long".into() };
        assert_eq!(conn.send(short()).unwrap_err().kind(), SendErrorKind::Invalid);
        assert_eq!(conn.publish("t", short()).await.unwrap_err().kind(), PublishErrorKind::Invalid);
        assert_eq!(conn.publish("a b", Pong::new("")).await.unwrap_err().kind(), PublishErrorKind::InvalidTopic);
        assert_eq!(conn.publish("t", Pong::new("")).await.unwrap().matched(), Matched::Exact(0));
        conn.send(short())?;
        Ok(Pong::new("not reached"))
    }
    let server = serve(WsRouter::new().on(ask).on(ping));
    let mut client = server.connect("/ws").await;
    client.send_request("ASK_SHORT", "c1", json!({ "text": "abc" })).await;
    assert_eq!(client.expect("SHORT").await, json!({ "text": "abc" }));
    client.send_request("ASK_SHORT", "c2", json!({ "text": "abcd" })).await;
    let error = client.expect_error("RPC_ERROR", "INTERNAL").await;
    assert_eq!(error["message"], "internal error");
    client.send("PING", json!({})).await;
    client.expect_error("ERROR", "INTERNAL").await;
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
