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
        let packed = packed(&shape.refused, || shape.refuse()).as_secs_f64()
            / packed(&shape.accepted, || shape.accept()).as_secs_f64();
        let ratio = refused.as_secs_f64() / accepted.as_secs_f64();
        println!("{:45} {refused:>12.1?} {accepted:>12.1?} {ratio:>7.2} {packed:>22.2}", shape.name);
    }
}

/// From a MessagePack frame to the decoded payload.
fn packed(payload: &str, decode: impl Fn() -> bool) -> Duration {
    let wire = Wire::messagepack(EnvelopeStyle::Standard);
    let payload = RawValue::from_string(payload.to_owned()).expect("JSON");
    let envelope = format!(r#"{{"type":"HOSTILE","payload":{}}}"#, payload.get());
    let Some(WireFrame::Binary(frame)) = wire.from_standard(&envelope) else { panic!("no frame") };
    shortest(|| {
        let json = wire.messagepack_to_standard(&frame).expect("an envelope");
        Inbound::from_json(&json).is_ok() && decode()
    })
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
