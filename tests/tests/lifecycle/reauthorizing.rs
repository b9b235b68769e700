//! While it is decided whether a connection may stay, no handler begins.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{Router, extract::State};
use serde_json::json;
use switchboard::{Hub, RefreshToken, RouteOptions, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{PATIENCE, Server},
    serve::ws_route,
};
use tokio::{sync::Semaphore, time::timeout};

#[ws_message("DONE")]
struct Done {}

#[ws_rpc("IN_ORDER", response = Done)]
struct InOrder {}

#[ws_rpc("BESIDE", response = Done)]
struct Beside {}

#[ws_rpc("WAIT", response = Done)]
struct Wait {}

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
    Done {}
}

impl Asked {
    fn serve(hub: &Hub) -> (Self, Server) {
        let app = Self { asked: Arc::default(), go: Arc::new(Semaphore::new(0)), answer: Arc::new(Semaphore::new(0)) };
        let ws = WsRouter::new()
            .hub(hub.clone())
            .on(hang)
            .on_with(async |_: Beside| Done {}, RouteOptions::new().concurrent(4))
            .on(async |_: InOrder| Done {})
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
        client.send_request("IN_ORDER", "in order", json!({})).await;
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
