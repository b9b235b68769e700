//! What it costs to refuse a payload, against accepting one of the same size. The last lines name the
//! ratios; none should be above 5.

#[path = "shared/hostile.rs"]
mod shapes;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::value::RawValue;
use switchboard_core::envelope::{EnvelopeStyle, Inbound, Wire, WireFrame};

const LEN: usize = 64 * 1024;

#[expect(clippy::print_stdout, reason = "the ratios, which criterion does not compare")]
fn hostile(c: &mut Criterion) {
    for shape in shapes::shapes(LEN) {
        assert!(!shape.refuse() && shape.accept(), "{}", shape.name);
        let mut group = c.benchmark_group(shape.name);
        group.throughput(Throughput::Bytes(shape.refused.len() as u64));
        group.bench_function("refused", |b| b.iter(|| black_box(&shape).refuse()));
        group.throughput(Throughput::Bytes(shape.accepted.len() as u64));
        group.bench_function("accepted", |b| b.iter(|| black_box(&shape).accept()));
        group.finish();
    }
    println!("\n{:45} {:>12} {:>12} {:>7} {:>22}", "", "refused", "accepted", "ratio", "whole MessagePack frame");
    for shape in shapes::shapes(LEN) {
        let (refused, accepted) = (shortest(|| shape.refuse()), shortest(|| shape.accept()));
        let packed = packed(&shape.refused, || shape.refuse()).zip(packed(&shape.accepted, || shape.accept()));
        let packed = packed.map_or("-".to_owned(), |(refused, accepted)| format!("{:.2}", ratio(refused, accepted)));
        let plain = ratio(refused, accepted);
        println!("{:45} {refused:>12.1?} {accepted:>12.1?} {plain:>7.2} {packed:>22}", shape.name);
    }
}

fn ratio(refused: Duration, accepted: Duration) -> f64 {
    refused.as_secs_f64() / accepted.as_secs_f64()
}

/// From a MessagePack frame to the decoded payload. `None` for what MessagePack cannot hold.
fn packed(payload: &str, decode: impl Fn() -> bool) -> Option<Duration> {
    let wire = Wire::messagepack(EnvelopeStyle::Standard);
    let payload = RawValue::from_string(payload.to_owned()).expect("JSON");
    let envelope = format!(r#"{{"type":"HOSTILE","payload":{}}}"#, payload.get());
    let Some(WireFrame::Binary(frame)) = wire.from_standard(&envelope) else { return None };
    Some(shortest(|| {
        let json = wire.messagepack_to_standard(&frame).expect("an envelope");
        Inbound::from_json(&json).is_ok() && decode()
    }))
}

fn shortest(run: impl Fn() -> bool) -> Duration {
    let once = || {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    };
    let first = once();
    let more = if first > Duration::from_millis(20) { 3 } else { 50 };
    (0..more).map(|_| once()).min().unwrap_or(first)
}

criterion_group!(benches, hostile);
criterion_main!(benches);
