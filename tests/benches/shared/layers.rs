//! What layers add to a request: pipelined, so that little but the server's own work is in the figures.

#![expect(unreachable_pub, reason = "a part of several programs")]

use axum::Router;
use criterion::{Criterion, Throughput};
use switchboard::{WsRouter, ws_message, ws_rpc};
use switchboard_tests::serve::ws_route;

use crate::pair::Pair;

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

/// A router with one request, to put a layer around.
pub fn router() -> WsRouter {
    WsRouter::new().on(add)
}

/// Measures one after the other.
pub fn measure(c: &mut Criterion, group: &str, routers: impl IntoIterator<Item = (&'static str, WsRouter)>) {
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements(1));
    for (name, router) in routers {
        let mut pair = Pair::new(Router::new().route("/ws", ws_route(router)));
        group.bench_function(name, |b| b.iter_custom(|count| pair.ask(REQUEST, REPLY, IN_FLIGHT, count)));
    }
    group.finish();
}
