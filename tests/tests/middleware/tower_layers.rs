//! Layers of tower's own, as they are.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use switchboard::{RouteOptions, WsError, WsRouter};
use tokio::sync::Semaphore;
use tower::{ServiceBuilder, limit::GlobalConcurrencyLimitLayer, load_shed::LoadShedLayer, timeout::TimeoutLayer};

use crate::{Add, Sum, add, serve};

#[tokio::test]
async fn a_timeout_is_a_deadline() {
    let ws = WsRouter::new()
        .on(async |_: Add| std::future::pending::<Result<Sum, WsError>>().await)
        .layer(TimeoutLayer::new(Duration::from_millis(20)));
    let server = serve(ws);
    let mut client = server.connect("/ws").await;
    assert_eq!(client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await["payload"]["code"], "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn a_limit_of_concurrency_holds_over_all_connections() {
    let gate = Arc::new(Semaphore::new(0));
    let limit = Arc::new(Semaphore::new(1));
    let hold = Arc::clone(&gate);
    let ws = WsRouter::new().on_with(
        async move |add: Add| {
            hold.acquire().await.map_err(WsError::internal)?.forget();
            Ok::<_, WsError>(Sum { result: add.a + add.b })
        },
        RouteOptions::new()
            .concurrent(8)
            .layer(GlobalConcurrencyLimitLayer::with_semaphore(Arc::clone(&limit)))
            .layer(LoadShedLayer::new()),
    );
    let server = serve(ws);
    let (mut ann, mut ben) = (server.connect("/ws").await, server.connect("/ws").await);
    ann.send_request("ADD", "1", json!({ "a": 1, "b": 2 })).await;
    // The first holds the only place once nothing is free.
    while limit.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let shed = ben.request("ADD", "1", json!({ "a": 1, "b": 2 })).await;
    assert_eq!((&shed["payload"]["code"], &shed["payload"]["retryable"]), (&json!("RESOURCE_EXHAUSTED"), &json!(true)));
    gate.add_permits(1);
    assert_eq!(ann.recv().await["payload"]["result"], 3);
    gate.add_permits(1);
    assert_eq!(ben.request("ADD", "2", json!({ "a": 2, "b": 2 })).await["payload"]["result"], 4);
}

#[tokio::test]
async fn a_stack_of_layers_is_one() {
    let stack = ServiceBuilder::new()
        .layer(switchboard::TraceLayer::new())
        .layer(switchboard::RateLimitLayer::per_connection(2, Duration::from_secs(600)))
        .concurrency_limit(10)
        .timeout(Duration::from_secs(60));
    let server = serve(WsRouter::<(), ()>::new().on(add).layer(stack));
    let mut client = server.connect("/ws").await;
    for id in ["1", "2"] {
        assert_eq!(client.request("ADD", id, json!({ "a": 1, "b": 2 })).await["payload"]["result"], 3);
    }
    assert_eq!(client.request("ADD", "3", json!({ "a": 1, "b": 2 })).await["payload"]["code"], "RESOURCE_EXHAUSTED");
}
