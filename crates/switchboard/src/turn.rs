//! What one turn of a connection's task puts out, in one ordered list.
//!
//! While a connection's task is polled, its own frames are gathered in one buffer, and consecutive
//! publishes to one topic in one run, which each member then gets with one write. Whatever could
//! show the order of the two closes the run first. All of it leaves before the task waits.
//!
//! The state is the thread's: a turn never changes threads. It is never borrowed while code of the
//! application runs.

use std::{
    cell::RefCell,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;

use crate::{
    conn::{ConnId, Outbox},
    hub::Topic,
    transport::Frame,
};

/// No frame is added beyond this.
const MAX_RUN: usize = 64 * 1024;

/// From so many bytes on, own frames leave within the turn; and what is kept of the buffer.
pub(crate) const MAX_OUT: usize = 64 * 1024;

/// So many topics at most wait for the turn's end to be written to.
const MAX_TOPICS: usize = 64;

struct State {
    /// The address of the outbox whose owner has its turn.
    owner: Option<usize>,
    /// Whether own frames may go past the outbox.
    direct: bool,
    /// 0 before the first look at the clock.
    now_ms: u64,
    /// Own frames as they go over the wire.
    out: Vec<u8>,
    run: Option<Run>,
    /// The bytes of the run, if it is of several frames.
    run_bytes: Vec<u8>,
    /// Topics whose members have frames queued that nobody has written yet.
    topics: Vec<Arc<Topic>>,
}

/// Consecutive publishes to one topic.
struct Run {
    topic: Arc<Topic>,
    except: Option<ConnId>,
    first: Frame,
}

impl Run {
    fn takes(&self, topic: &Arc<Topic>, except: Option<ConnId>) -> bool {
        Arc::ptr_eq(&self.topic, topic) && self.except == except
    }
}

thread_local! {
    static STATE: RefCell<State> = const {
        RefCell::new(State {
            owner: None,
            direct: false,
            now_ms: 0,
            out: Vec::new(),
            run: None,
            run_bytes: Vec::new(),
            topics: Vec::new(),
        })
    };
}

fn with<T>(f: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(f)
}

fn key(outbox: &Outbox) -> usize {
    std::ptr::from_ref(outbox).addr()
}

/// One turn of a connection's task on this thread. What was published leaves when it is dropped.
#[must_use]
pub(crate) struct Turn {
    /// Within another one's, which then ends both.
    nested: bool,
}

impl Turn {
    /// `direct`: whether nothing is queued, so that own frames may go past the outbox.
    pub(crate) fn begin(outbox: &Outbox, direct: bool) -> Self {
        with(|state| {
            let nested = state.owner.is_some();
            if !nested {
                (state.owner, state.direct, state.now_ms) = (Some(key(outbox)), direct, 0);
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
        seal();
        let mut topics = with(|state| {
            state.owner = None;
            state.out.clear();
            // What has grown is not kept: see `encode::ROOM`.
            if state.out.capacity() > MAX_OUT {
                state.out = Vec::new();
            }
            if state.run_bytes.capacity() > MAX_RUN {
                state.run_bytes = Vec::new();
            }
            std::mem::take(&mut state.topics)
        });
        for (index, topic) in topics.drain(..).enumerate() {
            if index == 0 { topic.flush() } else { topic.flush_later() }
        }
        with(|state| state.topics = topics);
    }
}

/// Reserves the thread's buffers: see `encode::ROOM`.
pub(crate) fn prepare() {
    with(|state| {
        for (buffer, room) in [(&mut state.out, MAX_OUT), (&mut state.run_bytes, MAX_RUN)] {
            if buffer.capacity() == 0 {
                buffer.reserve_exact(room);
            }
        }
    });
}

/// Milliseconds since 1970. Within a turn always the same.
pub(crate) fn now_ms() -> u64 {
    with(|state| {
        if state.owner.is_none() {
            return read_clock();
        }
        if state.now_ms == 0 {
            state.now_ms = read_clock();
        }
        state.now_ms
    })
}

fn read_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// Whether this thread is in the turn of this outbox's owner.
pub(crate) fn is_of(outbox: &Outbox) -> bool {
    with(|state| state.owner == Some(key(outbox)))
}

/// The buffer of own frames, to append whole frames to it: if this is the owner's turn, and
/// nothing is queued that has to leave before. To be given back with [`put_out`].
pub(crate) fn out_for(outbox: &Outbox) -> Option<Vec<u8>> {
    if outbox.has_queued() || outbox.is_closed() {
        return None;
    }
    let take =
        |state: &mut State| (state.direct && state.owner == Some(key(outbox))).then(|| std::mem::take(&mut state.out));
    let out = with(|state| if state.run.is_none() { Ok(take(state)) } else { Err(()) });
    out.unwrap_or_else(|()| {
        seal();
        // What the run brought to this connection itself leaves first.
        if outbox.has_queued() { None } else { with(take) }
    })
}

/// Whether so much was put out in this turn that it should leave.
pub(crate) fn is_ripe() -> bool {
    with(|state| state.out.len() >= MAX_OUT)
}

/// Whether the owner has put out anything that has not left.
#[cfg(feature = "axum-ws")]
pub(crate) fn is_out(outbox: &Outbox) -> bool {
    with(|state| state.owner == Some(key(outbox)) && !state.out.is_empty())
}

/// What the owner has put out so far, if anything.
pub(crate) fn take_out(outbox: &Outbox) -> Option<Vec<u8>> {
    with(|state| (state.owner == Some(key(outbox)) && !state.out.is_empty()).then(|| std::mem::take(&mut state.out)))
}

/// Gives back the buffer of own frames. What was put out meanwhile, by a message that sends
/// while it is serialised, comes behind.
pub(crate) fn put_out(mut out: Vec<u8>) {
    with(|state| {
        out.append(&mut state.out);
        state.out = out;
    });
}

/// Writes what the owner has put out so far.
pub(crate) fn write_out(outbox: &Outbox) {
    if let Some(mut out) = take_out(outbox) {
        outbox.write_out(&mut out);
        put_out(out);
    }
}

/// Answers a ping in the owner's turn.
pub(crate) fn pong(outbox: &Outbox, payload: &[u8]) {
    use switchboard_frame::{Opcode, encode};
    match out_for(outbox) {
        Some(mut out) => {
            encode::put_frame(&mut out, true, Opcode::Pong, payload, None);
            put_out(out);
        }
        None => outbox.push_pong(Frame::new(encode::frame(Opcode::Pong, payload))),
    }
}

/// Publishes in this turn's list; whether the queue of a member is half full. Gives the frame back
/// outside of a turn.
pub(crate) fn publish(topic: &Arc<Topic>, frame: Frame, except: Option<ConnId>) -> Result<bool, Frame> {
    let joined = with(|state| {
        if state.owner.is_none() {
            return Err(frame);
        }
        match &state.run {
            Some(run)
                if run.takes(topic, except) && state.run_bytes.len().max(run.first.len()) + frame.len() <= MAX_RUN =>
            {
                if state.run_bytes.is_empty() {
                    state.run_bytes.extend_from_slice(run.first.wire());
                }
                state.run_bytes.extend_from_slice(frame.wire());
                Ok(None)
            }
            _ => Ok(Some(frame)),
        }
    })?;
    let Some(frame) = joined else { return Ok(false) };
    let pressed = seal();
    with(|state| state.run = Some(Run { topic: Arc::clone(topic), except, first: frame }));
    Ok(pressed)
}

/// Hands the run to the members of its topic: whatever comes next comes behind it. Whether the
/// queue of one is half full.
pub(crate) fn seal() -> bool {
    let Some(Run { topic, except, first }) = with(|state| state.run.take()) else { return false };
    let frame = with(|state| {
        if state.run_bytes.is_empty() {
            return first;
        }
        // No longer than it is, since all members keep it.
        let frame = Frame::new(Bytes::copy_from_slice(&state.run_bytes));
        state.run_bytes.clear();
        frame
    });
    let pressed = topic.push(&frame, except);
    let full = with(|state| {
        if !state.topics.iter().any(|other| Arc::ptr_eq(other, &topic)) {
            state.topics.push(topic);
        }
        (state.topics.len() >= MAX_TOPICS).then(|| std::mem::take(&mut state.topics))
    });
    full.into_iter().flatten().for_each(|topic| topic.flush_later());
    pressed
}
