//! What frames cost: decoding them as a server does, masking, and writing them.

use std::hint::black_box;

use bytes::BytesMut;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use switchboard_frame::{Decoder, Limits, Opcode, Role, apply_mask, encode};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// About as long as a request, an event of a chat, and the longest message that the limits allow.
const SIZES: [usize; 3] = [100, 1000, 60 * 1024];

fn text(len: usize) -> Vec<u8> {
    b"{\"type\":\"SAY\"} ".iter().copied().cycle().take(len).collect()
}

/// A client's text message in `fragments` frames.
fn message(len: usize, fragments: usize) -> Vec<u8> {
    let payload = text(len);
    let mut out = Vec::new();
    let mut portions = payload.chunks(len.div_ceil(fragments)).enumerate().peekable();
    while let Some((i, portion)) = portions.next() {
        let opcode = if i == 0 { Opcode::Text } else { Opcode::Continuation };
        encode::put_frame(&mut out, portions.peek().is_none(), opcode, portion, Some(KEY));
    }
    out
}

/// Decodes all of the input in portions of at most so many bytes; the bytes of payload that came out.
fn decode(decoder: &mut Decoder, input: &mut [u8], portion: usize) -> usize {
    let mut payload = 0;
    for mut rest in input.chunks_mut(portion) {
        while !rest.is_empty() {
            let Ok(decoded) = decoder.decode(rest) else { return payload };
            if let Some(switchboard_frame::Event::Text(text)) = decoded.event {
                payload += black_box(text).len();
            }
            let consumed = decoded.consumed;
            rest = &mut rest[consumed..];
        }
    }
    payload
}

fn decoding(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    let mut case = |name: &str, input: &[u8], len: usize, portion: usize| {
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::new(format!("{name}, bytes:"), len), |b| {
            let mut decoder = Decoder::new(Role::Server, Limits::default());
            let check = decode(&mut decoder, &mut input.to_vec(), portion);
            assert_eq!(check, len, "all of the payload comes out");
            // The input is unmasked in place, so each run needs its own; copying it is not counted.
            b.iter_batched_ref(|| input.to_vec(), |input| decode(&mut decoder, input, portion), BatchSize::SmallInput);
        });
    };
    for len in SIZES {
        case("whole", &message(len, 1), len, usize::MAX);
    }
    let len = 60 * 1024;
    case("in portions of 4 KiB", &message(len, 1), len, 4096);
    case("in 16 fragments", &message(len, 16), len, usize::MAX);
    case("in 16 fragments and portions of 4 KiB", &message(len, 16), len, 4096);
    let sixteen: Vec<u8> = message(100, 1).repeat(16);
    case("16 in one read", &sixteen, 1600, usize::MAX);
    group.finish();
}

fn masking(c: &mut Criterion) {
    let mut group = c.benchmark_group("mask");
    for len in SIZES {
        group.throughput(Throughput::Bytes(len as u64));
        let mut payload = text(len);
        group.bench_function(BenchmarkId::new("bytes:", len), |b| {
            b.iter(|| apply_mask(black_box(&mut payload), KEY, 0));
        });
    }
    group.finish();
}

fn encoding(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    for len in SIZES {
        group.throughput(Throughput::Bytes(len as u64));
        let payload = text(len);
        group.bench_function(BenchmarkId::new("shared frame, bytes:", len), |b| {
            b.iter(|| encode::frame(Opcode::Text, black_box(&payload)));
        });
        let mut out = BytesMut::with_capacity(len + 64);
        group.bench_function(BenchmarkId::new("into a buffer, bytes:", len), |b| {
            b.iter(|| {
                out.clear();
                encode::put_frame(&mut out, true, Opcode::Text, black_box(&payload), None);
                out.len()
            });
        });
        group.bench_function(BenchmarkId::new("into a buffer, masked, bytes:", len), |b| {
            b.iter(|| {
                out.clear();
                encode::put_frame(&mut out, true, Opcode::Text, black_box(&payload), Some(KEY));
                out.len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decoding, masking, encoding);
criterion_main!(benches);
