//! What envelopes cost: taking one apart, decoding and checking its payload, writing one.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::{Deserialize, Serialize};
use switchboard_core::{
    Event, Issues, Message, Rpc, WsError,
    decode::decode,
    envelope::{Head, Inbound, write_error},
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Add,
    Sub,
}

#[derive(Serialize, Deserialize)]
struct Calc {
    a: f64,
    b: f64,
    op: Op,
    note: Option<String>,
}

impl Message for Calc {
    type Kind = Rpc<CalcResult>;
    type Meta = ();
    const TYPE: &'static str = "CALC";

    fn validate(&self) -> Result<(), Issues> {
        match &self.note {
            Some(note) if note.len() > 2000 => Err(Issues::single("note", "length", "must not be longer than 2000")),
            _ => Ok(()),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct CalcResult {
    result: f64,
}

impl Message for CalcResult {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "CALC_RESULT";
}

/// An event of a chat.
#[derive(Serialize, Deserialize)]
struct Said {
    room: String,
    from: String,
    text: String,
}

impl Message for Said {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "SAID";
}

const REQUEST: &str =
    r#"{"type":"CALC","meta":{"correlationId":"1000000001"},"payload":{"a":100001,"b":7,"op":"add"}}"#;
const UNKNOWN_KEY: &str = r#"{"type":"CALC","payload":{"a":100001,"b":7,"op":"add","c":1}}"#;

const HEAD: Head<'static> = Head { correlation_id: Some("1000000001"), timestamp_ms: 1_700_000_000_000 };
const PLAIN_HEAD: Head<'static> = Head { correlation_id: None, ..HEAD };

/// An envelope with so many bytes of text.
fn said(len: usize) -> Said {
    Said { room: "lobby".into(), from: "alice".into(), text: "word ".repeat(len / 5) }
}

fn written<M: Message>(message: &M) -> String {
    let mut out = Vec::new();
    PLAIN_HEAD.write(&mut out, message).expect("a message that serialises");
    String::from_utf8(out).expect("JSON")
}

fn reading(c: &mut Criterion) {
    let chat = written(&said(1000));
    let long = written(&said(60 * 1000));
    let mut group = c.benchmark_group("take apart");
    for (name, frame) in [("a request", REQUEST), ("an event of 1 kB", &chat), ("an event of 60 kB", &long)] {
        group.throughput(Throughput::Bytes(frame.len() as u64));
        group.bench_function(name, |b| b.iter(|| Inbound::from_json(black_box(frame)).is_ok()));
    }
    group.finish();

    let mut group = c.benchmark_group("decode and validate");
    payload::<Calc>(&mut group, "a request", REQUEST, true);
    payload::<Said>(&mut group, "an event of 1 kB", &chat, true);
    payload::<Said>(&mut group, "an event of 60 kB", &long, true);
    payload::<Calc>(&mut group, "a request with an unknown key", UNKNOWN_KEY, false);
    group.finish();
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// Decodes the payload of an envelope that was taken apart before.
fn payload<M: Message>(group: &mut Group<'_>, name: &str, frame: &str, right: bool) {
    let inbound = Inbound::from_json(frame).expect("an envelope");
    let payload = inbound.payload();
    assert_eq!(decode::<M>(payload).is_ok(), right, "{name}");
    group.throughput(Throughput::Bytes(frame.len() as u64));
    group.bench_function(name, |b| b.iter(|| decode::<M>(black_box(payload)).is_ok()));
}

fn writing(c: &mut Criterion) {
    let mut out = Vec::with_capacity(64 * 1024);
    let mut group = c.benchmark_group("write");
    let mut case = |name: &str, write: &dyn Fn(&mut Vec<u8>)| {
        write(&mut out);
        group.throughput(Throughput::Bytes(out.len() as u64));
        out.clear();
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                write(black_box(&mut out));
            });
        });
        out.clear();
    };
    let reply = CalcResult { result: 100_008.0 };
    let (chat, long) = (said(1000), said(60 * 1000));
    let error = WsError::not_found("there is no such room");
    case("a reply", &|out| _ = HEAD.write(out, &reply));
    case("an event of 1 kB", &|out| _ = PLAIN_HEAD.write(out, &chat));
    case("an event of 60 kB", &|out| _ = PLAIN_HEAD.write(out, &long));
    case("an error", &|out| write_error(out, HEAD, true, &error));
    group.finish();
}

criterion_group!(benches, reading, writing);
criterion_main!(benches);
