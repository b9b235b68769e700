//! Clients that send faster than they read, or more than their share.

use std::time::Duration;

use axum::Router;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use switchboard::{Config, Conn, Hub, RouteOptions, WsError, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{PATIENCE, Server, from_messagepack, masked},
    serve::ws_route,
};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

#[ws_message("DONE")]
struct Done {}

#[ws_rpc("SUBSCRIBE", response = Done)]
struct Subscribe {}

#[ws_message("BIG")]
struct Big {
    text: String,
}

#[ws_rpc("GET", response = Big)]
struct Get {
    bytes: usize,
}

#[ws_rpc("GET_BESIDE", response = Big)]
struct GetBeside {
    bytes: usize,
}

#[ws_message("ASK")]
struct Ask {
    bytes: usize,
}

fn serve(config: Config, hub: &Hub) -> Server {
    let beside = async |get: GetBeside| {
        tokio::task::yield_now().await;
        Big { text: "x".repeat(get.bytes) }
    };
    let send = async |conn: Conn, ask: Ask| conn.send(Big { text: "x".repeat(ask.bytes) });
    let ws = WsRouter::<()>::new()
        .hub(hub.clone())
        .config(config)
        .on(async |get: Get| Big { text: "x".repeat(get.bytes) })
        .on_with(beside, RouteOptions::new().concurrent(16))
        .on(send)
        .on(async |conn: Conn, _: Subscribe| {
            conn.subscribe("t").await?;
            Ok::<_, WsError>(Done {})
        });
    Server::start(Router::new().route("/ws", ws_route(ws)))
}

/// A thread of its own asks without looking at answers; this one reads, but not as fast.
async fn asks_faster_than_it_reads(message_type: &str, count: usize, bytes: usize) {
    let server = serve(Config::new().max_outbound_bytes(256 * 1024), &Hub::new());
    let client = server.connect("/ws").await;
    let (mut sink, mut stream) = client.ws.split();
    let text = |id: usize| {
        let meta = if message_type == "ASK" { json!({}) } else { json!({ "correlationId": id.to_string() }) };
        json!({ "type": message_type, "meta": meta, "payload": { "bytes": bytes } }).to_string()
    };
    let send = async {
        for id in 0..count {
            futures_util::SinkExt::send(&mut sink, Message::text(text(id))).await.unwrap();
        }
    };
    let read = async {
        for n in 0..count {
            let frame = timeout(PATIENCE, stream.next()).await.expect("a reply in time").unwrap().unwrap();
            let Message::Text(text) = frame else { panic!("{frame:?} instead of reply {n}") };
            assert!(text.len() > bytes && text.contains(r#""type":"BIG""#), "{}", &text[..200.min(text.len())]);
            // Others have their turns.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::join!(send, read);
}

#[tokio::test]
async fn attack_a10_a_client_that_asks_faster_than_it_reads_is_slowed_down() {
    for message_type in ["GET", "ASK"] {
        asks_faster_than_it_reads(message_type, 400, 60_000).await;
    }
}

#[tokio::test]
async fn a_client_of_concurrent_handlers_that_reads_slowly_is_slowed_down() {
    asks_faster_than_it_reads("GET_BESIDE", 400, 20_000).await;
}

#[tokio::test]
async fn a_reply_of_more_than_half_of_the_queue_is_no_overflow() {
    asks_faster_than_it_reads("GET", 60, 200_000).await;
}

/// Nothing but this would ever end it: there is no heartbeat.
#[tokio::test]
async fn a_client_that_never_reads_is_closed() {
    let patience = Duration::from_millis(300);
    let config = Config::new().max_outbound_bytes(64 * 1024).ping_interval(None).pong_timeout(patience);
    let hub = Hub::new();
    let server = serve(config.write_timeout(Duration::from_millis(100)), &hub);
    let mut client = server.connect("/ws").await;
    let frames = masked(0x81, json!({ "type": "ASK", "payload": { "bytes": 30_000 } }).to_string().as_bytes());
    let frames = frames.repeat(1000);
    // It is not taken to the end.
    let sent = async {
        client.raw(&frames).await;
        std::future::pending::<()>().await;
    };
    let ended = async {
        while hub.local_connections().next().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = sent => {}
        ended = timeout(PATIENCE, ended) => ended.expect("the end of the connection"),
    }
}

/// What others publish is not a client's own doing: it can still say that it wants no more, and what is too much closes it.
#[tokio::test]
async fn publishes_of_others_still_overflow() {
    let hub = Hub::new();
    let server = serve(Config::new().max_outbound_bytes(64 * 1024), &hub);
    let mut client = server.connect("/ws").await;
    client.request("SUBSCRIBE", "1", json!({})).await;
    let flood = async {
        while hub.local_connections().next().is_some_and(|conn| !conn.is_closed()) {
            hub.publish("t", Big { text: "x".repeat(30_000) }).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, flood).await.unwrap();
    assert_eq!(client.skip_to_close().await, 4002);
}

const MSGPACK: &str = "switchboard.v1.msgpack";

const HEARTBEAT: &str = r#"{"type":"__heartbeat"}"#;

/// What no handler takes, none of it bad enough to end the connection by itself.
const UNHANDLED: [&str; 6] = [
    HEARTBEAT,
    r#"{"type":"$ws:abort","meta":{"correlationId":"x"}}"#,
    r#"{"type":"GET","payload":{"bytes":1}}"#,
    r#"{"type":"GET","meta":{"correlationId":"x","timeoutMs":-1},"payload":{"bytes":1}}"#,
    r#"{"type":"RPC_ERROR","meta":{"correlationId":"s:1"},"payload":{}}"#,
    r#"{"type":"$ws:subscribe","meta":{"correlationId":"x"},"payload":{"topic":"t"}}"#,
];

#[tokio::test]
async fn attack_a8_messages_that_reach_no_handler_are_limited() {
    for text in UNHANDLED {
        assert_eq!(flood(Config::new().max_unhandled_messages(100), text, 100).await, Some(100), "{text}");
        let config = Config::new().max_unhandled_messages(100);
        assert_eq!(flood_in(MSGPACK, config, text, 100).await, Some(100), "MessagePack: {text}");
    }
    // What is malformed ends it as well where it is allowed at all.
    for text in [r#"{"type":"NOBODY"}"#, "{", r#"{"type":"$ws:nothing"}"#, r#"{"type":"__heartbeat_ack"}"#] {
        let config = Config::new().max_unhandled_messages(100).max_bad_messages(0);
        assert_eq!(flood(config, text, 100).await, Some(100), "{text}");
    }
}

#[tokio::test]
async fn messages_that_reach_no_handler_are_limited_by_default() {
    assert_eq!(flood(Config::new(), HEARTBEAT, 2000).await, Some(2000));
}

#[tokio::test]
async fn attack_a8_a_flood_of_messages_ends_in_4006() {
    let get = r#"{"type":"GET","meta":{"correlationId":"x"},"payload":{"bytes":1}}"#;
    for text in [get, HEARTBEAT] {
        assert_eq!(flood(Config::new().max_messages(100), text, 100).await, Some(100), "{text}");
        // By default there is no such limit.
        assert_eq!(flood(Config::new(), text, 1000).await, None, "{text}");
    }
}

/// Sends the same so often and once more. After how many an error and the close frame came, if they did.
async fn flood(config: Config, text: &str, times: usize) -> Option<usize> {
    flood_in("switchboard.v1.json", config, text, times).await
}

async fn flood_in(subprotocol: &str, config: Config, text: &str, times: usize) -> Option<usize> {
    let server = serve(config, &Hub::new());
    let mut client = server.upgrade("/ws", &[("sec-websocket-protocol", subprotocol)]).await.unwrap();
    assert_eq!(read(timeout(PATIENCE, client.ws.next()).await.unwrap().unwrap().unwrap())["type"], "$ws:hello");
    let frame = match serde_json::from_str::<Value>(text) {
        Ok(message) if subprotocol == MSGPACK => masked(0x82, &rmp_serde::to_vec(&message).unwrap()),
        _ => masked(0x81, text.as_bytes()),
    };
    client.raw(&frame.repeat(times)).await;
    client.raw(&masked(0x89, b"all but one")).await;
    let mut limit = None;
    loop {
        match timeout(PATIENCE, client.ws.next()).await.unwrap().unwrap().unwrap() {
            // All of them were taken.
            Message::Pong(_) => {
                assert_eq!(limit, None, "{text}: too soon");
                if times == 1000 {
                    return None;
                }
                client.raw(&frame).await;
            }
            Message::Close(frame) => {
                assert_eq!(u16::from(frame.unwrap().code), 4006, "{text}");
                return limit.and_then(|limit| usize::try_from(limit).ok());
            }
            frame => {
                let message = read(frame);
                assert_eq!(limit, None, "{message} after the error");
                let payload = &message["payload"];
                if message["type"] == "ERROR" && payload["code"] == "RESOURCE_EXHAUSTED" {
                    limit = payload["details"]["limit"].as_u64();
                }
            }
        }
    }
}

fn read(frame: Message) -> Value {
    match frame {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        packed => from_messagepack(&packed),
    }
}

#[tokio::test]
async fn a_flood_of_pings_on_both_transports() {
    let server = serve(Config::new().max_control_frames(100), &Hub::new());
    let mut client = server.connect("/ws").await;
    client.raw(&masked(0x89, b"").repeat(100)).await;
    for n in 0..100 {
        let frame = timeout(PATIENCE, client.ws.next()).await.unwrap().unwrap().unwrap();
        assert!(matches!(frame, Message::Pong(_)), "{n}: {frame:?}");
    }
    client.raw(&masked(0x89, b"")).await;
    assert_eq!(client.skip_to_close().await, 4006);
}
