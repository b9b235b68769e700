//! The budget of all queues of a hub, and the frames dropped when they do not fit.

use std::{
    future::Future as _,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::{
    Budget, DiscardPolicy, FlushBy, Outbox, Pushed, Until, Wrote,
    queue_tests::{Pipe, run, write_all},
};

#[test]
fn only_bytes_that_stay_queued_are_charged() {
    let (pipe, total) = (Pipe::default(), Arc::new(Budget::new(100_000)));
    let outbox = pipe.outbox_in(100_000, &total);
    let frame = run(&[&"x".repeat(1000)]);
    pipe.room.set(1500);
    outbox.push(frame.clone(), FlushBy::Caller);
    assert_eq!((outbox.buffered(), total.bytes()), (frame.cost(), 0));
    outbox.flush();
    assert_eq!((outbox.buffered(), total.bytes()), (0, 0));
    // A half-written frame counts as a whole.
    outbox.push(frame.clone(), FlushBy::Caller);
    outbox.flush();
    assert_eq!((outbox.buffered(), total.bytes()), (frame.cost(), frame.cost()));
    outbox.push(frame.clone(), FlushBy::Caller);
    assert_eq!(total.bytes(), 2 * frame.cost());
    pipe.room.set(600);
    outbox.unblock();
    outbox.flush();
    assert_eq!((outbox.buffered(), total.bytes()), (frame.cost(), frame.cost()));
    write_all(&outbox, &pipe);
    assert_eq!((outbox.buffered(), total.bytes()), (0, 0));
    // Dropped frames do not count.
    let overflow = |outbox: &Outbox<Pipe>| assert!(outbox.overflow() && !outbox.overflow());
    for end in [overflow, Outbox::detach] {
        let outbox = pipe.outbox_in(100_000, &total);
        pipe.room.set(0);
        outbox.push(frame.clone(), FlushBy::Caller);
        outbox.flush();
        assert_eq!(total.bytes(), frame.cost());
        end(&outbox);
        assert_eq!(total.bytes(), 0);
    }
}

#[test]
fn a_queue_that_exceeds_the_total_overflows() {
    let total = Arc::new(Budget::new(5000));
    let (slow, fast) = (Pipe::default(), Pipe::default());
    let (one, two) = (slow.outbox_in(100_000, &total), slow.outbox_in(100_000, &total));
    let frame = run(&[&"x".repeat(1000)]);
    for outbox in [&one, &two] {
        for _ in 0..2 {
            outbox.push(frame.clone(), FlushBy::Caller);
            outbox.flush();
        }
    }
    assert_eq!(two.push(frame.clone(), FlushBy::Caller), Pushed::Closed);
    assert_eq!((two.buffered(), total.bytes(), total.overflowed()), (0, 2 * frame.cost(), 1));
    assert!(!one.is_closed());
    // Frames written at once are not charged.
    fast.room.set(usize::MAX);
    let reads = fast.outbox_in(100_000, &total);
    for _ in 0..20 {
        assert_eq!(reads.push(frame.clone(), FlushBy::Caller), Pushed::Queued);
        reads.flush();
    }
    // A burst to a slow consumer is charged when it cannot be written.
    let late = slow.outbox_in(100_000, &total);
    for _ in 0..4 {
        late.push(frame.clone(), FlushBy::Caller);
    }
    late.flush();
    assert_eq!((late.is_closed(), total.bytes(), total.overflowed()), (true, 2 * frame.cost(), 2));
}

#[test]
fn an_owner_without_sink_is_charged_once_it_cannot_write() {
    let total = Arc::new(Budget::new(5000));
    let outbox = Outbox::<Pipe>::new(100_000, Arc::clone(&total));
    let frame = run(&[&"x".repeat(1000)]);
    let push = || outbox.push(frame.clone(), FlushBy::Caller);
    let cx = Context::from_waker(Waker::noop());
    // Before its turn it is unknown whether the owner can write.
    assert_eq!((push(), total.bytes()), (Pushed::Queued, 0));
    outbox.begin_turn(&cx);
    let writing = outbox.start().unwrap();
    outbox.finish(writing, 10);
    assert_eq!(total.bytes(), 0);
    assert!(outbox.end_turn(true));
    assert_eq!(total.bytes(), frame.cost());
    // Now the queue is known to be stalled.
    assert_eq!((push(), total.bytes()), (Pushed::Queued, 2 * frame.cost()));
    outbox.begin_turn(&cx);
    let writing = outbox.start().unwrap();
    outbox.finish(writing, 2 * frame.len() - 10);
    assert!(outbox.end_turn(false) && total.bytes() == 0);
    // As on axum's transport, which writes frame by frame.
    for _ in 0..4 {
        push();
    }
    outbox.begin_turn(&cx);
    outbox.pop();
    assert!(outbox.end_turn(true));
    assert_eq!(total.bytes(), 4 * frame.cost());
    outbox.written(frame.cost());
    assert_eq!(total.bytes(), 3 * frame.cost());
    assert_eq!((push(), push()), (Pushed::Queued, Pushed::Closed));
    assert_eq!((total.bytes(), total.overflowed()), (0, 1));
}

/// Queues a discardable frame, as topics do.
fn push_discardable(outbox: &Outbox<Pipe>, text: &str, policy: &Arc<DiscardPolicy>) -> Pushed {
    match outbox.push_discardable(run(&[text]), policy, FlushBy::Caller) {
        Pushed::NoRoom => outbox.push_dropping(run(&[text]), policy, |_| Some(run(&["gap"])), FlushBy::Caller),
        pushed => pushed,
    }
}

#[test]
fn the_oldest_frames_of_a_topic_are_replaced_by_one_gap_notice() {
    let pipe = Pipe::default();
    let limit = 4 * run(&["a"]).cost() + run(&["gap"]).cost();
    let outbox = pipe.outbox(limit);
    let [t, u] = ["t", "u"].map(|topic| Arc::new(DiscardPolicy::new(topic, None, true)));
    for (text, policy) in [("a", &t), ("b", &u), ("c", &t), ("d", &t)] {
        assert_ne!(push_discardable(&outbox, text, policy), Pushed::Closed);
    }
    outbox.push(run(&["!"]), FlushBy::Caller);
    // The first is half written, and so is kept.
    pipe.room.set(1);
    assert_eq!(outbox.write(), Wrote::Blocked);
    for text in ["e", "f", "g"] {
        push_discardable(&outbox, text, &t);
    }
    assert!(outbox.buffered() <= limit);
    write_all(&outbox, &pipe);
    assert_eq!(pipe.payloads(), ["a", "b", "gap", "!", "g"]);
    assert_eq!(outbox.buffered(), 0);
    // The queue has recovered.
    push_discardable(&outbox, "h", &t);
    write_all(&outbox, &pipe);
    assert_eq!(pipe.payloads()[5..], ["h"]);
    assert!(format!("{outbox:?}").contains("discardable: None"));
}

#[test]
fn a_new_frame_is_dropped_if_other_frames_fill_the_queue() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(2 * run(&["a"]).cost());
    let policy = Arc::new(DiscardPolicy::new("t", None, true));
    outbox.push(run(&["1"]), FlushBy::Caller);
    outbox.push(run(&["2"]), FlushBy::Caller);
    for text in ["a", "b", "c"] {
        assert_eq!(push_discardable(&outbox, text, &policy), Pushed::AboveWatermark);
    }
    write_all(&outbox, &pipe);
    assert_eq!(pipe.payloads(), ["1", "2", "gap"]);
}

#[test]
fn droppable_frames_make_room_for_others() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(2 * run(&["a"]).cost() + 2 * run(&["gap"]).cost());
    let [t, u] = ["t", "u"].map(|topic| Arc::new(DiscardPolicy::new(topic, None, true)));
    outbox.write();
    for (text, policy) in [("a", &t), ("b", &u), ("c", &t), ("d", &u)] {
        assert_ne!(push_discardable(&outbox, text, policy), Pushed::Closed);
    }
    for text in ["1", "2"] {
        assert_eq!(outbox.push(run(&[text]), FlushBy::Owner), Pushed::NoRoom);
        outbox.make_room(run(&[text]).cost(), |topic| Some(run(&[&format!("-{topic}")])));
        assert_ne!(outbox.push_anyway(run(&[text]), FlushBy::Owner), Pushed::Closed);
    }
    write_all(&outbox, &pipe);
    assert_eq!(pipe.payloads(), ["-t", "-u", "1", "2"]);
}

#[test]
fn conflation_keeps_only_the_latest_of_a_key() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(4 * run(&["a"]).cost());
    let policy = |topic: &str, key: &str| Arc::new(DiscardPolicy::new(topic, Some(key.into()), false));
    for (text, topic, key) in
        [("1", "t", "x"), ("2", "t", "y"), ("3", "t", "x"), ("4", "u", "x"), ("5", "t", "x"), ("6", "u", "x")]
    {
        assert_ne!(push_discardable(&outbox, text, &policy(topic, key)), Pushed::Closed);
    }
    write_all(&outbox, &pipe);
    assert_eq!(pipe.payloads(), ["2", "5", "6"]);
    // Too many keys overflow.
    pipe.room.set(0);
    for n in 0..4 {
        assert_ne!(push_discardable(&outbox, "n", &policy("t", &n.to_string())), Pushed::Closed);
    }
    outbox.write();
    assert_eq!(push_discardable(&outbox, "n", &policy("t", "4")), Pushed::Closed);
}

#[test]
fn dropped_frames_do_not_block_waiters_and_do_not_count_as_written() {
    let pipe = Pipe::default();
    let outbox = pipe.outbox(2 * run(&["a"]).cost() + run(&["gap"]).cost());
    let policy = Arc::new(DiscardPolicy::new("t", None, true));
    let mut cx = Context::from_waker(Waker::noop());
    for text in ["a", "b", "c"] {
        push_discardable(&outbox, text, &policy);
    }
    let mut flushed = pin!(outbox.wait(Until::Flushed));
    assert!(flushed.as_mut().poll(&mut cx).is_pending());
    outbox.write();
    for text in ["d", "e", "f", "g"] {
        push_discardable(&outbox, text, &policy);
    }
    assert_eq!(outbox.written_so_far(), 0);
    assert!(flushed.as_mut().poll(&mut cx).is_pending());
    write_all(&outbox, &pipe);
    assert_eq!(flushed.as_mut().poll(&mut cx), Poll::Ready(true));
    assert_eq!(pipe.payloads(), ["gap", "f", "g"]);
}

#[test]
fn dropped_frames_are_refunded() {
    let (pipe, total) = (Pipe::default(), Arc::new(Budget::new(100_000)));
    let outbox = pipe.outbox_in(2000, &total);
    let policy = Arc::new(DiscardPolicy::new("t", None, true));
    let text = "x".repeat(900);
    for _ in 0..5 {
        assert_ne!(push_discardable(&outbox, &text, &policy), Pushed::Closed);
        outbox.write();
        // Small growth is charged later.
        assert!(outbox.buffered() - total.bytes() < 1024);
    }
    outbox.make_room(2000, |_| None);
    assert_eq!(total.bytes(), outbox.buffered());
    write_all(&outbox, &pipe);
    assert_eq!((total.bytes(), total.overflowed()), (0, 0));
}

#[test]
fn droppable_frames_also_overflow_the_total() {
    let (pipe, total) = (Pipe::default(), Arc::new(Budget::new(3000)));
    let outbox = pipe.outbox_in(100_000, &total);
    let policy = Arc::new(DiscardPolicy::new("t", None, true));
    let text = "x".repeat(900);
    for _ in 0..2 {
        assert_ne!(push_discardable(&outbox, &text, &policy), Pushed::Closed);
        outbox.write();
    }
    while push_discardable(&outbox, &text, &policy) != Pushed::Closed {}
    assert_eq!((outbox.buffered(), total.bytes(), total.overflowed()), (0, 0, 1));
    assert!(format!("{outbox:?}").contains("discardable: None"));
}
