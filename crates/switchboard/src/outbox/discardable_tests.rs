//! Dropping and conflation compared with a plain list, with and without an index.

use std::sync::Arc;

use proptest::{collection::vec, prelude::*};

use super::{DiscardPolicy, FlushBy, Pushed, Sink as _, Wrote, queue_tests::Pipe};
use crate::wire::Frame;

/// The limit in frames, which all have the same length.
const ROOM: usize = 24;

#[derive(Debug, Clone)]
enum Op {
    /// A frame of a topic, conflated by its key if it has one.
    Topic(u8, Option<u8>),
    /// A frame that may not be dropped.
    Plain,
    /// This many bytes are written.
    Write(usize),
    /// All frames are taken out for writing.
    Take,
    /// The frames taken out are returned with this many bytes written.
    Finish(usize),
    /// A pong is queued ahead of everything except a half-written frame.
    Pong,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..3_u8, prop::option::of(0..6_u8)).prop_map(|(topic, key)| Op::Topic(topic, key)),
        3 => Just(Op::Plain),
        2 => (0..40_usize).prop_map(Op::Write),
        1 => Just(Op::Take),
        1 => (0..40_usize).prop_map(Op::Finish),
        1 => Just(Op::Pong),
    ]
}

/// The topic, the key, and whether the oldest are dropped.
type Of = (u8, Option<u8>, bool);

#[derive(Debug)]
struct Queued {
    text: String,
    of: Option<Of>,
    is_gap: bool,
}

fn frame(text: &str) -> Frame {
    assert_eq!(text.len(), 4);
    Frame::text(text)
}

fn gap(topic: u8) -> String {
    format!("gap{topic}")
}

fn gap_of(topic: &str) -> Option<Frame> {
    topic.parse().ok().map(|topic| frame(&gap(topic)))
}

/// The queue as a plain list.
#[derive(Default)]
struct Model {
    list: Vec<Queued>,
    /// Taken out for writing.
    taken: Vec<Queued>,
    pong: bool,
    /// How many bytes of the first were written.
    offset: usize,
    written: Vec<String>,
}

impl Model {
    fn is_full(&self) -> bool {
        self.list.len() >= ROOM
    }

    /// Finds the first match that is not half-written.
    fn find(&self, matches: impl Fn(&Queued) -> bool) -> Option<usize> {
        let begun = usize::from(self.offset > 0 && self.taken.is_empty());
        self.list.iter().skip(begun).position(matches).map(|index| index + begun)
    }

    fn drop_replaced(&mut self, of: Of) {
        while of.1.is_some()
            && let Some(index) = self.find(|queued| !queued.is_gap && queued.of == Some(of))
        {
            self.list.remove(index);
        }
    }

    fn has_gap(&self, topic: u8) -> bool {
        self.find(|queued| queued.is_gap && queued.of.is_some_and(|of| of.0 == topic)).is_some()
    }

    fn drop_oldest(&mut self, topic: Option<u8>) {
        let of_topic = |of: Of| of.2 && topic.is_none_or(|topic| topic == of.0);
        while self.is_full()
            && let Some(index) = self.find(|queued| !queued.is_gap && queued.of.is_some_and(of_topic))
            && let Some(of) = self.list[index].of
        {
            if self.has_gap(of.0) {
                self.list.remove(index);
            } else {
                self.list[index] = Queued { text: gap(of.0), of: Some(of), is_gap: true };
            }
        }
    }

    fn push(&mut self, text: String, of: Option<Of>, is_gap: bool) {
        self.list.push(Queued { text, of, is_gap });
    }

    fn put_pong_ahead(&mut self) {
        if std::mem::take(&mut self.pong) {
            let index = usize::from(self.offset > 0);
            self.list.insert(index, Queued { text: "pong".into(), of: None, is_gap: false });
        }
    }

    fn finish(&mut self, bytes: usize) {
        self.list.splice(..0, self.taken.drain(..));
        let (bytes, length) = (self.offset + bytes, frame("0000").len());
        let whole = (bytes / length).min(self.list.len());
        self.offset = if whole < self.list.len() { bytes % length } else { 0 };
        self.written.extend(self.list.drain(..whole).map(|queued| queued.text));
    }
}

fn run(ops: Vec<Op>) -> Result<(), TestCaseError> {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(ROOM * frame("0000").cost());
    let (mut model, mut writing) = (Model::default(), None);
    for (n, op) in ops.into_iter().enumerate() {
        let text = format!("{n:04}");
        match op {
            Op::Topic(topic, key) => {
                // Every topic has one policy.
                let of = (topic, key, topic > 0);
                let policy =
                    Arc::new(DiscardPolicy::new(&topic.to_string(), key.map(|key| key.to_string().into()), of.2));
                model.drop_replaced(of);
                if of.2 {
                    model.drop_oldest(Some(topic));
                }
                let pushed = outbox.push_discardable(frame(&text), &policy, FlushBy::Caller);
                if pushed == Pushed::NoRoom && of.2 {
                    outbox.push_dropping(frame(&text), &policy, gap_of, FlushBy::Caller);
                }
                if !model.is_full() {
                    model.push(text, Some(of), false);
                } else if of.2 && !model.has_gap(topic) {
                    model.push(gap(topic), Some(of), true);
                }
            }
            Op::Plain => {
                model.drop_oldest(None);
                outbox.make_room(frame(&text).cost(), gap_of);
                if !model.is_full() {
                    outbox.push_anyway(frame(&text), FlushBy::Caller);
                    model.push(text, None, false);
                }
            }
            Op::Write(bytes) if writing.is_none() => {
                model.put_pong_ahead();
                model.finish(bytes);
                pipe.room.set(bytes);
                outbox.unblock();
                outbox.write();
            }
            Op::Take if writing.is_none() => {
                model.put_pong_ahead();
                writing = outbox.start();
                model.taken = std::mem::take(&mut model.list);
            }
            Op::Finish(bytes) => {
                if let Some(writing) = writing.take() {
                    let bytes = bytes.min(model.taken.len() * frame("0000").len() - model.offset);
                    model.finish(bytes);
                    writing.with_slices(|slices| {
                        pipe.room.set(bytes);
                        pipe.try_write(slices)
                    })?;
                    outbox.finish(writing, bytes);
                }
            }
            Op::Pong => {
                model.pong = true;
                outbox.push_pong(frame("pong"));
            }
            Op::Write(_) | Op::Take => {}
        }
        prop_assert_eq!(outbox.buffered(), (model.taken.len() + model.list.len()) * frame("0000").cost());
        prop_assert!(!outbox.is_closed());
    }
    if let Some(writing) = writing {
        model.finish(0);
        outbox.finish(writing, 0);
    }
    model.put_pong_ahead();
    model.finish(usize::MAX / 2);
    pipe.room.set(usize::MAX);
    outbox.unblock();
    prop_assert_eq!(outbox.write(), Wrote::All);
    prop_assert_eq!(pipe.payloads(), model.written);
    let left = format!("{outbox:?}");
    prop_assert!(left.contains("discardable: None"));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_queue_with_discardable_frames_behaves_like_a_plain_list(ops in vec(op(), 1..150)) {
        run(ops)?;
    }
}

/// The memory kept for dropped frames is bounded by that of queued ones.
#[test]
fn dropped_frames_use_bounded_memory() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(1 << 20);
    let policy = |n: usize| Arc::new(DiscardPolicy::new("t", Some((n % 10).to_string().into()), false));
    // The first frame is never written.
    outbox.push(frame("0000"), FlushBy::Caller);
    let size = |n| {
        outbox.push_discardable(frame("1111"), &policy(n), FlushBy::Caller);
        format!("{outbox:?}").len()
    };
    let most = (0..100).map(size).max();
    assert!((100..5000).map(size).max() <= most.map(|most| most + most / 4));
    assert_eq!(outbox.buffered(), 11 * frame("0000").cost());
}
