//! Section 7: clients that do not read, and servers that do not (7.2 to 7.4).

use std::time::{Duration, Instant};

use axum::{Router, extract::State};
use futures_util::StreamExt as _;
use serde_json::json;
use switchboard::{Config, Conn, Hub, SendErrorKind, WsError, WsRouter, ws_message};
use switchboard_tests::{
    client::{PATIENCE, Server, masked},
    serve::ws_route,
};
use tokio::{io::AsyncReadExt as _, sync::mpsc};
use tokio_tungstenite::tungstenite::Message;

use crate::server;

#[ws_message("HANG")]
struct Hang {}

/// Takes so long.
#[ws_message("WAIT")]
struct Wait {
    ms: u64,
}

#[ws_message("PING")]
struct Ping {
    #[serde(default)]
    pad: String,
}

#[ws_message("PONG")]
struct Pong {
    len: usize,
}

/// With handlers to wait behind.
pub(crate) fn serve(config: Config) -> Server {
    let hang = async |_: Hang| std::future::pending::<()>().await;
    let wait = async |wait: Wait| {
        tokio::time::sleep(Duration::from_millis(wait.ms)).await;
        Pong { len: 0 }
    };
    let ping = async |ping: Ping| Pong { len: ping.pad.len() };
    Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().config(config).on(hang).on(wait).on(ping))))
}

/// As a text of this length.
pub(crate) fn ping(len: usize) -> String {
    let text = |pad: &str| format!(r#"{{"type":"PING","payload":{{"pad":"{pad}"}}}}"#);
    text(&"x".repeat(len - text("").len()))
}

/// Sends a message that takes its time, these and a heartbeat, in one piece; the types of what comes up to its answer.
async fn up_to_the_heartbeat(server: &Server, first: &str, messages: &[String]) -> Vec<String> {
    let mut client = server.connect("/ws").await;
    let mut bytes = masked(0x81, first.as_bytes());
    for message in messages {
        bytes.extend(masked(0x81, message.as_bytes()));
    }
    bytes.extend(masked(0x81, br#"{"type":"__heartbeat"}"#));
    client.raw(&bytes).await;
    let mut types = Vec::new();
    loop {
        types.push(client.recv().await["type"].as_str().unwrap().to_owned());
        if types.last().is_some_and(|last| last == "__heartbeat_ack") {
            return types;
        }
    }
}

/// These messages do not fill the inbox: a heartbeat behind them is answered although a handler hangs.
pub(crate) async fn assert_read(server: &Server, messages: &[String]) {
    let types = up_to_the_heartbeat(server, r#"{"type":"HANG","payload":{}}"#, messages).await;
    assert_eq!(types, ["__heartbeat_ack"]);
}

/// These do: a heartbeat behind them is not read before there is room again.
pub(crate) async fn assert_not_read(server: &Server, messages: &[String]) {
    let types = up_to_the_heartbeat(server, r#"{"type":"WAIT","payload":{"ms":200}}"#, messages).await;
    let (last, before) = types.split_last().unwrap();
    assert_eq!((last.as_str(), before.len()), ("__heartbeat_ack", messages.len() + 1));
}

#[tokio::test]
async fn at_the_inbox_limit_nothing_is_read() {
    let server = serve(Config::new().max_inbox(2, 65_536));
    assert_read(&server, &[ping(100)]).await;
    assert_not_read(&server, &[ping(100), ping(100)]).await;
}

#[tokio::test]
async fn messages_not_read_under_pressure_are_handled_afterwards() {
    let server = serve(Config::new().max_inbox(2, 1024));
    let mut client = server.connect("/ws").await;
    client.send("WAIT", json!({ "ms": 100 })).await;
    // In portions that end anywhere.
    let all = masked(0x81, br#"{"type":"PING","payload":{}}"#).repeat(3000);
    for portion in all.chunks(1777) {
        client.raw(portion).await;
    }
    for _ in 0..3001 {
        client.expect("PONG").await;
    }
}

#[ws_message("PAD")]
struct Pad {
    n: u32,
    pad: String,
}

impl Pad {
    fn new(n: u32, bytes: usize) -> Self {
        Self { n, pad: "x".repeat(bytes) }
    }
}

/// Progress of writing, that is, to a client that reads a little and answers nothing.
#[tokio::test]
async fn progress_counts_as_alive() {
    let beat = Duration::from_millis(250);
    let hub = Hub::new();
    let opened = async |conn: Conn| conn.subscribe("t").await.map(|_| ());
    let config = Config::new().ping_interval(beat).pong_timeout(beat).max_outbound_bytes(1 << 30);
    let ws = WsRouter::<()>::new().hub(hub.clone()).config(config).on_open(opened);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    // The bare socket: nobody answers pings there.
    let mut stream = server.connect("/ws").await.ws.into_inner();
    while hub.topic("t").local_subscriber_count() == 0 {
        tokio::task::yield_now().await;
    }
    // More than is read below, and small enough for pings in between.
    for n in 0..2000 {
        hub.publish("t", Pad::new(n, 60_000)).await.unwrap();
    }
    let mut read = vec![0; 256 * 1024];
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        assert!(stream.read(&mut read).await.unwrap() > 0);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let conn = hub.local_connections().next().unwrap();
    assert!(!conn.is_closed() && conn.buffered() > 0, "{}", conn.buffered());
    // Nothing else has kept it.
    let closed = async {
        while !conn.is_closed() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.unwrap();
}

#[ws_message("QUEUE")]
struct Queue {}

/// Sends until much waits although there was time to write it; says how many.
async fn queue(State(sent): State<mpsc::UnboundedSender<u32>>, conn: Conn, _: Queue) -> Result<(), WsError> {
    let mut n = 0;
    while conn.buffered() < 256 * 1024 {
        conn.send(Pad::new(n, 1000))?;
        n += 1;
        tokio::task::yield_now().await;
    }
    sent.send(n).map_err(WsError::internal)
}

#[tokio::test]
async fn a_pong_goes_ahead_of_queued_data() {
    let (send, mut sent) = mpsc::unbounded_channel();
    let queueing = Server::start(Router::new().route("/ws", ws_route(WsRouter::new().on(queue))).with_state(send));
    let mut client = queueing.connect("/ws").await;
    client.send("QUEUE", json!({})).await;
    let count = tokio::time::timeout(PATIENCE, sent.recv()).await.unwrap().unwrap();
    client.raw(&masked(0x89, b"hi")).await;
    // Others have their turn before anything is read here.
    server().connect("/ws").await.assert_alive().await;
    let (mut next, mut pong_before) = (0, None);
    while next < count {
        let frame = tokio::time::timeout(PATIENCE, client.ws.next()).await.unwrap().unwrap().unwrap();
        match frame {
            Message::Pong(payload) => {
                assert_eq!(&payload[..], b"hi");
                pong_before = Some(next);
            }
            frame => {
                let message: serde_json::Value = serde_json::from_str(frame.to_text().unwrap()).unwrap();
                assert_eq!((&message["type"], &message["payload"]["n"]), (&json!("PAD"), &json!(next)));
                next += 1;
            }
        }
    }
    // All of these waited when it came.
    assert!(pong_before.is_some_and(|before| before < count - 100), "{pong_before:?} of {count}");
}

#[ws_message("OVERFLOW")]
struct Overflow {}

type Kinds = mpsc::UnboundedSender<Result<(), SendErrorKind>>;

async fn overflow(State(kinds): State<Kinds>, conn: Conn, _: Overflow) {
    let send = || conn.send(Pad::new(0, 8000)).map_err(|error| error.kind());
    while send().is_ok() {
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        _ = kinds.send(send());
    }
}

#[tokio::test]
async fn send_returns_closed_after_an_overflow() {
    let (kinds, mut told) = mpsc::unbounded_channel();
    let ws = WsRouter::new().config(Config::new().max_outbound_bytes(64 * 1024)).on(overflow);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)).with_state(kinds));
    let mut client = server.connect("/ws").await;
    client.send("OVERFLOW", json!({})).await;
    for _ in 0..2 {
        let sent = tokio::time::timeout(PATIENCE, told.recv()).await.unwrap();
        assert_eq!(sent, Some(Err(SendErrorKind::Closed)));
    }
    assert_eq!(client.skip_to_close().await, 4002);
}
