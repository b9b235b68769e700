//! What is dropped and what is not, compared with a plain list; with few frames and with many.

use std::sync::Arc;

use proptest::{collection::vec, prelude::*};

use super::{FlushBy, Mark, Pushed, Sink as _, Wrote, queue_tests::Pipe};
use crate::wire::Frame;

/// So many frames wait at most. All are as long.
const ROOM: usize = 24;

#[derive(Debug, Clone)]
enum Op {
    /// A frame of a topic; only the latest of its key waits, if it has one.
    Topic(u8, Option<u8>),
    /// A frame that may not be lost.
    Plain,
    /// So many bytes are written.
    Write(usize),
    /// All that waits is out to be written, until so much of it has been.
    Take,
    Finish(usize),
    /// It goes ahead of all that has not begun to leave.
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

/// A frame that waits.
#[derive(Debug)]
struct Waiting {
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

/// The queue as a list, walked anew for each question.
#[derive(Default)]
struct Model {
    list: Vec<Waiting>,
    /// Out to be written.
    taken: Vec<Waiting>,
    pong: bool,
    /// So much of the first has left.
    offset: usize,
    written: Vec<String>,
}

impl Model {
    fn is_full(&self) -> bool {
        self.list.len() >= ROOM
    }

    /// The first that has not begun to leave.
    fn find(&self, is_it: impl Fn(&Waiting) -> bool) -> Option<usize> {
        let begun = usize::from(self.offset > 0 && self.taken.is_empty());
        self.list.iter().skip(begun).position(is_it).map(|index| index + begun)
    }

    fn drop_replaced(&mut self, of: Of) {
        while of.1.is_some()
            && let Some(index) = self.find(|waiting| !waiting.is_gap && waiting.of == Some(of))
        {
            self.list.remove(index);
        }
    }

    fn has_gap(&self, topic: u8) -> bool {
        self.find(|waiting| waiting.is_gap && waiting.of.is_some_and(|of| of.0 == topic)).is_some()
    }

    fn drop_oldest(&mut self, topic: Option<u8>) {
        let of_topic = |of: Of| of.2 && topic.is_none_or(|topic| topic == of.0);
        while self.is_full()
            && let Some(index) = self.find(|waiting| !waiting.is_gap && waiting.of.is_some_and(of_topic))
            && let Some(of) = self.list[index].of
        {
            if self.has_gap(of.0) {
                self.list.remove(index);
            } else {
                self.list[index] = Waiting { text: gap(of.0), of: Some(of), is_gap: true };
            }
        }
    }

    fn push(&mut self, text: String, of: Option<Of>, is_gap: bool) {
        self.list.push(Waiting { text, of, is_gap });
    }

    fn put_pong_ahead(&mut self) {
        if std::mem::take(&mut self.pong) {
            let index = usize::from(self.offset > 0);
            self.list.insert(index, Waiting { text: "pong".into(), of: None, is_gap: false });
        }
    }

    fn finish(&mut self, bytes: usize) {
        self.list.splice(..0, self.taken.drain(..));
        let (bytes, length) = (self.offset + bytes, frame("0000").len());
        let whole = (bytes / length).min(self.list.len());
        self.offset = if whole < self.list.len() { bytes % length } else { 0 };
        self.written.extend(self.list.drain(..whole).map(|waiting| waiting.text));
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
                // One policy for a topic.
                let of = (topic, key, topic > 0);
                let mark = Arc::new(Mark::new(&topic.to_string(), key.map(|key| key.to_string().into()), of.2));
                model.drop_replaced(of);
                if of.2 {
                    model.drop_oldest(Some(topic));
                }
                let pushed = outbox.push_marked(frame(&text), &mark, FlushBy::Caller);
                if pushed == Pushed::NoRoom && of.2 {
                    outbox.push_dropping(frame(&text), &mark, gap_of, FlushBy::Caller);
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
    prop_assert!(left.contains("marks: None"));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn row_7_4_what_waits_is_as_in_a_plain_list(ops in vec(op(), 1..150)) {
        run(ops)?;
    }
}

/// Whatever was dropped, what is kept of it is not more than of what waits.
#[test]
fn what_was_dropped_leaves_no_trace() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(1 << 20);
    let mark = |n: usize| Arc::new(Mark::new("t", Some((n % 10).to_string().into()), false));
    // The first does not leave.
    outbox.push(frame("0000"), FlushBy::Caller);
    let size = |n| {
        outbox.push_marked(frame("1111"), &mark(n), FlushBy::Caller);
        format!("{outbox:?}").len()
    };
    let most = (0..100).map(size).max();
    assert!((100..5000).map(size).max() <= most.map(|most| most + most / 4));
    assert_eq!(outbox.buffered(), 11 * frame("0000").cost());
}
