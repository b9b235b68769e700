use std::{
    cell::{Cell, RefCell},
    future::Future as _,
    io::{self, IoSlice},
    pin::pin,
    rc::Rc,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use super::{Budget, FlushBy, Outbox, Pushed, Sink, Until, Wrote};
use crate::wire::Frame;

/// A sink that accepts `room` bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Pipe {
    pub(super) room: Rc<Cell<usize>>,
    written: Rc<RefCell<Vec<u8>>>,
}

impl Pipe {
    pub(super) fn outbox(&self, limit: usize) -> Outbox<Self> {
        self.outbox_in(limit, &Arc::new(Budget::new(usize::MAX)))
    }

    pub(super) fn outbox_in(&self, limit: usize, total: &Arc<Budget>) -> Outbox<Self> {
        let outbox = Outbox::new(limit, Arc::clone(total));
        outbox.attach(self.clone());
        outbox
    }

    /// Returns the payloads of all completely written frames.
    pub(super) fn payloads(&self) -> Vec<String> {
        let mut wire = &self.written.borrow()[..];
        let mut payloads = Vec::new();
        while let Some((_, payload)) = switchboard_frame::encode::first(wire) {
            payloads.push(String::from_utf8_lossy(&wire[payload.clone()]).into_owned());
            wire = &wire[payload.end..];
        }
        payloads
    }
}

impl Sink for Pipe {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut written = 0;
        for slice in slices {
            let portion = slice.len().min(self.room.get());
            self.room.set(self.room.get() - portion);
            self.written.borrow_mut().extend_from_slice(&slice[..portion]);
            written += portion;
        }
        Ok(written)
    }
}

pub(super) fn run(texts: &[&str]) -> Frame {
    let frames: Vec<u8> = texts.iter().flat_map(|text| Frame::text(text).wire().to_vec()).collect();
    Frame::new(frames)
}

pub(super) fn write_all(outbox: &Outbox<Pipe>, pipe: &Pipe) {
    pipe.room.set(usize::MAX);
    outbox.unblock();
    assert_eq!(outbox.write(), Wrote::All);
}

#[test]
fn rfc_6455_5_5_only_the_last_pong_is_sent_ahead_of_data_at_the_next_frame_boundary() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(1 << 20);
    outbox.push(run(&["one", "two"]), FlushBy::Caller);
    outbox.push(run(&["three"]), FlushBy::Caller);
    pipe.room.set(2);
    assert_eq!(outbox.write(), Wrote::Blocked);
    for pong in ["first", "second", "last"] {
        outbox.push_pong(Frame::text(pong));
    }
    write_all(&outbox, &pipe);
    assert_eq!(pipe.payloads(), ["one", "last", "two", "three"]);
    assert_eq!(outbox.buffered(), 0);
}

#[test]
fn a_partial_write_of_the_owners_frames_is_continued() {
    for room in 0..15 {
        let pipe = Pipe::default();
        let outbox = pipe.outbox(1 << 20);
        let mut out = run(&["one", "two", "three"]).wire().to_vec();
        pipe.room.set(room);
        assert_eq!(outbox.write_out(&mut out), Wrote::Blocked);
        assert!(out.is_empty());
        outbox.push(run(&["four"]), FlushBy::Caller);
        write_all(&outbox, &pipe);
        assert_eq!(pipe.payloads(), ["one", "two", "three", "four"], "{room}");
        assert_eq!(outbox.buffered(), 0);
    }
}

#[test]
fn a_retry_finds_room_that_was_not_reported() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(1 << 20);
    assert!(!outbox.retry_blocked());
    outbox.push(run(&["one"]), FlushBy::Caller);
    pipe.room.set(2);
    assert_eq!(outbox.write(), Wrote::Blocked);
    assert!(!outbox.retry_blocked());
    pipe.room.set(1);
    // It stays blocked until the sink is reported writable.
    assert_eq!(outbox.write(), Wrote::Blocked);
    assert!(outbox.retry_blocked());
    pipe.room.set(usize::MAX);
    assert_eq!(outbox.write(), Wrote::Blocked);
    assert!(outbox.retry_blocked());
    assert_eq!((pipe.payloads(), outbox.buffered()), (vec!["one".to_owned()], 0));
    assert_eq!(outbox.write(), Wrote::All);
}

/// Replies to requests in flight may exceed the limit; other frames may not.
#[test]
fn replies_may_take_twice_the_limit() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(1000);
    let frame = run(&[&"x".repeat(400)]);
    for n in 0..4 {
        let expected = if n == 0 { Pushed::Queued } else { Pushed::AboveWatermark };
        assert_eq!(outbox.push_reply(frame.clone()), expected, "{n}");
        assert_eq!(outbox.write(), Wrote::Blocked);
    }
    assert!(outbox.is_above_watermark() && outbox.backlog_above_watermark().is_some());
    write_all(&outbox, &pipe);
    assert!(outbox.backlog_above_watermark().is_none() && !outbox.is_above_watermark());
    pipe.room.set(0);
    for _ in 0..2 {
        outbox.push(frame.clone(), FlushBy::Owner);
        assert_eq!(outbox.write(), Wrote::Blocked);
    }
    assert_eq!(outbox.push(frame, FlushBy::Owner), Pushed::Closed);
}

#[test]
fn an_overflow_finishes_the_half_written_frame() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(200);
    outbox.push(run(&["one", "two"]), FlushBy::Caller);
    pipe.room.set(3);
    assert_eq!(outbox.write(), Wrote::Blocked);
    assert_eq!(outbox.push(run(&[&"x".repeat(200)]), FlushBy::Owner), Pushed::Closed);
    assert_eq!(outbox.push(run(&["late"]), FlushBy::Owner), Pushed::Closed);
    assert!(outbox.is_closed());
    outbox.push_close(run(&["close"]));
    write_all(&outbox, &pipe);
    assert_eq!(pipe.payloads(), ["one", "close"]);
}

#[test]
fn a_writable_queue_does_not_overflow() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(100);
    let long = "x".repeat(50);
    assert_eq!(outbox.push(run(&[&long]), FlushBy::Owner), Pushed::AboveWatermark);
    assert_eq!(outbox.push(run(&[&long]), FlushBy::Owner), Pushed::NoRoom);
    pipe.room.set(1000);
    outbox.flush();
    assert_eq!(outbox.push_anyway(run(&[&long]), FlushBy::Owner), Pushed::AboveWatermark);
}

#[test]
fn more_frames_than_fit_into_one_write() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(1 << 20);
    let texts: Vec<_> = (0..1000).map(|n| n.to_string()).collect();
    for text in &texts {
        outbox.push(run(&[text]), FlushBy::Caller);
    }
    write_all(&outbox, &pipe);
    assert_eq!(pipe.payloads(), texts);
}

#[test]
fn flushed_waits_for_the_frames_sent_before_and_not_for_as_many_bytes() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(1 << 20);
    let mut cx = Context::from_waker(Waker::noop());
    outbox.push(run(&["sent"]), FlushBy::Caller);
    let mut flushed = pin!(outbox.wait(Until::Flushed));
    assert!(flushed.as_mut().poll(&mut cx).is_pending());
    // As long as the frame that was sent, and written ahead of it.
    outbox.push_pong(run(&["pong"]));
    pipe.room.set(run(&["pong"]).len());
    assert_eq!(outbox.write(), Wrote::Blocked);
    assert_eq!(pipe.payloads(), ["pong"]);
    assert!(flushed.as_mut().poll(&mut cx).is_pending());
    write_all(&outbox, &pipe);
    assert_eq!(flushed.as_mut().poll(&mut cx), Poll::Ready(true));
}

#[test]
fn dropped_waits_leave_nothing_behind() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(200);
    outbox.push(run(&[&"x".repeat(150)]), FlushBy::Caller);
    for _ in 0..100 {
        let mut room = Box::pin(outbox.wait(Until::Room));
        assert!(room.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert!(format!("{outbox:?}").contains("waiters: Waiters(None)"));
}

/// A sink that accepts nothing, usable on any thread.
struct Full;

impl Sink for Full {
    fn try_write(&self, _: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(0)
    }
}

/// A waker that locks the queue when it is dropped, as an application's may.
struct LocksOnDrop(Weak<Outbox<Full>>);

impl Wake for LocksOnDrop {
    fn wake(self: Arc<Self>) {}
}

impl Drop for LocksOnDrop {
    fn drop(&mut self) {
        if let Some(outbox) = self.0.upgrade() {
            outbox.buffered();
        }
    }
}

#[test]
fn wakers_are_replaced_and_dropped_without_a_lock() {
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || {
        let outbox = Arc::new(Outbox::new(200, Arc::new(Budget::new(usize::MAX))));
        outbox.attach(Full);
        let waker = || Waker::from(Arc::new(LocksOnDrop(Arc::downgrade(&outbox))));
        outbox.push(run(&[&"x".repeat(150)]), FlushBy::Caller);
        for until in [Until::Room, Until::Flushed] {
            let mut wait = Box::pin(outbox.wait(until));
            for _ in 0..3 {
                assert!(wait.as_mut().poll(&mut Context::from_waker(&waker())).is_pending());
            }
        }
        for _ in 0..3 {
            outbox.begin_turn(&Context::from_waker(&waker()));
            outbox.end_turn(true);
        }
        done.send(()).unwrap();
    });
    // A timeout means a deadlock.
    assert_eq!(is_done.recv_timeout(Duration::from_secs(10)), Ok(()));
}

/// A waker that counts.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_send_behind_an_unflushed_publish_wakes_the_owner() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(1000);
    let woken = Arc::new(Woken::default());
    outbox.begin_turn(&Context::from_waker(&Waker::from(Arc::clone(&woken))));
    assert!(outbox.end_turn(false));
    outbox.push(Frame::text("published"), FlushBy::Caller);
    assert_eq!(woken.0.load(Relaxed), 0);
    // The publisher may flush only much later.
    outbox.push(Frame::text("sent"), FlushBy::Owner);
    assert_eq!(woken.0.load(Relaxed), 1);
}
