//! Section 7: requests of the server to its client.

use std::time::Duration;

use axum::{Router, extract::State};
use serde_json::json;
use switchboard::{CallErrorKind, Config, Conn, Hub, WsError, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{Client, PATIENCE, Server},
    serve::ws_route,
};
use tokio::sync::mpsc;

#[ws_message("ANSWER")]
struct Answer {
    n: u32,
}

#[ws_rpc("ASK", response = Answer)]
struct Ask {}

/// Asks so many times at once.
#[ws_message("ASK_ME")]
struct AskMe {
    times: usize,
    ms: u64,
}

/// What became of one call.
type Outcome = Result<u32, CallErrorKind>;

async fn ask_me(State(outcomes): State<mpsc::Sender<Outcome>>, conn: Conn, ask: AskMe) -> Result<(), WsError> {
    for _ in 0..ask.times {
        let call = conn.call(Ask {}).timeout(Duration::from_millis(ask.ms)).into_future();
        let outcomes = outcomes.clone();
        // Its own task: nobody reports when the handler is dropped.
        tokio::spawn(async move {
            let outcome = call.await.map(|answer| answer.n).map_err(|error| error.kind());
            outcomes.send(outcome).await.unwrap();
        });
    }
    Ok(())
}

#[ws_message("HANG")]
struct Hang {}

async fn hang(_: Hang) {
    std::future::pending().await
}

fn serve(config: Config) -> (Server, Hub, mpsc::Receiver<Outcome>) {
    let (hub, (send, outcomes)) = (Hub::new(), mpsc::channel(16));
    let ws = WsRouter::new().hub(hub.clone()).config(config).on(ask_me).on(hang);
    (Server::start(Router::new().route("/ws", ws_route(ws)).with_state(send)), hub, outcomes)
}

async fn next(outcomes: &mut mpsc::Receiver<Outcome>) -> Outcome {
    tokio::time::timeout(PATIENCE, outcomes.recv()).await.unwrap().unwrap()
}

/// The id of the next question.
async fn asked(client: &mut Client) -> String {
    let ask = client.recv().await;
    assert_eq!(ask["type"], "ASK");
    ask["meta"]["correlationId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn connection_lost_fails_its_calls() {
    let (server, _hub, mut outcomes) = serve(Config::new());
    let mut client = server.connect("/ws").await;
    client.send("ASK_ME", json!({ "times": 1, "ms": 60_000 })).await;
    asked(&mut client).await;
    drop(client);
    assert_eq!(next(&mut outcomes).await, Err(CallErrorKind::Closed));
}

#[tokio::test]
async fn answers_do_not_wait() {
    let (server, _hub, mut outcomes) = serve(Config::new());
    let mut client = server.connect("/ws").await;
    client.send("ASK_ME", json!({ "times": 1, "ms": 60_000 })).await;
    let id = asked(&mut client).await;
    client.send("HANG", json!({})).await;
    client.send_request("ANSWER", &id, json!({ "n": 7 })).await;
    assert_eq!(next(&mut outcomes).await, Ok(7));
}

#[tokio::test]
async fn calls_of_a_connection_are_limited() {
    let (server, _hub, mut outcomes) = serve(Config::new().max_calls(2));
    let mut client = server.connect("/ws").await;
    client.send("ASK_ME", json!({ "times": 3, "ms": 60_000 })).await;
    let ids = [asked(&mut client).await, asked(&mut client).await];
    assert_eq!(next(&mut outcomes).await, Err(CallErrorKind::Overloaded));
    for (n, id) in ids.iter().enumerate() {
        client.send_request("ANSWER", id, json!({ "n": n })).await;
        assert_eq!(next(&mut outcomes).await, Ok(u32::try_from(n).unwrap()));
    }
    // There is room again.
    client.send("ASK_ME", json!({ "times": 1, "ms": 60_000 })).await;
    asked(&mut client).await;
}

#[tokio::test]
async fn late_unknown_and_wrong_answers_are_counted() {
    let (server, hub, mut outcomes) = serve(Config::new());
    let mut client = server.connect("/ws").await;
    client.send("ASK_ME", json!({ "times": 1, "ms": 20 })).await;
    let late = asked(&mut client).await;
    assert_eq!(next(&mut outcomes).await, Err(CallErrorKind::TimedOut));
    client.send("ASK_ME", json!({ "times": 1, "ms": 60_000 })).await;
    let id = asked(&mut client).await;
    assert_eq!(hub.stats().late_answers, 0);
    // Late, never asked for, and of another type: nobody is told.
    client.send_request("ANSWER", &late, json!({ "n": 1 })).await;
    client.send_request("ANSWER", "s:99", json!({ "n": 2 })).await;
    client.send_request("ANSWERS", &id, json!({ "n": 3 })).await;
    client.send_request("ANSWER", &id, json!({ "n": 4 })).await;
    assert_eq!(next(&mut outcomes).await, Ok(4));
    assert_eq!(hub.stats().late_answers, 3);
    // Twice.
    client.send_request("ANSWER", &id, json!({ "n": 5 })).await;
    client.text(r#"{"type":"__heartbeat"}"#).await;
    assert_eq!(client.recv().await["type"], "__heartbeat_ack");
    assert_eq!(hub.stats().late_answers, 4);
}
