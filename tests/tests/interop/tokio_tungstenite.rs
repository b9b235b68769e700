//! `tokio-tungstenite`.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use switchboard_tests::client::PATIENCE;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Message,
        protocol::{
            CloseFrame,
            frame::{
                Frame,
                coding::{Data, OpCode},
            },
        },
    },
};

use crate::{
    plan::{Fragments, assert_seen, plan},
    server::{Server, Transport},
};

#[tokio::test]
async fn on_native() {
    assert_seen(&seen(Transport::Native).await, Fragments::Seen);
}

#[tokio::test]
async fn on_axum() {
    assert_seen(&seen(Transport::Axum).await, Fragments::Seen);
}

async fn seen(transport: Transport) -> Value {
    let (server, plan) = (Server::start(transport).await, plan());
    let mut client = Client::connect(&server).await;
    let mut echoes = Vec::new();
    for message in list(&plan["messages"]) {
        echoes.push(client.echo(whole(message)).await);
    }
    client.close(None).await;

    let mut closes = Vec::new();
    for close in list(&plan["closes"]) {
        let code = u16::try_from(close["code"].as_u64().expect("a code")).expect("a code");
        let frame = CloseFrame { code: code.into(), reason: text(&close["reason"]).into() };
        let code = Client::connect(&server).await.close(Some(frame)).await;
        // To its end without an error is what `close` awaits.
        closes.push(json!({ "code": code, "clean": true }));
    }

    let mut client = Client::connect(&server).await;
    let fragments = list(&plan["fragments"]);
    let mut pongs = Vec::new();
    for (index, (ping, fragment)) in list(&plan["pings"]).iter().zip(fragments).enumerate() {
        client.send(Message::Ping(text(ping).to_owned().into())).await;
        match client.next().await {
            Message::Pong(payload) => pongs.push(String::from_utf8_lossy(&payload).into_owned()),
            other => panic!("not a pong: {other:?}"),
        }
        let kind = if index == 0 { Data::Text } else { Data::Continue };
        client.fragment(text(fragment), kind, index + 1 == fragments.len()).await;
    }
    let fragmented = client.next().await.into_text().expect("text").to_string();

    client.fragment(text(&fragments[0]), Data::Text, false).await;
    // Gone in the middle of a message, without a close frame.
    drop(client);
    let mut client = Client::connect(&server).await;
    client.send(Message::text(text(&plan["again"]))).await;
    let again = client.next().await.into_text().expect("text").to_string();
    client.close(None).await;
    server.stop().await;
    json!({ "echoes": echoes, "closes": closes, "pongs": pongs, "fragmented": fragmented, "again": again })
}

struct Client {
    ws: WebSocketStream<TcpStream>,
}

impl Client {
    async fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).await.expect("a server");
        let connect = timeout(PATIENCE, client_async(server.url(), stream));
        Self { ws: connect.await.expect("an answer in time").expect("an upgrade").0 }
    }

    async fn send(&mut self, message: Message) {
        self.ws.send(message).await.expect("an open connection");
    }

    async fn fragment(&mut self, text: &str, kind: Data, is_last: bool) {
        self.send(Message::Frame(Frame::message(text.to_owned(), OpCode::Data(kind), is_last))).await;
    }

    async fn next(&mut self) -> Message {
        let next = timeout(PATIENCE, self.ws.next()).await.expect("a message in time");
        next.expect("an open connection").expect("a message")
    }

    async fn echo(&mut self, message: Message) -> Value {
        self.send(message.clone()).await;
        let received = self.next().await;
        let kind = if received.is_text() { "text" } else { "binary" };
        json!({ "kind": kind, "bytes": received.len(), "same": received == message })
    }

    /// Closes and waits until the server has closed, too; its code.
    async fn close(mut self, frame: Option<CloseFrame>) -> Option<u16> {
        self.send(Message::Close(frame)).await;
        let Message::Close(answer) = self.next().await else { panic!("not a close frame") };
        let end = timeout(PATIENCE, self.ws.next()).await.expect("an end in time");
        assert!(end.is_none(), "{end:?}");
        answer.map(|frame| frame.code.into())
    }
}

fn whole(message: &Value) -> Message {
    let times = usize::try_from(message["times"].as_u64().expect("a number")).expect("a number");
    if let Some(text) = message["text"].as_str() {
        return Message::text(text.repeat(times));
    }
    let bytes: Vec<u8> = serde_json::from_value(message["bytes"].clone()).expect("bytes");
    Message::binary(bytes.repeat(times))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}
