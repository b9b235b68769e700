//! What a message costs from the socket through a router to its handler and back, with the client in the same thread.
//!
//! The client's part is in every figure, and so is the kernel's; compare them to one another. What the server alone
//! uses is measured by `load`.

use std::time::{Duration, Instant};

use axum::Router;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use switchboard_tests::{
    bench, by_hand,
    client::Server,
    load::{Client, Target},
};
use tokio::runtime::{Builder, Runtime};

/// How many requests are sent before their replies are read.
const DEPTHS: [u32; 2] = [1, 16];

const CALC: &str = r#"{"type":"CALC","meta":{"correlationId":"1000000001"},"payload":{"a":100001,"b":7,"op":"add"}}"#;
const CALC_REPLY: &str = r#"{"type":"CALC_RESULT","meta":{"correlationId":"1000000001""#;
/// It has a key too many.
const REFUSED: &str =
    r#"{"type":"CALC","meta":{"correlationId":"1000000001"},"payload":{"a":100001,"b":7,"op":"add","c":1}}"#;
const REFUSED_REPLY: &str = r#"{"type":"RPC_ERROR","meta":{"correlationId":"1000000001""#;

/// A server and a client of it, which run while the bench blocks on them.
struct Pair {
    runtime: Runtime,
    client: Client,
    _server: Server,
}

impl Pair {
    fn new(app: Router) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (server, client) = runtime.block_on(async {
            let server = Server::start(app);
            let target = Target::new(server.addr, false).expect("a target");
            let client = Client::connect(&target).await.expect("an upgrade");
            (server, client)
        });
        Self { runtime, client, _server: server }
    }

    /// Sends at least `count` requests; how long that many took.
    fn ask(&mut self, request: &str, reply: &str, depth: u32, count: u64) -> Duration {
        let batches = count.div_ceil(depth.into());
        let client = &mut self.client;
        let took = self.runtime.block_on(async {
            let started = Instant::now();
            for _ in 0..batches {
                (0..depth).for_each(|_| client.push(request));
                let mut missing = depth;
                while missing > 0 {
                    client.read().await.expect("an open connection");
                    while let Some(text) = client.next_text().expect("a text frame") {
                        assert!(text.starts_with(reply.as_bytes()), "{}", String::from_utf8_lossy(text));
                        missing -= 1;
                    }
                }
            }
            started.elapsed()
        });
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        took.mul_f64(count as f64 / (batches * u64::from(depth)) as f64)
    }
}

fn dispatch(c: &mut Criterion) {
    let mut group = c.benchmark_group("dispatch");
    group.throughput(Throughput::Elements(1));
    for depth in DEPTHS {
        let mut pair = Pair::new(bench::app());
        group.bench_function(BenchmarkId::new("a request, in flight:", depth), |b| {
            b.iter_custom(|count| pair.ask(CALC, CALC_REPLY, depth, count));
        });
        let mut pair = Pair::new(bench::app());
        group.bench_function(BenchmarkId::new("a request that is refused, in flight:", depth), |b| {
            b.iter_custom(|count| pair.ask(REFUSED, REFUSED_REPLY, depth, count));
        });
        let mut pair = Pair::new(by_hand::app());
        group.bench_function(BenchmarkId::new("a request, server written by hand, in flight:", depth), |b| {
            b.iter_custom(|count| pair.ask(CALC, CALC_REPLY, depth, count));
        });
    }
    group.finish();
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
