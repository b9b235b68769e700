//! What must hold in every order in which threads can take their steps: [loom](https://docs.rs/loom)
//! runs each model in all of them, with its own locks and atomics in `sync`. Compiled only with
//! `--cfg loom`: see `cargo xtask loom`.

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

/// Runs a model in all orders of its threads' steps.
fn check(model: impl Fn() + Sync + Send + 'static) {
    loom::model(model);
}

/// The same, with at most so many switches away from a thread that could go on: for models that
/// have too many orders to run all each time. All of them took two minutes, and passed.
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
    Arc::new(Member { id, outbox, place: AtomicUsize::new(GONE) })
}

/// One frame of one letter.
fn frame(letter: &str) -> Frame {
    Frame::text(letter)
}

/// The letters of what was written.
fn letters(pipe: &Pipe) -> String {
    let written = pipe.written();
    let frames = written.chunks(3).map(|frame| {
        assert_eq!(frame[..2], [0x81, 1], "torn: {written:?}");
        char::from(frame[2])
    });
    frames.collect()
}

fn join(topic: &Topic, conn: &Arc<Member>) {
    conn.place.store(topic.insert(Arc::clone(conn), None), SeqCst);
}
