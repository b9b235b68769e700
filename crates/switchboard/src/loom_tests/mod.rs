//! Models for [loom](https://docs.rs/loom), which runs each in all interleavings of its threads,
//! with its own locks and atomics in `sync`. Compiled only with `--cfg loom`: see
//! `cargo xtask loom`.

mod completion;
mod member;
mod outbox;
mod owner;
mod slab;
mod topic;

use std::sync::{Arc, atomic::Ordering::SeqCst};

use self::{
    member::{GONE, Member, Pipe},
    owner::Owner,
};
use crate::{
    outbox::{Budget, Outbox},
    sync::AtomicUsize,
    wire::Frame,
};

type Topic = crate::fanout::Topic<Member>;

const LIMIT: usize = 4096;

/// Runs a model in all interleavings.
fn check(model: impl Fn() + Sync + Send + 'static) {
    loom::model(model);
}

/// Runs a model in the interleavings with at most this many preemptions, for models with too many
/// to run all each time. Running all took two minutes, and passed.
fn check_some(switches: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.check(model);
}

fn outbox(limit: usize) -> Outbox<Pipe> {
    Outbox::new(limit, Arc::new(Budget::new(usize::MAX)))
}

fn conn(id: u32, pipe: &Pipe) -> Arc<Member> {
    let outbox = outbox(LIMIT);
    outbox.attach(pipe.clone());
    Arc::new(Member { id, outbox, key: AtomicUsize::new(GONE) })
}

/// Encodes a frame with a letter as payload.
fn frame(letter: &str) -> Frame {
    Frame::text(letter)
}

/// Returns the letters of the frames that were written.
fn letters(pipe: &Pipe) -> String {
    let written = pipe.written();
    let frames = written.chunks(3).map(|frame| {
        assert_eq!(frame[..2], [0x81, 1], "torn: {written:?}");
        char::from(frame[2])
    });
    frames.collect()
}

fn join(topic: &Topic, conn: &Arc<Member>) {
    conn.key.store(topic.insert(Arc::clone(conn), None), SeqCst);
}
