//! What each provided layer adds to a request: pipelined, so that little but the server's own work is in the figures.

#[path = "shared/pair.rs"]
mod pair;

use std::time::Duration;

use axum::Router;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use switchboard::{
    RateLimitLayer, TraceLayer, WsRequest, WsRouter,
    middleware::{Next, from_fn, guard},
    ws_message, ws_rpc,
};
use switchboard_tests::serve::ws_route;
use tower::timeout::TimeoutLayer;

use self::pair::Pair;

const REQUEST: &str = r#"{"type":"ADD","meta":{"correlationId":"1"},"payload":{"a":1,"b":2}}"#;
const REPLY: &str = r#"{"type":"SUM","meta":{"correlationId":"1""#;

/// More than any run sends.
const MAX: u32 = 16_000_000;

/// In this time.
const SECOND: Duration = Duration::from_secs(1);

const IN_FLIGHT: u32 = 16;

#[ws_message("SUM")]
struct Sum {
    result: f64,
}

#[ws_rpc("ADD", response = Sum)]
struct Add {
    a: f64,
    b: f64,
}

async fn add(add: Add) -> Sum {
    Sum { result: add.a + add.b }
}

fn layers(c: &mut Criterion) {
    let router = || WsRouter::<()>::new().on(add);
    // As many as come in a second, at most: a sliding window keeps the time of each.
    let sliding = RateLimitLayer::per_connection(1 << 14, Duration::from_millis(1));
    let routers = [
        ("none", router()),
        ("from_fn", router().layer(from_fn(async |request: WsRequest<()>, next: Next<()>| next.run(request).await))),
        ("guard", router().layer(guard(|request: &WsRequest<()>| request.is_rpc()))),
        ("rate limit, sliding", router().layer(sliding)),
        ("rate limit, fixed", router().layer(RateLimitLayer::per_connection(MAX, SECOND).fixed_window())),
        ("rate limit, by address", router().layer(RateLimitLayer::per_ip(MAX, SECOND))),
        ("trace, nobody listens", router().layer(TraceLayer::new())),
        ("tower's timeout", router().layer(TimeoutLayer::new(SECOND))),
    ];
    let mut group = c.benchmark_group("layers");
    group.throughput(Throughput::Elements(1));
    for (name, router) in routers {
        let mut pair = Pair::new(Router::new().route("/ws", ws_route(router)));
        group.bench_function(name, |b| b.iter_custom(|count| pair.ask(REQUEST, REPLY, IN_FLIGHT, count)));
    }
    group.finish();
}

criterion_group!(benches, layers);
criterion_main!(benches);
