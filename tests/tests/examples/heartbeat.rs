//! `examples/heartbeat` over real sockets, one test per row of the checklist.

use std::{
    io::ErrorKind,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use switchboard_tests::client::{Client, PATIENCE, Server};
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};
use tokio_tungstenite::tungstenite::Message;

fn server() -> Server {
    Server::start(heartbeat::app_with(Duration::from_millis(100), Duration::from_millis(250)))
}

/// The bare socket, which does not answer pings.
async fn silent(server: &Server, path: &str) -> TcpStream {
    server.connect(path).await.ws.into_inner()
}

/// Reads up to and including the text.
async fn read_until(stream: &mut TcpStream, text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = async {
        while !bytes.windows(text.len()).any(|part| part == text) {
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "{bytes:?}");
        }
    };
    timeout(PATIENCE, read).await.unwrap();
    bytes
}

/// Returns the record of closed connections once it has this many.
async fn closed(server: &Server, count: usize) -> Vec<Value> {
    let wait = async {
        loop {
            let (_, mut page) = server.http("GET", "/closed", None).await;
            if page.as_array().unwrap().len() >= count {
                return std::mem::take(page.as_array_mut().unwrap());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap()
}

#[tokio::test]
async fn a_client_that_does_not_answer_pings_is_closed() {
    let server = server();
    let begin = Instant::now();
    let mut stream = silent(&server, "/ws").await;
    let bytes = read_until(&mut stream, b"Heartbeat timeout").await;
    assert!(begin.elapsed() >= Duration::from_millis(330), "{:?}", begin.elapsed());
    assert_eq!(bytes[..2], [0x89, 0], "a ping came first");
    // 1008, before the reason.
    assert_eq!(bytes[2..6], [0x88, 19, 0x03, 0xf0]);
    drop(stream);
    let closed = closed(&server, 1).await;
    let (code, reason, is_stale) = (&closed[0]["code"], &closed[0]["reason"], &closed[0]["isStale"]);
    assert_eq!((code, reason, is_stale), (&json!(1008), &json!("Heartbeat timeout"), &json!(true)));
    assert!(closed[0]["durationMs"].as_u64().unwrap() >= 330, "{closed:?}");
}

#[tokio::test]
async fn the_interval_is_30_seconds_and_the_duration_is_recorded() {
    let server = Server::start(heartbeat::app());
    let headers = [("sec-websocket-protocol", "switchboard.v1.json")];
    let begin = Instant::now();
    let mut client = server.upgrade("/ws", &headers).await.unwrap();
    assert_eq!(client.expect("$ws:hello").await["heartbeatMs"], 30_000);
    client.close(1000).await;
    let closed = closed(&server, 1).await;
    assert_eq!(closed[0]["clientId"], client.headers["x-client-id"].to_str().unwrap());
    assert_eq!((&closed[0]["code"], &closed[0]["isStale"]), (&json!(1000), &json!(false)));
    let duration = Duration::from_millis(closed[0]["durationMs"].as_u64().unwrap());
    assert!(duration <= begin.elapsed(), "{duration:?}");
}

#[tokio::test]
async fn pings_are_sent_only_where_heartbeats_are_on() {
    let server = server();
    let quiet = silent(&server, "/quiet").await;
    let mut answers = server.connect("/ws").await;
    let mut dead = silent(&server, "/ws").await;
    // The client library answers pings only while it is read.
    let mut pings = 0;
    let dies = async {
        read_until(&mut dead, b"Heartbeat timeout").await;
        drop(dead);
        closed(&server, 1).await
    };
    let lives = async {
        while pings < 5 {
            let frame = timeout(PATIENCE, answers.ws.next()).await.unwrap().unwrap().unwrap();
            assert!(matches!(frame, Message::Ping(_)), "{frame:?}");
            pings += 1;
        }
    };
    let (closed, ()) = tokio::join!(dies, lives);
    assert_eq!((closed.len(), &closed[0]["isStale"]), (1, &json!(true)));
    pong(&mut answers, 0).await;
    // Without heartbeats, the client is informed in place of the interval.
    let headers = [("sec-websocket-protocol", "switchboard.v1.json")];
    for (path, interval) in [("/ws", json!(100)), ("/quiet", Value::Null)] {
        let mut client = server.upgrade(path, &headers).await.unwrap();
        assert_eq!(client.expect("$ws:hello").await["heartbeatMs"], interval, "{path}");
    }
    // Without heartbeats, no ping arrived and no connection was closed.
    let nothing = quiet.try_read(&mut [0; 16]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
}

async fn pong(client: &mut Client, timestamp: u64) -> Value {
    client.send("HEARTBEAT_PING", json!({ "timestamp": timestamp })).await;
    client.expect("HEARTBEAT_PONG").await
}

#[tokio::test]
async fn pings_of_the_application_measure_the_latency() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let answer = pong(&mut client, now - 1000).await;
    assert_eq!(answer["timestamp"], now - 1000);
    // The clock is read at most once per turn, so it may be slightly behind.
    let latency = answer["latency"].as_u64().unwrap();
    assert!((990..11_000).contains(&latency), "{latency}");
    // The time is absent if the client's clock is ahead.
    assert_eq!(pong(&mut client, now + 3_600_000).await, json!({ "timestamp": now + 3_600_000 }));
    client.send("HEARTBEAT_PING", json!({ "timestamp": "now" })).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
}
