//! Middleware that runs the handler several times.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::Extension;
use serde_json::json;
use switchboard::{
    Cancelled, ErrorCode, Meta, RouteOptions, WsError, WsRequest, WsRouter,
    middleware::{Next, from_fn},
};

use crate::{Add, Log, Sum, serve};

#[derive(Clone)]
struct Attempts(Arc<AtomicU32>);

#[tokio::test]
async fn a_message_is_handled_again_with_all_that_it_had() {
    let log = Log::default();
    let (seen, attempts) = (log.clone(), Attempts(Arc::default()));
    let handler = async move |Extension(attempts): Extension<Attempts>, meta: Meta, add: Add| {
        let attempt = attempts.0.fetch_add(1, Relaxed) + 1;
        seen.add(format!("{attempt}: {:?} {} {}", meta.correlation_id(), add.a, add.b));
        if attempt % 3 == 0 {
            Ok(Sum { result: add.a + add.b })
        } else {
            Err(WsError::new(ErrorCode::Aborted, "again"))
        }
    };
    let retry = from_fn(async move |mut request: WsRequest<()>, next: Next<()>| {
        request.extensions_mut().insert(attempts.clone());
        for _ in 0..2 {
            match next.clone().run(request.clone()).await {
                Err(error) if *error.code() == ErrorCode::Aborted => {}
                result => return result,
            }
        }
        next.run(request).await
    });
    let server = serve(WsRouter::new().on(handler).layer(retry));
    let mut client = server.connect("/ws").await;
    assert_eq!(client.request("ADD", "one", json!({ "a": 1, "b": 2 })).await["payload"]["result"], 3);
    assert_eq!(log.take(), [r#"1: Some("one") 1 2"#, r#"2: Some("one") 1 2"#, r#"3: Some("one") 1 2"#]);
    assert_eq!(client.request("ADD", "two", json!({ "a": 2, "b": 2 })).await["payload"]["result"], 4);
    assert_eq!(log.take(), [r#"4: Some("two") 2 2"#, r#"5: Some("two") 2 2"#, r#"6: Some("two") 2 2"#]);
}

/// The first attempt is dropped; what it spawned is told, the second attempt is not.
#[tokio::test]
async fn dropping_one_attempt_does_not_cancel_the_next() {
    for options in [RouteOptions::new(), RouteOptions::new().run_to_completion()] {
        let (first, attempts) = (Log::default(), Arc::new(AtomicU32::new(0)));
        let log = first.clone();
        let handler = async move |cancelled: Cancelled, add: Add| {
            if attempts.fetch_add(1, Relaxed) == 0 {
                let cancelled = cancelled.clone();
                tokio::spawn(async move {
                    cancelled.cancelled().await;
                    log.add("cancelled");
                });
                pending::<()>().await;
            }
            assert!(!cancelled.is_cancelled());
            Sum { result: add.a + add.b }
        };
        let retry = from_fn(async |request: WsRequest<()>, next: Next<()>| {
            let attempt = next.clone().run(request.clone());
            match tokio::time::timeout(Duration::from_millis(20), attempt).await {
                Ok(result) => result,
                Err(_) => next.run(request).await,
            }
        });
        let server = serve(WsRouter::new().on_with(handler, options).layer(retry));
        let mut client = server.connect("/ws").await;
        assert_eq!(client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await["payload"]["result"], 3);
        while first.take().is_empty() {
            tokio::task::yield_now().await;
        }
    }
}
