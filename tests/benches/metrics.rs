//! What the feature `metrics` and its layer add to a request, as long as no recorder is installed: pipelined, as in the
//! benchmark of the other layers.

#[path = "shared/pair.rs"]
mod pair;

use axum::Router;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use switchboard::{WsRouter, middleware::MetricsLayer, ws_message, ws_rpc};
use switchboard_tests::serve::ws_route;

use self::pair::Pair;

const REQUEST: &str = r#"{"type":"ADD","meta":{"correlationId":"1"},"payload":{"a":1,"b":2}}"#;
const REPLY: &str = r#"{"type":"SUM","meta":{"correlationId":"1""#;

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

fn metrics(c: &mut Criterion) {
    let router = || WsRouter::<()>::new().on(add);
    let mut group = c.benchmark_group("layers, feature metrics");
    group.throughput(Throughput::Elements(1));
    for (name, router) in [("none", router()), ("metrics", router().layer(MetricsLayer::new()))] {
        let mut pair = Pair::new(Router::new().route("/ws", ws_route(router)));
        group.bench_function(name, |b| b.iter_custom(|count| pair.ask(REQUEST, REPLY, IN_FLIGHT, count)));
    }
    group.finish();
}

criterion_group!(benches, metrics);
criterion_main!(benches);
