//! The output of one turn of a connection's task.
//!
//! While a connection's task is polled, its own frames are collected in one buffer. Publishes are
//! queued for each member at once, which fixes their order. They are written at the end of the
//! turn, so that each member gets all of them with one write.
//!
//! The state is thread-local, since a turn never changes threads. It is never borrowed while
//! application code runs.

use std::{cell::RefCell, sync::Arc};

use super::Flush;
use crate::{
    clock,
    outbox::{Outbox, Sink},
    wire::Frame,
};

/// Own frames are written within the turn once they reach this size. It is also the capacity of
/// the buffer.
pub(crate) const MAX_OUT: usize = 64 * 1024;

/// The maximum number of topics that wait for the end of the turn to be flushed.
const MAX_TOPICS: usize = 64;

struct State {
    /// The address of the outbox whose owner is in its turn.
    owner: Option<usize>,
    /// Whether own frames may bypass the outbox.
    direct: bool,
    /// Own frames in wire format.
    out: Vec<u8>,
    /// Topics to flush at the end of the turn.
    topics: Vec<Arc<dyn Flush>>,
}

thread_local! {
    static STATE: RefCell<State> = const {
        RefCell::new(State {
            owner: None,
            direct: false,
            out: Vec::new(),
            topics: Vec::new(),
        })
    };
}

fn with<T>(f: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(f)
}

fn key<S>(outbox: &Outbox<S>) -> usize {
    std::ptr::from_ref(outbox).addr()
}

/// One turn of a connection's task on this thread. Publishes are flushed when it is dropped.
#[must_use]
pub(crate) struct Turn {
    /// Within another turn, which then ends both.
    nested: bool,
}

impl Turn {
    /// Starts a turn. `direct`: whether nothing is queued, so that own frames may bypass the
    /// outbox.
    pub(crate) fn begin<S: Sink>(outbox: &Outbox<S>, direct: bool) -> Self {
        with(|state| {
            let nested = state.owner.is_some();
            if !nested {
                (state.owner, state.direct) = (Some(key(outbox)), direct);
                clock::stop();
            }
            Self { nested }
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.nested {
            return;
        }
        clock::resume();
        let mut topics = with(|state| {
            state.owner = None;
            state.out.clear();
            // A buffer that has grown is not kept: see `encode::ROOM`.
            if state.out.capacity() > MAX_OUT {
                state.out = Vec::new();
            }
            std::mem::take(&mut state.topics)
        });
        for (index, topic) in topics.drain(..).enumerate() {
            if index == 0 { topic.flush() } else { topic.flush_later() }
        }
        with(|state| state.topics = topics);
    }
}

/// Reserves the thread's buffer: see `encode::ROOM`.
pub(crate) fn prepare() {
    with(|state| {
        if state.out.capacity() == 0 {
            state.out.reserve_exact(MAX_OUT);
        }
    });
}

/// Whether this thread is in the turn of this outbox's owner.
pub(crate) fn is_of<S: Sink>(outbox: &Outbox<S>) -> bool {
    with(|state| state.owner == Some(key(outbox)))
}

/// Takes the buffer of own frames, for the caller to append whole frames and give it back with
/// [`put_back`]. Returns `None` outside of the owner's turn, and if queued frames must be written
/// first.
pub(crate) fn out_for<S: Sink>(outbox: &Outbox<S>) -> Option<Vec<u8>> {
    if outbox.has_queued() || outbox.is_closed() {
        return None;
    }
    with(|state| (state.direct && state.owner == Some(key(outbox))).then(|| std::mem::take(&mut state.out)))
}

/// Whether the turn's own frames should be written now.
pub(crate) fn is_ripe() -> bool {
    with(|state| state.out.len() >= MAX_OUT)
}

/// Whether the owner has frames in the turn's buffer.
#[cfg(feature = "axum-ws")]
pub(crate) fn is_out<S: Sink>(outbox: &Outbox<S>) -> bool {
    with(|state| state.owner == Some(key(outbox)) && !state.out.is_empty())
}

/// Takes the owner's frames out of the turn's buffer, if there are any.
pub(crate) fn take_out<S: Sink>(outbox: &Outbox<S>) -> Option<Vec<u8>> {
    with(|state| (state.owner == Some(key(outbox)) && !state.out.is_empty()).then(|| std::mem::take(&mut state.out)))
}

/// Gives back the buffer of own frames. Frames sent meanwhile, by a message that sends while it is
/// serialised, are appended.
pub(crate) fn put_back(mut out: Vec<u8>) {
    with(|state| {
        out.append(&mut state.out);
        state.out = out;
    });
}

/// Writes the owner's frames in the turn's buffer.
pub(crate) fn write_out<S: Sink>(outbox: &Outbox<S>) {
    if let Some(mut out) = take_out(outbox) {
        outbox.write_out(&mut out);
        put_back(out);
    }
}

/// Answers a ping in the owner's turn.
pub(crate) fn pong<S: Sink>(outbox: &Outbox<S>, payload: &[u8]) {
    use switchboard_frame::{Opcode, encode};
    match out_for(outbox) {
        Some(mut out) => {
            encode::put_frame(&mut out, true, Opcode::Pong, payload, None);
            put_back(out);
        }
        None => outbox.push_pong(Frame::new(encode::frame(Opcode::Pong, payload))),
    }
}

/// Flushes a topic at the end of this turn, or at once outside of a turn.
pub(crate) fn flush(topic: Arc<dyn Flush>) {
    let rest = with(|state| {
        if state.owner.is_none() {
            return Err(topic);
        }
        if !state.topics.iter().any(|other| std::ptr::addr_eq(Arc::as_ptr(other), Arc::as_ptr(&topic))) {
            state.topics.push(topic);
        }
        Ok((state.topics.len() >= MAX_TOPICS).then(|| std::mem::take(&mut state.topics)))
    });
    match rest {
        Ok(full) => full.into_iter().flatten().for_each(|topic| topic.flush_later()),
        Err(topic) => topic.flush(),
    }
}
