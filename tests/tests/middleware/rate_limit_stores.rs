//! Limits that are counted in a store.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use switchboard::{
    Conn, Identity, RateLimitLayer, WsError, WsRequest, WsRouter,
    middleware::{
        RateLimitBucket, RateLimitFuture, RateLimitOutcome, RateLimitStore, RateLimitStoreError, StoreFallback,
    },
};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};
use tokio::sync::Semaphore;

use crate::{Pong, add, ping};

const LONG: Duration = Duration::from_secs(600);

/// Buckets that are never filled again.
#[derive(Debug, Clone)]
struct Store {
    taken: Arc<Mutex<BTreeMap<(String, String), u32>>>,
    fails: Arc<AtomicBool>,
    /// Each answer needs a permit.
    answers: Arc<Semaphore>,
}

impl Store {
    fn new() -> Self {
        let answers = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { taken: Arc::default(), fails: Arc::default(), answers }
    }

    fn taken(&self) -> Vec<(String, String, u32)> {
        self.taken.lock().unwrap().iter().map(|((key, part), n)| (key.clone(), part.clone(), *n)).collect()
    }

    fn answer<T: Send + 'static>(&self, answer: T) -> RateLimitFuture<T> {
        let (fails, answers) = (self.fails.load(Relaxed), self.answers.clone());
        Box::pin(async move {
            answers.acquire().await.unwrap().forget();
            if fails { Err(RateLimitStoreError::new("a store of a test")) } else { Ok(answer) }
        })
    }
}

impl RateLimitStore for Store {
    fn take(&self, bucket: RateLimitBucket<'_>, cost: NonZeroU32) -> RateLimitFuture<RateLimitOutcome> {
        let mut all = self.taken.lock().unwrap();
        let taken = all.entry((bucket.key.to_owned(), bucket.part.to_owned())).or_default();
        self.answer(if self.fails.load(Relaxed) {
            RateLimitOutcome::Allowed
        } else if *taken + cost.get() > bucket.max.get() {
            RateLimitOutcome::Denied { retry_after: bucket.window / 4 }
        } else {
            *taken += cost.get();
            RateLimitOutcome::Allowed
        })
    }

    fn reset(&self, key: &str) -> RateLimitFuture<()> {
        self.taken.lock().unwrap().retain(|(of, _), _| of != key);
        self.answer(())
    }
}

/// A node, whose connections have the user in the header `user`.
fn node(ws: WsRouter<(), String>) -> Server {
    let ws = ws.identify(|user: &String| Some(Identity::new(user.as_str())).filter(|_| user != "nobody")).authenticate(
        async |headers: HeaderMap| {
            let user = headers.get("user").and_then(|user| user.to_str().ok()).map(str::to_owned);
            user.ok_or(StatusCode::UNAUTHORIZED)
        },
    );
    Server::start(axum::Router::new().route("/ws", ws_route(ws)))
}

fn limited(layer: RateLimitLayer<String>) -> Server {
    node(WsRouter::new().on(add).on(ping).layer(layer))
}

async fn connect(server: &Server, user: &str) -> Client {
    server.upgrade("/ws", &[("user", user)]).await.unwrap()
}

async fn ask(client: &mut Client) -> Value {
    client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await["payload"].clone()
}

async fn passes(client: &mut Client, count: usize) -> usize {
    let mut passed = 0;
    for _ in 0..count {
        passed += usize::from(ask(client).await["code"].is_null());
    }
    passed
}

#[tokio::test]
async fn nodes_with_one_store_have_one_limit_and_the_error_is_the_same() {
    let store = Store::new();
    let layer = || RateLimitLayer::per_user(3, LONG).store("chat", store.clone());
    let (one, other) = (limited(layer()), limited(layer()));
    let (mut here, mut there) = (connect(&one, "ann").await, connect(&other, "ann").await);
    assert_eq!((passes(&mut here, 2).await, passes(&mut there, 3).await), (2, 1));
    let error = ask(&mut here).await;
    assert_eq!((&error["code"], &error["retryAfterMs"]), (&json!("RESOURCE_EXHAUSTED"), &json!(150_000)));
    assert_eq!(error["details"], json!({ "limit": 3, "windowMs": 600_000 }));
    assert_eq!(passes(&mut connect(&other, "ben").await, 4).await, 3);
    let taken = ["chat:u:ann", "chat:u:ben"].map(|key| (key.to_owned(), String::new(), 3));
    assert_eq!(store.taken(), taken);
    // Who is not known is counted by the connection's node.
    assert_eq!(passes(&mut connect(&one, "nobody").await, 4).await, 3);
    assert_eq!(store.taken(), taken);
}

#[tokio::test]
async fn types_costs_and_keys_are_those_of_the_layer() {
    let store = Store::new();
    let key = |request: &WsRequest<String>| format!("of {}", request.data());
    let cost =
        |request: &WsRequest<String>| if request.payload().is_some_and(|json| json.contains('9')) { 9 } else { 2 };
    let layer = RateLimitLayer::keyed(4, LONG, key).store("all", store.clone()).cost(cost).by_type();
    let server = limited(layer);
    let mut client = connect(&server, "ann").await;
    client.send("PING", json!({})).await;
    client.expect("PONG").await;
    assert_eq!(passes(&mut client, 3).await, 2);
    let never = client.request("ADD", "9", json!({ "a": 9, "b": 2 })).await["payload"].clone();
    assert_eq!(never["code"], "FAILED_PRECONDITION");
    let taken = [("ADD", 4), ("PING", 2)].map(|(part, n)| ("all:k:of ann".to_owned(), part.to_owned(), n));
    assert_eq!(store.taken(), taken);
    // The address of this machine.
    let layer = RateLimitLayer::<String>::per_ip(4, LONG).store("address", store.clone());
    passes(&mut connect(&limited(layer), "ann").await, 1).await;
    assert!(store.taken().contains(&("address:a:127.0.0.1".to_owned(), String::new(), 1)), "{:?}", store.taken());
}

#[tokio::test]
async fn without_the_store_the_fallback_decides() {
    let store = Store::new();
    let layer = || RateLimitLayer::<String>::per_user(2, LONG).store("chat", store.clone());
    for (layer, passed, code) in [
        (layer(), 2, "RESOURCE_EXHAUSTED"),
        (layer().store_fallback(StoreFallback::Allow), 3, ""),
        (layer().store_fallback(StoreFallback::Refuse), 0, "UNAVAILABLE"),
    ] {
        store.fails.store(true, Relaxed);
        let server = limited(layer);
        let mut client = connect(&server, code).await;
        assert_eq!(passes(&mut client, 3).await, passed, "{code}");
        let error = ask(&mut client).await;
        assert_eq!(error["code"].as_str().unwrap_or_default(), code, "{error}");
        // What the fallback has counted is not told to the store.
        store.fails.store(false, Relaxed);
        assert_eq!(passes(&mut client, 3).await, 2, "{code}");
    }
}

#[tokio::test]
async fn messages_keep_their_order_while_the_store_is_asked() {
    let store = Store { answers: Arc::new(Semaphore::new(0)), ..Store::new() };
    let server = limited(RateLimitLayer::per_user(2, LONG).store("chat", store.clone()));
    let mut client = connect(&server, "ann").await;
    for n in 1..=3 {
        client.send("PING", json!({})).await;
        // No answer comes before the store has decided.
        store.answers.add_permits(usize::from(n == 3) * 3);
    }
    let replies = [client.recv().await, client.recv().await, client.recv().await];
    assert_eq!(replies.map(|reply| reply["type"].clone()), ["PONG", "PONG", "ERROR"]);
}

/// Takes that many at once.
#[switchboard::ws_message("BATCH")]
struct Batch {
    parts: u32,
}

#[switchboard::ws_message("FORGIVE")]
struct Forgive {
    user: Option<String>,
}

type Limit = axum::extract::State<RateLimitLayer<String>>;

async fn batch(limit: Limit, conn: Conn<String>, batch: Batch) -> Result<Pong, WsError> {
    limit.check(&conn, batch.parts).await?;
    Ok(Pong {})
}

async fn forgive(limit: Limit, conn: Conn<String>, forgive: Forgive) -> Result<Pong, WsError> {
    match forgive.user {
        Some(user) => limit.reset_key(&user).await?,
        None => limit.reset(&conn).await?,
    }
    Ok(Pong {})
}

#[tokio::test]
async fn handlers_check_and_reset_what_is_in_the_store() {
    let store = Store::new();
    let server = || {
        let limit = RateLimitLayer::<String>::per_user(5, LONG).store("chat", store.clone());
        let ws = WsRouter::new().on(add).layer(limit.clone()).on(batch).on(forgive).with_state(limit);
        node(ws)
    };
    let (one, other) = (server(), server());
    let (mut here, mut there) = (connect(&one, "ann").await, connect(&other, "ann").await);
    here.send("BATCH", json!({ "parts": 4 })).await;
    here.expect("PONG").await;
    assert_eq!(passes(&mut there, 2).await, 1);
    there.send("BATCH", json!({ "parts": 1 })).await;
    there.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
    for payload in [json!({}), json!({ "user": "ann" })] {
        there.send("FORGIVE", payload).await;
        there.expect("PONG").await;
        assert_eq!(passes(&mut here, 6).await, 5);
    }
    store.fails.store(true, Relaxed);
    there.send("FORGIVE", json!({})).await;
    there.expect_error("ERROR", "UNAVAILABLE").await;
}
