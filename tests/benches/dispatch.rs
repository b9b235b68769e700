//! What a message costs from the socket through a router to its handler and back, with the client in the same thread.
//!
//! The client's part is in every figure, and so is the kernel's; compare them to one another. What the server alone
//! uses is measured by `load`.

#[path = "shared/pair.rs"]
mod pair;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use switchboard_tests::{baseline, bench};

use self::pair::Pair;

/// How many requests are sent before their replies are read.
const DEPTHS: [u32; 2] = [1, 16];

const CALC: &str = r#"{"type":"CALC","meta":{"correlationId":"1000000001"},"payload":{"a":100001,"b":7,"op":"add"}}"#;
const CALC_REPLY: &str = r#"{"type":"CALC_RESULT","meta":{"correlationId":"1000000001""#;
/// It has a key too many.
const REFUSED: &str =
    r#"{"type":"CALC","meta":{"correlationId":"1000000001"},"payload":{"a":100001,"b":7,"op":"add","c":1}}"#;
const REFUSED_REPLY: &str = r#"{"type":"RPC_ERROR","meta":{"correlationId":"1000000001""#;

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
        let mut pair = Pair::new(baseline::app());
        group.bench_function(BenchmarkId::new("a request, server written by hand, in flight:", depth), |b| {
            b.iter_custom(|count| pair.ask(CALC, CALC_REPLY, depth, count));
        });
    }
    group.finish();
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
