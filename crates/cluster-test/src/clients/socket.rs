//! One connection, and the messages on it.

use std::{borrow::Cow, net::SocketAddr};

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, client::IntoClientRequest as _, http::HeaderValue},
};

use crate::history::{Client, Message, Publisher, Topic};

/// A connection to a node.
#[derive(Debug)]
pub(super) struct Socket(WebSocketStream<TcpStream>);

/// What a client gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Message(Message),
    Gap(Topic),
    Told(u64),
    Reply(u64, Reply),
    /// The connection has ended, with the code and reason that the server gave, if any.
    End(Option<(u16, String)>),
}

/// The end of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Done,
    Count(u32),
    Online(bool),
    State { healthy: bool, nodes: u32 },
    Error { code: String, is_unknown: bool },
}

impl Socket {
    /// Connects as the client's user. `None` if that fails.
    pub(super) async fn connect(address: SocketAddr, client: Client) -> Option<Self> {
        let stream = TcpStream::connect(address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let mut request = format!("ws://{address}/ws?user={}", client.0).into_client_request().ok()?;
        let protocol = HeaderValue::from_static("switchboard.v1.json");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (ws, _) = client_async(request, stream).await.ok()?;
        Some(Self(ws))
    }

    /// Sends a request. What fails is seen at the next [`next`](Self::next).
    pub(super) async fn ask(&mut self, kind: &str, request: u64, payload: &Value) {
        let meta = json!({ "correlationId": request.to_string() });
        let message = json!({ "type": kind, "meta": meta, "payload": payload });
        _ = self.0.send(tungstenite::Message::text(message.to_string())).await;
    }

    /// Returns what arrives next.
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) -> Incoming {
        let mut closed = None;
        loop {
            match self.0.next().await {
                Some(Ok(tungstenite::Message::Text(text))) => {
                    if let Some(incoming) = parse(&text) {
                        return incoming;
                    }
                }
                Some(Ok(tungstenite::Message::Close(frame))) => {
                    closed = frame.map(|frame| (frame.code.into(), frame.reason.as_str().to_owned()));
                    return Incoming::End(closed);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Incoming::End(closed),
            }
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    meta: Meta<'a>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta<'a> {
    #[serde(borrow)]
    correlation_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Said {
    topic: u32,
    client: u32,
    life: u32,
    n: u32,
}

/// Reads a message. `None` if it is of no concern.
fn parse(text: &str) -> Option<Incoming> {
    let envelope: Envelope<'_> = serde_json::from_str(text).ok()?;
    let payload = envelope.payload.map_or("{}", RawValue::get);
    match &*envelope.kind {
        "SAID" => {
            let Said { topic, client, life, n } = serde_json::from_str(payload).ok()?;
            let publisher = Publisher { client: Client(client), life };
            return Some(Incoming::Message(Message { topic: Topic(topic), publisher, n }));
        }
        "$ws:gap" => {
            let gap: Value = serde_json::from_str(payload).ok()?;
            let topic = gap["topic"].as_str()?.strip_prefix("room:")?.parse().ok()?;
            return Some(Incoming::Gap(Topic(topic)));
        }
        "TOLD" => {
            let told: Value = serde_json::from_str(payload).ok()?;
            return told["token"].as_u64().map(Incoming::Told);
        }
        _ => {}
    }
    let request = envelope.meta.correlation_id?.parse().ok()?;
    let payload: Value = serde_json::from_str(payload).ok()?;
    let number = |name: &str| payload[name].as_u64().and_then(|number| u32::try_from(number).ok());
    let reply = match &*envelope.kind {
        "DONE" => Reply::Done,
        "COUNT" => Reply::Count(number("count")?),
        "IS_ONLINE" => Reply::Online(payload["online"].as_bool()?),
        "STATE" => Reply::State { healthy: payload["healthy"].as_bool()?, nodes: number("nodes")? },
        _ => {
            let code = payload["code"].as_str().unwrap_or_default().to_owned();
            let is_unknown = payload["details"]["outcome"] == "unknown";
            Reply::Error { code, is_unknown }
        }
    };
    Some(Incoming::Reply(request, reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read() {
        let said = r#"{"type":"SAID","meta":{"timestamp":1},"payload":{"topic":3,"client":7,"life":1,"n":12}}"#;
        let publisher = Publisher { client: Client(7), life: 1 };
        assert_eq!(parse(said), Some(Incoming::Message(Message { topic: Topic(3), publisher, n: 12 })));
        let gap = r#"{"type":"$ws:gap","meta":{},"payload":{"topic":"room:3","reason":"loss"}}"#;
        assert_eq!(parse(gap), Some(Incoming::Gap(Topic(3))));
        let error = r#"{"type":"RPC_ERROR","meta":{"correlationId":"9"},"payload":{"code":"UNAVAILABLE","retryable":true,"details":{"outcome":"unknown"}}}"#;
        let reply = Reply::Error { code: "UNAVAILABLE".to_owned(), is_unknown: true };
        assert_eq!(parse(error), Some(Incoming::Reply(9, reply)));
        assert_eq!(parse(r#"{"type":"$ws:hello","payload":{}}"#), None);
        assert_eq!(parse("no JSON"), None);
    }
}
