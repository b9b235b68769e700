//! Frames that a client sends before it has the response to its upgrade (HTTP/1.1): none is lost.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
};
use serde_json::json;
use switchboard::{Config, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{Client, PATIENCE, masked},
    conformance,
    serve::ws_route,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Semaphore,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use crate::{
    app::App,
    site::{Http1, Stream, any_frame, expect_end, is_axum},
};

/// The tests of this file on one kind of stream.
macro_rules! tests {
    ($site:ty: $($name:ident)*) => {$(
        #[tokio::test]
        async fn $name() {
            crate::early::$name::<$site>().await;
        }
    )*};
    ($site:ty) => {
        crate::early::tests!($site:
            frames_in_one_piece_with_the_request
            more_than_a_read_takes_behind_the_request
            a_close_frame_behind_the_request
            frames_while_the_upgrade_is_decided
        );
    };
}

pub(crate) use tests;

const REQUEST: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

fn add(n: u32) -> Vec<u8> {
    let add = json!({ "type": "ADD", "meta": { "correlationId": n.to_string() }, "payload": { "a": n, "b": 0 } });
    masked(0x81, add.to_string().as_bytes())
}

/// Sends the request and what is to be behind it with one write.
async fn send<S: Stream>(stream: &mut S, behind: &[u8]) {
    stream.write_all(&[REQUEST.as_bytes(), behind].concat()).await.unwrap();
    stream.flush().await.unwrap();
}

/// Reads the response's head; a client from then on.
async fn accepted<S: Stream>(mut stream: S) -> Client<S> {
    let head = async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    };
    let head = timeout(PATIENCE, head).await.expect("an answer in time");
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    Client { ws: WebSocketStream::from_raw_socket(stream, Role::Client, None).await, headers: HeaderMap::new() }
}

async fn expect_sums<S: Stream>(client: &mut Client<S>, count: u32) {
    for n in 0..count {
        let sum = client.recv().await;
        assert_eq!(sum["meta"]["correlationId"], n.to_string());
    }
}

pub(crate) async fn frames_in_one_piece_with_the_request<T: Http1>() {
    let site = T::start(conformance::app()).await;
    for count in [1, 3, 20] {
        let mut stream = site.dial().await;
        let mut frames: Vec<u8> = (0..count).flat_map(add).collect();
        frames.extend(masked(0x89, b"ping"));
        // Its other half comes after the response.
        let last = add(count);
        let (first_half, second_half) = last.split_at(9);
        frames.extend_from_slice(first_half);
        send(&mut stream, &frames).await;
        let mut client = accepted(stream).await;
        expect_sums(&mut client, count).await;
        assert_eq!(any_frame(&mut client).await, Message::Pong(b"ping".to_vec().into()));
        client.raw(second_half).await;
        assert_eq!(client.recv().await["meta"]["correlationId"], count.to_string());
        client.assert_alive().await;
    }
}

pub(crate) async fn more_than_a_read_takes_behind_the_request<T: Http1>() {
    const COUNT: u32 = 3000;
    let site = T::start(conformance::app()).await;
    let stream = site.dial().await;
    let frames: Vec<u8> = (0..COUNT).flat_map(add).collect();
    assert!(frames.len() > 3 * 64 * 1024);
    let (mut read, mut write) = tokio::io::split(stream);
    let writing = tokio::spawn(async move {
        write.write_all(&[REQUEST.as_bytes(), &frames].concat()).await.unwrap();
        write.flush().await.unwrap();
        write
    });
    // It reads while the rest is still being written.
    let mut head = Vec::new();
    let mut ends = 0;
    let read_all = async {
        let mut buffer = vec![0; 64 * 1024];
        while ends < COUNT {
            let read = read.read(&mut buffer).await.unwrap();
            assert!(read > 0, "closed after {ends}");
            head.extend_from_slice(&buffer[..read]);
            ends = u32::try_from(head.windows(5).filter(|bytes| bytes == b"\"SUM\"").count()).unwrap();
        }
    };
    timeout(2 * PATIENCE, read_all).await.expect("all in time");
    let write = timeout(PATIENCE, writing).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&head);
    let ids: Vec<_> = text.split("\"correlationId\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids, (0..COUNT).map(|n| n.to_string()).collect::<Vec<_>>());
    drop((read, write));
}

pub(crate) async fn a_close_frame_behind_the_request<T: Http1>() {
    let mut app = App::new(Config::new());
    let site = T::start(app.router.clone()).await;
    let mut stream = site.dial().await;
    let echo = json!({ "type": "ECHO", "meta": { "correlationId": "c" }, "payload": { "text": "x" } });
    let frames = [masked(0x81, echo.to_string().as_bytes()), masked(0x88, &1000u16.to_be_bytes())].concat();
    send(&mut stream, &frames).await;
    let mut client = accepted(stream).await;
    if T::ARRIVES_UNFLUSHED || !is_axum() {
        assert_eq!(client.expect("ECHOED").await["text"], "x");
        assert_eq!(client.expect_close().await.0, 1000);
        expect_end(&mut client).await;
    }
    drop(client);
    assert_eq!(app.closed().await.0, 1000);
    app.is_empty().await;
}

#[ws_rpc("ADD", response = Sum)]
struct Add {
    a: f64,
    b: f64,
}

#[ws_message("SUM")]
struct Sum {
    result: f64,
}

pub(crate) async fn frames_while_the_upgrade_is_decided<T: Http1>() {
    const COUNT: u32 = 100;
    let (asked, decided) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (ask, decide) = (Arc::clone(&asked), Arc::clone(&decided));
    let authenticate = move || {
        let (ask, decide) = (Arc::clone(&ask), Arc::clone(&decide));
        async move {
            ask.add_permits(1);
            decide.acquire().await.unwrap().forget();
            Ok::<_, StatusCode>(())
        }
    };
    let ws = WsRouter::new().on(async |add: Add| Sum { result: add.a + add.b }).authenticate(authenticate);
    let site = T::start(Router::new().route("/ws", ws_route(ws))).await;
    let mut stream = site.dial().await;
    send(&mut stream, &add(0)).await;
    timeout(PATIENCE, asked.acquire()).await.expect("a request in time").unwrap().forget();
    for n in 1..COUNT / 2 {
        stream.write_all(&add(n)).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    decided.add_permits(1);
    for n in COUNT / 2..COUNT {
        stream.write_all(&add(n)).await.unwrap();
    }
    stream.flush().await.unwrap();
    let mut client = accepted(stream).await;
    expect_sums(&mut client, COUNT).await;
    client.assert_alive().await;
}
