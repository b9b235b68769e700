//! One client's handlers leave other clients, and their own connection, their turns.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use axum::{Router, extract::State};
use serde_json::json;
use switchboard::{Config, RouteOptions, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{Client, PATIENCE, Server, masked},
    serve::ws_route,
};
use tokio::{sync::Semaphore, time::timeout};

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
async fn messages_queued_behind_a_slow_handler_are_not_handled_in_one_turn() {
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
async fn handlers_that_run_beside_each_other_are_not_polled_in_one_turn() {
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
