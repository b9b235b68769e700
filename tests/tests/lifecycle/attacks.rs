//! Clients that take more than their share of the server's time, its memory or its answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use axum::{Router, extract::State};
use futures_util::StreamExt as _;
use serde_json::json;
use switchboard::{Config, Conn, Hub, RefreshToken, RouteOptions, WsError, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{Client, PATIENCE, Server, masked},
    serve::ws_route,
};
use tokio::{sync::Semaphore, time::timeout};
use tokio_tungstenite::tungstenite::Message;

/// How many handlers have been run, and leave to end.
#[derive(Clone)]
struct App {
    burnt: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
}

impl App {
    fn new() -> Self {
        Self { burnt: Arc::default(), go: Arc::new(Semaphore::new(0)) }
    }

    fn burnt(&self) -> usize {
        self.burnt.load(SeqCst)
    }
}

#[ws_message("DONE")]
struct Done {
    n: usize,
}

#[ws_rpc("BURN", response = Done)]
struct Burn {}

#[ws_rpc("BESIDE", response = Done)]
struct Beside {}

#[ws_rpc("NOW", response = Done)]
struct Now {}

/// Keeps its thread for five milliseconds.
fn work(app: &App) -> Done {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(5) {}
    Done { n: app.burnt.fetch_add(1, SeqCst) + 1 }
}

async fn burn(State(app): State<App>, _: Burn) -> Done {
    work(&app)
}

async fn beside(State(app): State<App>, _: Beside) -> Done {
    app.go.acquire().await.unwrap().forget();
    work(&app)
}

async fn now(State(app): State<App>, _: Now) -> Done {
    Done { n: app.burnt() }
}

fn request(message_type: &str, id: impl std::fmt::Display) -> String {
    json!({ "type": message_type, "meta": { "correlationId": id.to_string() }, "payload": {} }).to_string()
}

/// In one piece, so that all of it is there when the first is handled.
async fn pipeline(client: &mut Client, message_type: &str, ids: std::ops::Range<usize>) {
    let frames: Vec<u8> = ids.flat_map(|id| masked(0x81, request(message_type, id).as_bytes())).collect();
    client.raw(&frames).await;
}

/// How many handlers had been run when a neighbour's request was handled that was sent after the first.
async fn neighbour(server: &Server, app: &App) -> usize {
    let mut client = server.connect("/ws").await;
    client.request("NOW", "warm", json!({})).await;
    let first = async {
        while app.burnt() == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, first).await.unwrap();
    let answer = client.request("NOW", "1", json!({})).await;
    usize::try_from(answer["payload"]["n"].as_u64().unwrap()).unwrap()
}

const MANY: usize = 60;

/// On one thread the neighbour is served when the attacker's turn ends: long before all are handled.
#[tokio::test]
async fn attack_a2_pipelined_handlers_stall_neither_others_nor_their_own_replies() {
    let app = App::new();
    let server = serve(&app, Config::new());
    let mut client = server.connect("/ws").await;
    let attack = async {
        pipeline(&mut client, "BURN", 0..MANY).await;
        client.expect("DONE").await;
        let at_first = app.burnt();
        for _ in 1..MANY {
            client.expect("DONE").await;
        }
        at_first
    };
    let (at_first, at_neighbour) = tokio::join!(attack, neighbour(&server, &app));
    assert!(at_first <= 10, "the first reply came after {at_first} handlers");
    assert!(at_neighbour <= 20, "the neighbour was answered after {at_neighbour} handlers");
}

#[tokio::test]
async fn attack_a2_what_waits_behind_a_slow_handler_is_not_handled_in_one_turn() {
    let app = App::new();
    let server = serve(&app, Config::new().max_inbox(MANY, 64 * 1024).max_requests(2 * MANY));
    let mut client = server.connect("/ws").await;
    client.send_request("WAIT", "w", json!({})).await;
    pipeline(&mut client, "BURN", 0..MANY - 1).await;
    client.text(r#"{"type":"__heartbeat"}"#).await;
    client.recv().await;
    app.go.add_permits(1);
    let at_neighbour = neighbour(&server, &app).await;
    assert!(at_neighbour <= 20, "the neighbour was answered after {at_neighbour} handlers");
}

#[tokio::test]
async fn attack_a2_handlers_that_run_beside_each_other_are_not_polled_in_one_turn() {
    let app = App::new();
    let server = serve(&app, Config::new().max_requests(MANY));
    let mut client = server.connect("/ws").await;
    pipeline(&mut client, "BESIDE", 0..MANY).await;
    client.text(r#"{"type":"__heartbeat"}"#).await;
    client.recv().await;
    app.go.add_permits(MANY);
    let at_neighbour = neighbour(&server, &app).await;
    assert!(at_neighbour <= 20, "the neighbour was answered after {at_neighbour} handlers");
    for _ in 0..MANY {
        client.expect("DONE").await;
    }
}

#[ws_rpc("WAIT", response = Done)]
struct Wait {}

async fn wait(State(app): State<App>, _: Wait) -> Done {
    app.go.acquire().await.unwrap().forget();
    Done { n: 0 }
}

fn serve(app: &App, config: Config) -> Server {
    let ws =
        WsRouter::new().config(config).on(burn).on(now).on(wait).on_with(beside, RouteOptions::new().concurrent(MANY));
    Server::start(Router::new().route("/ws", ws_route(ws)).with_state(app.clone()))
}

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

fn serve_big(config: Config, hub: &Hub) -> Server {
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
        .on(async |conn: Conn, _: Burn| {
            conn.subscribe("t").await?;
            Ok::<_, WsError>(Done { n: 0 })
        });
    Server::start(Router::new().route("/ws", ws_route(ws)))
}

/// A thread of its own asks without looking at answers; this one reads, but not as fast.
async fn asks_faster_than_it_reads(message_type: &str, count: usize, bytes: usize) {
    let server = serve_big(Config::new().max_outbound_bytes(256 * 1024), &Hub::new());
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
async fn attack_a10_so_is_one_whose_handlers_run_beside_each_other() {
    asks_faster_than_it_reads("GET_BESIDE", 400, 20_000).await;
}

#[tokio::test]
async fn attack_a10_a_reply_of_more_than_half_of_the_queue_is_no_overflow() {
    asks_faster_than_it_reads("GET", 60, 200_000).await;
}

/// Nothing but this would ever end it: there is no heartbeat.
#[tokio::test]
async fn attack_a10_a_client_that_never_reads_is_closed() {
    let patience = Duration::from_millis(300);
    let config = Config::new().max_outbound_bytes(64 * 1024).ping_interval(None).pong_timeout(patience);
    let hub = Hub::new();
    let server = serve_big(config.write_timeout(Duration::from_millis(100)), &hub);
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
async fn attack_a10_publishes_of_others_still_overflow() {
    let hub = Hub::new();
    let server = serve_big(Config::new().max_outbound_bytes(64 * 1024), &hub);
    let mut client = server.connect("/ws").await;
    client.request("BURN", "1", json!({})).await;
    let flood = async {
        while hub.local_connections().next().is_some_and(|conn| !conn.is_closed()) {
            hub.publish("t", Big { text: "x".repeat(30_000) }).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, flood).await.unwrap();
    assert_eq!(client.skip_to_close().await, 4002);
}

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
async fn attack_a8_what_reaches_no_handler_is_limited() {
    for text in UNHANDLED {
        assert_eq!(flood(Config::new().max_unhandled_messages(100), text, 100).await, Some(100), "{text}");
    }
    // What is malformed ends it as well where it is allowed at all.
    for text in [r#"{"type":"NOBODY"}"#, "{", r#"{"type":"$ws:nothing"}"#, r#"{"type":"__heartbeat_ack"}"#] {
        let config = Config::new().max_unhandled_messages(100).max_bad_messages(0);
        assert_eq!(flood(config, text, 100).await, Some(100), "{text}");
    }
}

#[tokio::test]
async fn attack_a8_by_default_too() {
    assert_eq!(flood(Config::new(), HEARTBEAT, 2000).await, Some(2000));
}

#[tokio::test]
async fn attack_a8_fault_23_a_flood_of_messages_ends_in_4006() {
    let get = r#"{"type":"GET","meta":{"correlationId":"x"},"payload":{"bytes":1}}"#;
    for text in [get, HEARTBEAT] {
        assert_eq!(flood(Config::new().max_messages(100), text, 100).await, Some(100), "{text}");
        // By default there is no such limit.
        assert_eq!(flood(Config::new(), text, 1000).await, None, "{text}");
    }
}

/// Sends the same so often and once more. After how many an error and the close frame came, if they did.
async fn flood(config: Config, text: &str, times: usize) -> Option<usize> {
    let server = serve_big(config, &Hub::new());
    let mut client = server.upgrade("/ws", &[("sec-websocket-protocol", "switchboard.v1.json")]).await.unwrap();
    client.expect("$ws:hello").await;
    let frame = masked(0x81, text.as_bytes());
    client.raw(&frame.repeat(times)).await;
    client.raw(&masked(0x89, b"all but one")).await;
    let mut limit = None;
    loop {
        let next = timeout(PATIENCE, client.ws.next()).await.unwrap().unwrap().unwrap();
        match next {
            Message::Text(text) => {
                let message: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(limit, None, "{message} after the error");
                let payload = &message["payload"];
                if message["type"] == "ERROR" && payload["code"] == "RESOURCE_EXHAUSTED" {
                    limit = payload["details"]["limit"].as_u64();
                }
            }
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
            frame => panic!("{frame:?}"),
        }
    }
}

#[tokio::test]
async fn attack_a8_a_flood_of_pings_on_both_transports() {
    let server = serve_big(Config::new().max_control_frames(100), &Hub::new());
    let mut client = server.connect("/ws").await;
    client.raw(&masked(0x89, b"").repeat(101)).await;
    assert_eq!(client.skip_to_close().await, 4006);
}

#[derive(Clone)]
struct Asked {
    asked: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
    answer: Arc<Semaphore>,
}

async fn may_stay(State(app): State<Asked>) {
    app.asked.fetch_add(1, SeqCst);
    app.answer.acquire().await.unwrap().forget();
}

async fn refresh(State(app): State<Asked>, _: RefreshToken) {
    may_stay(State(app)).await;
}

async fn hang(State(app): State<Asked>, _: Wait) -> Done {
    app.go.acquire().await.unwrap().forget();
    Done { n: 0 }
}

impl Asked {
    fn serve(hub: &Hub) -> (Self, Server) {
        let app = Self { asked: Arc::default(), go: Arc::new(Semaphore::new(0)), answer: Arc::new(Semaphore::new(0)) };
        let ws = WsRouter::new()
            .hub(hub.clone())
            .on(hang)
            .on_with(async |_: Beside| Done { n: 1 }, RouteOptions::new().concurrent(4))
            .on(async |_: Burn| Done { n: 2 })
            .on_reauthorize(may_stay)
            .on_refresh(refresh);
        (app.clone(), Server::start(Router::new().route("/ws", ws_route(ws)).with_state(app)))
    }

    async fn until_asked(&self, count: usize) {
        let asked = async {
            while self.asked.load(SeqCst) < count {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, asked).await.expect("the question in time");
    }
}

/// A handler runs; the question comes all the same, and nothing begins before its answer.
#[tokio::test]
async fn attack_a6_a_question_does_not_wait_and_nothing_begins_before_its_answer() {
    for by_refresh in [false, true] {
        let hub = Hub::new();
        let (app, server) = Asked::serve(&hub);
        let mut client = server.upgrade("/ws", &[("sec-websocket-protocol", "switchboard.v1.json")]).await.unwrap();
        client.expect("$ws:hello").await;
        client.send_request("WAIT", "w", json!({})).await;
        client.text(r#"{"type":"__heartbeat"}"#).await;
        client.expect("__heartbeat_ack").await;
        if by_refresh {
            client.send_request("$ws:refresh", "r", json!({ "token": "t" })).await;
        } else {
            hub.local_connections().next().unwrap().reauthorize();
        }
        app.until_asked(1).await;
        // Concurrent ones and those in order; the heartbeat is behind them.
        for id in 0..3 {
            client.send_request("BESIDE", &format!("beside {id}"), json!({})).await;
        }
        client.send_request("BURN", "in order", json!({})).await;
        client.text(r#"{"type":"__heartbeat"}"#).await;
        client.expect("__heartbeat_ack").await;
        // What ran before may end.
        app.go.add_permits(1);
        assert_eq!(client.recv().await["meta"]["correlationId"], "w");
        client.text(r#"{"type":"__heartbeat"}"#).await;
        client.expect("__heartbeat_ack").await;
        app.answer.add_permits(1);
        if by_refresh {
            client.expect("$ws:refreshed").await;
        }
        for id in ["beside 0", "beside 1", "beside 2", "in order"] {
            assert_eq!(client.recv().await["meta"]["correlationId"], id);
        }
        assert_eq!(app.asked.load(SeqCst), 1);
    }
}
