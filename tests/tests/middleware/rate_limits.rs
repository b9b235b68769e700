//! How often messages may come.

use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use serde_json::{Value, json};
use switchboard::{Conn, Identity, RateLimitLayer, WsError, WsRequest, WsRouter, ws_message};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};

use crate::{Add, Ping, Pong, Sum, add, ping, serve};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);

async fn ask(client: &mut Client, n: usize) -> Value {
    client.request("ADD", &n.to_string(), json!({ "a": 1, "b": 2 })).await["payload"].clone()
}

/// How many of `count` requests are let through; the first ones.
async fn passes(client: &mut Client, count: usize) -> usize {
    let mut passed = Vec::new();
    for n in 0..count {
        passed.push(ask(client, n).await["code"].is_null());
    }
    assert!(passed.is_sorted_by(|a, b| a >= b), "{passed:?}");
    passed.iter().filter(|passed| **passed).count()
}

#[tokio::test]
async fn each_connection_has_its_own_and_stays_open() {
    let server = serve(WsRouter::new().on(add).layer(RateLimitLayer::per_connection(3, LONG)));
    for _ in 0..2 {
        let mut client = server.connect("/ws").await;
        assert_eq!(passes(&mut client, 5).await, 3);
        let error = ask(&mut client, 9).await;
        assert_eq!((&error["code"], &error["retryable"]), (&json!("RESOURCE_EXHAUSTED"), &json!(true)));
        assert_eq!(error["details"], json!({ "limit": 3, "windowMs": 600_000 }));
        assert!((590_000..=600_000).contains(&error["retryAfterMs"].as_u64().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn after_the_time_that_it_says_a_message_passes() {
    for layer in [
        RateLimitLayer::per_connection(2, Duration::from_millis(80)),
        RateLimitLayer::per_connection(2, Duration::from_millis(80)).fixed_window(),
        RateLimitLayer::per_ip(2, Duration::from_millis(80)),
    ] {
        let server = serve(WsRouter::new().on(add).layer(layer));
        let mut client = server.connect("/ws").await;
        let (mut passed, mut refused) = (0, 0);
        // On a slow machine more pass before one is too much, but never fewer.
        for n in 0.. {
            assert!(n < 10_000, "nothing is ever too much");
            let reply = ask(&mut client, n).await;
            let Some(wait) = reply["retryAfterMs"].as_u64() else {
                assert!(reply["code"].is_null(), "{reply}");
                passed += 1;
                continue;
            };
            assert!(passed >= 2, "{passed} passed before {reply}");
            // Of windows one after the other each may be 2 ms longer.
            assert!((1..=82).contains(&wait), "{reply}");
            // What is under test: as a client does it.
            tokio::time::sleep(Duration::from_millis(wait)).await;
            assert!(ask(&mut client, 10_000 + n).await["code"].is_null());
            refused += 1;
            if refused == 3 {
                break;
            }
        }
    }
}

#[tokio::test]
async fn excluded_types_do_not_count_and_types_may_have_their_own_limit() {
    let layer = || RateLimitLayer::per_connection(2, LONG);
    for (layer, pings, requests) in [(layer().exclude(["PING"]), 3, 2), (layer().by_type(), 2, 2), (layer(), 2, 0)] {
        let server = serve(WsRouter::new().on(add).on(ping).layer(layer));
        let mut client = server.connect("/ws").await;
        let mut ponged = 0;
        for _ in 0..3 {
            client.send("PING", json!({})).await;
            ponged += usize::from(client.recv().await["type"] == "PONG");
        }
        assert_eq!((ponged, passes(&mut client, 3).await), (pings, requests));
    }
}

#[tokio::test]
async fn messages_may_cost_more_than_one_or_more_than_can_ever_be() {
    let cost = |request: &WsRequest<()>| if request.payload().is_some_and(|json| json.contains('9')) { 9 } else { 2 };
    for layer in [
        RateLimitLayer::per_connection(4, LONG),
        RateLimitLayer::per_connection(4, LONG).fixed_window(),
        RateLimitLayer::per_ip(4, LONG),
    ] {
        let server = serve(WsRouter::new().on(add).layer(layer.cost(cost)));
        let mut client = server.connect("/ws").await;
        let never = client.request("ADD", "9", json!({ "a": 9, "b": 2 })).await["payload"].clone();
        assert_eq!((&never["code"], &never["retryable"]), (&json!("FAILED_PRECONDITION"), &json!(false)));
        assert_eq!(never["retryAfterMs"], Value::Null);
        assert_eq!(passes(&mut client, 4).await, 2);
    }
}

#[tokio::test]
async fn users_and_keys_are_counted_over_all_their_connections() {
    let router = |layer: RateLimitLayer<String>| {
        WsRouter::<(), String>::new()
            .on(add)
            .layer(layer)
            .identify(|user: &String| Some(Identity::new(user.as_str())).filter(|_| user != "nobody"))
            .authenticate(async |headers: axum::http::HeaderMap| {
                headers
                    .get("user")
                    .and_then(|user| user.to_str().ok())
                    .map(str::to_owned)
                    .ok_or(StatusCode::UNAUTHORIZED)
            })
    };
    for layer in [
        RateLimitLayer::per_user(3, LONG),
        RateLimitLayer::keyed(3, LONG, |request: &WsRequest<String>| request.data().clone()),
    ] {
        let server = Server::start(axum::Router::new().route("/ws", ws_route(router(layer))));
        let mut devices = Vec::new();
        for user in ["ann", "ann", "ben"] {
            devices.push(server.upgrade("/ws", &[("user", user)]).await.unwrap());
        }
        let [one, other, ben] = &mut devices[..] else { unreachable!() };
        assert_eq!(passes(one, 2).await, 2);
        assert_eq!(passes(other, 3).await, 1);
        assert_eq!(passes(ben, 4).await, 3);
    }
    // So do addresses, which all of these have in common.
    let server = Server::start(axum::Router::new().route("/ws", ws_route(router(RateLimitLayer::per_ip(3, LONG)))));
    let mut passed = 0;
    for user in ["ann", "ben", "cid"] {
        passed += passes(&mut server.upgrade("/ws", &[("user", user)]).await.unwrap(), 2).await;
    }
    assert_eq!(passed, 3);
    // Who is not known counts by connection.
    let server = Server::start(axum::Router::new().route("/ws", ws_route(router(RateLimitLayer::per_user(3, LONG)))));
    for _ in 0..2 {
        let mut client = server.upgrade("/ws", &[("user", "nobody")]).await.unwrap();
        assert_eq!(passes(&mut client, 4).await, 3);
    }
}

#[tokio::test]
async fn the_error_may_be_the_applications_own() {
    let layer = RateLimitLayer::per_connection(1, LONG).on_limited(|limited| {
        WsError::resource_exhausted(format!("Max {} per {} s.", limited.max, limited.window.as_secs()))
            .with_detail("secondsRemaining", limited.retry_after.as_secs())
            .with_retry_after(limited.retry_after)
    });
    let server = serve(WsRouter::new().on(add).on(async |_: Ping| ()).layer(layer));
    let mut client = server.connect("/ws").await;
    assert_eq!(passes(&mut client, 1).await, 1);
    let error = ask(&mut client, 2).await;
    assert_eq!(error["message"], "Max 1 per 600 s.");
    let seconds = error["details"]["secondsRemaining"].as_u64().unwrap();
    assert!((590..=600).contains(&seconds), "{error}");
}

#[tokio::test]
async fn handlers_beside_each_other_count_together() {
    let ws = WsRouter::new().on_with(
        async |add: Add| {
            tokio::task::yield_now().await;
            Sum { result: add.a + add.b }
        },
        switchboard::RouteOptions::new().concurrent(16).layer(RateLimitLayer::per_connection(5, LONG)),
    );
    let server = serve(ws);
    let mut client = server.connect("/ws").await;
    for n in 0..16 {
        client.send_request("ADD", &n.to_string(), json!({ "a": 1, "b": 2 })).await;
    }
    let mut passed = 0;
    for _ in 0..16 {
        passed += usize::from(client.recv().await["type"] == "SUM");
    }
    assert_eq!(passed, 5);
}

#[ws_message("BATCH")]
struct Batch {
    parts: u32,
}

/// Of the connection, or of a key.
#[ws_message("FORGIVE")]
struct Forgive {
    key: Option<String>,
}

async fn batch(State(limit): State<RateLimitLayer<()>>, conn: Conn, batch: Batch) -> Result<Pong, WsError> {
    limit.check(&conn, batch.parts).await?;
    Ok(Pong {})
}

async fn forgive(State(limit): State<RateLimitLayer<()>>, conn: Conn, forgive: Forgive) -> Result<(), WsError> {
    match forgive.key {
        Some(key) => limit.reset_key(&key).await,
        None => limit.reset(&conn).await,
    }
}

/// `ADD` is in the layer, the others take the limit from the application's state.
fn by_hand(limit: RateLimitLayer<()>) -> Server {
    let ws = WsRouter::new().on(add).layer(limit.clone()).on(batch).on(forgive).with_state(limit);
    Server::start(axum::Router::new().route("/ws", ws_route(ws)))
}

#[tokio::test]
async fn handlers_check_and_reset_a_limit() {
    for limit in [
        RateLimitLayer::per_connection(5, LONG),
        RateLimitLayer::per_connection(5, LONG).fixed_window(),
        RateLimitLayer::per_user(5, LONG),
    ] {
        let server = by_hand(limit);
        let (mut client, mut other) = (server.connect("/ws").await, server.connect("/ws").await);
        assert_eq!(passes(&mut client, 2).await, 2);
        client.send("BATCH", json!({ "parts": 3 })).await;
        client.expect("PONG").await;
        assert_eq!(ask(&mut client, 0).await["code"], "RESOURCE_EXHAUSTED");
        client.send("BATCH", json!({ "parts": 1 })).await;
        let refused = client.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
        assert!((1..=600_002).contains(&refused["retryAfterMs"].as_u64().unwrap()), "{refused}");
        client.send("BATCH", json!({ "parts": 6 })).await;
        client.expect_error("ERROR", "FAILED_PRECONDITION").await;
        // A batch of nothing passes always, and another's reset does not help.
        client.send("BATCH", json!({ "parts": 0 })).await;
        client.expect("PONG").await;
        other.send("FORGIVE", json!({})).await;
        assert_eq!(passes(&mut other, 5).await, 5);
        assert_eq!(passes(&mut client, 1).await, 0);
        client.send("FORGIVE", json!({})).await;
        assert_eq!(passes(&mut client, 6).await, 5);
    }
}

#[tokio::test]
async fn a_key_and_all_types_of_a_connection_are_reset() {
    let server = by_hand(RateLimitLayer::keyed(2, LONG, |_: &WsRequest<()>| "all".into()));
    let mut client = server.connect("/ws").await;
    assert_eq!(passes(&mut client, 3).await, 2);
    for (key, passed) in [("other", 0), ("all", 2)] {
        client.send("FORGIVE", json!({ "key": key })).await;
        assert_eq!(passes(&mut client, 3).await, passed, "{key}");
    }
    let server = by_hand(RateLimitLayer::per_connection(2, LONG).by_type());
    let mut client = server.connect("/ws").await;
    for _ in 0..2 {
        assert_eq!(passes(&mut client, 3).await, 2);
        client.send("FORGIVE", json!({})).await;
    }
}

#[tokio::test]
async fn excluded_types_stay_excluded_in_a_nested_router() {
    let limited = |excluded| {
        let chat = WsRouter::<()>::new().on(ping).layer(RateLimitLayer::per_connection(1, LONG).exclude([excluded]));
        serve(WsRouter::new().nest("chat.", chat))
    };
    for (excluded, passes) in [("PING", true), ("chat.PING", true), ("OTHER", false)] {
        let server = limited(excluded);
        let mut client = server.connect("/ws").await;
        client.send("chat.PING", json!({})).await;
        client.expect("PONG").await;
        client.send("chat.PING", json!({})).await;
        let is_pong = client.recv().await["type"] == "PONG";
        assert_eq!(is_pong, passes, "{excluded}");
    }
}

/// A limit that was asked for and cannot be kept must not be thought to be.
#[tokio::test]
async fn without_addresses_nobody_gets_past_a_limit_by_address() {
    let limited = WsRouter::<()>::new().on(add).layer(RateLimitLayer::per_ip(100, LONG)).on(ping);
    let app = axum::Router::new().route("/ws", ws_route(limited));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let server = Server { addr, task };
    let mut client = server.connect("/ws").await;
    assert_eq!(ask(&mut client, 1).await["code"], "INTERNAL");
    // What is not in the layer goes on.
    client.send("PING", json!({})).await;
    client.expect("PONG").await;
}

#[tokio::test]
async fn attack_b16_a_full_table_of_keys_takes_new_ones_and_resets_no_limit() {
    let by_room = |request: &WsRequest<()>| request.correlation_id().unwrap_or_default().to_owned();
    let layer = RateLimitLayer::keyed(3, LONG, by_room).max_keys(16);
    let server = serve(WsRouter::new().on(add).layer(layer));
    let mut client = server.connect("/ws").await;
    let mut passes = async |key: usize| ask(&mut client, key).await["code"].is_null();
    for _ in 0..3 {
        assert!(passes(0).await);
    }
    for newcomer in 1..500 {
        assert!(passes(newcomer).await, "{newcomer}");
        assert!(!passes(0).await, "{newcomer}");
    }
}

#[test]
fn limits_that_make_no_sense_are_refused_when_they_are_made() {
    type Limit = RateLimitLayer<()>;
    type Make = fn() -> Limit;
    let makes: [(&str, Make); 5] = [
        ("a rate limit of 0 messages", || Limit::per_connection(0, LONG)),
        ("a rate limit of 16777216 messages", || Limit::per_user(1 << 24, LONG)),
        ("a window longer than 0", || Limit::per_ip(1, Duration::ZERO)),
        ("`fixed_window` is for `per_connection`", || Limit::per_user(1, LONG).fixed_window()),
        ("`max_keys` is for limits by user", || Limit::per_connection(1, LONG).max_keys(9)),
    ];
    for (text, make) in makes {
        let panic = std::panic::catch_unwind(make).unwrap_err();
        let found = panic.downcast_ref::<String>().cloned().or(panic.downcast_ref::<&str>().map(|text| (*text).into()));
        assert!(found.as_deref().is_some_and(|found| found.contains(text)), "{found:?} instead of {text}");
    }
}
