//! Numbers over sockets. These tests run once more with the features of serde_json that change how it holds them.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

use std::time::Duration;

use axum::Router;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use switchboard::{Deadline, WsRouter, ws_message, ws_route, ws_rpc};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

#[ws_message("HALVES")]
struct Halves {
    half: f64,
    any: Value,
}

#[ws_rpc("ASK", response = Halves)]
struct Ask {
    half: f64,
    any: Value,
}

#[ws_message("LEFT")]
struct Left {
    millis: u64,
}

#[ws_rpc("HOW_LONG", response = Left)]
struct HowLong {}

async fn ask(Ask { half, any }: Ask) -> Halves {
    Halves { half, any }
}

async fn how_long(deadline: Deadline, _: HowLong) -> Left {
    Left { millis: u64::try_from(deadline.remaining().as_millis()).unwrap_or(u64::MAX) }
}

async fn connect(subprotocol: &'static str) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let app = Router::new().route("/ws", ws_route(WsRouter::new().on(ask).on(how_long)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut request = format!("ws://{}/ws", listener.local_addr().unwrap()).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", subprotocol.parse().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    connect_async(request).await.unwrap().0
}

/// What the next message is.
async fn next(client: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Message {
    tokio::time::timeout(Duration::from_secs(10), client.next()).await.unwrap().unwrap().unwrap()
}

/// A string of MessagePack, of less than 32 bytes.
fn string(text: &str) -> Vec<u8> {
    let len = u8::try_from(text.len()).unwrap();
    [&[0xa0 | len], text.as_bytes()].concat()
}

/// 3.5 as MessagePack has it, in 64 bits.
const HALF: [u8; 9] = [0xcb, 0x40, 0x0c, 0, 0, 0, 0, 0, 0];

#[tokio::test]
async fn kind_f2_numbers_are_numbers_in_messagepack() {
    let mut client = connect("switchboard.v1.msgpack").await;
    let Message::Binary(_hello) = next(&mut client).await else { panic!("not MessagePack") };
    let frame = [
        vec![0x83],
        [string("type"), string("ASK")].concat(),
        [string("meta"), vec![0x81], string("correlationId"), string("1")].concat(),
        [string("payload"), vec![0x82], string("half"), HALF.into(), string("any"), HALF.into()].concat(),
    ];
    client.send(Message::binary(frame.concat())).await.unwrap();
    let Message::Binary(reply) = next(&mut client).await else { panic!("not MessagePack") };
    for key in ["half", "any"] {
        let expected = [string(key), HALF.into()].concat();
        assert!(reply.windows(expected.len()).any(|part| part == expected), "{key}: {reply:x?}");
    }
}

#[tokio::test]
async fn numbers_are_read_in_any_notation() {
    let mut client = connect("switchboard.v1.json").await;
    next(&mut client).await;
    for (timeout, expected) in [("1e4", 9_000..=10_000), ("20000.0", 19_000..=20_000), ("5000", 4_000..=5_000)] {
        let text =
            format!(r#"{{"type":"HOW_LONG","meta":{{"correlationId":"1","timeoutMs":{timeout}}},"payload":{{}}}}"#);
        client.send(Message::text(text)).await.unwrap();
        let reply: Value = serde_json::from_str(next(&mut client).await.to_text().unwrap()).unwrap();
        let millis = reply["payload"]["millis"].as_u64();
        assert!(millis.is_some_and(|millis| expected.contains(&millis)), "{timeout}: {reply}");
    }
    let text =
        r#"{"type":"ASK","meta":{"correlationId":"2"},"payload":{"half":35e-1,"any":[3.5,12345678901234567890]}}"#;
    client.send(Message::text(text)).await.unwrap();
    let reply: Value = serde_json::from_str(next(&mut client).await.to_text().unwrap()).unwrap();
    assert_eq!(reply["payload"], json!({ "half": 3.5, "any": [3.5, 12_345_678_901_234_567_890_u64] }));
}
