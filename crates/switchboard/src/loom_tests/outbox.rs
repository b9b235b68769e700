//! The queue of a connection.

use std::{io::IoSlice, sync::Arc};

use loom::thread;

use super::*;
use crate::outbox::{DiscardPolicy, FlushBy, Pushed, Sink as _};

/// Runs `work` with the connection on another thread.
fn spawn<T: 'static>(conn: &Arc<Member>, work: impl FnOnce(&Member) -> T + 'static) -> thread::JoinHandle<T> {
    let conn = Arc::clone(conn);
    thread::spawn(move || work(&conn))
}

#[test]
fn a_push_is_never_left_behind_by_the_owner() {
    check(|| {
        let pipe = Pipe::new(100);
        let conn = conn(1, &pipe);
        let pusher = spawn(&conn, move |conn| {
            assert_eq!(conn.outbox.push(frame("a"), FlushBy::Owner), Pushed::Queued);
            assert_eq!(conn.outbox.push(frame("b"), FlushBy::Owner), Pushed::Queued);
        });
        let owner = Owner::new(&conn);
        owner.turn(|| {});
        owner.settle();
        pusher.join().unwrap();
        owner.settle();
        assert_eq!(letters(&pipe), "ab");
    });
}

#[test]
fn the_owner_goes_on_where_a_full_socket_stopped_a_publisher() {
    check(|| {
        // A frame needs two writes.
        let pipe = Pipe::new(2);
        let conn = conn(1, &pipe);
        let publisher = spawn(&conn, move |conn| {
            conn.outbox.push(frame("a"), FlushBy::Caller);
            conn.outbox.flush();
        });
        let owner = Owner::new(&conn);
        owner.turn(|| {});
        publisher.join().unwrap();
        owner.settle();
        assert_eq!(letters(&pipe), "a");
    });
}

#[test]
fn two_publishers_and_the_owner_write_one_at_a_time_and_in_order() {
    check_some(3, || {
        let pipe = Pipe::new(100);
        let conn = conn(1, &pipe);
        let publisher = |letters: [&'static str; 2]| {
            let conn = Arc::clone(&conn);
            thread::spawn(move || {
                for letter in letters {
                    conn.outbox.push(frame(letter), FlushBy::Caller);
                }
                conn.outbox.flush();
            })
        };
        let first = publisher(["a", "b"]);
        let second = publisher(["c", "d"]);
        let owner = Owner::new(&conn);
        owner.turn(|| {});
        first.join().unwrap();
        second.join().unwrap();
        owner.settle();
        let written = letters(&pipe);
        let position = |letter| written.find(letter).unwrap();
        assert!(written.len() == 4 && position('a') < position('b') && position('c') < position('d'), "{written}");
    });
}

#[test]
fn the_owner_writes_past_an_empty_queue_without_taking_the_sink() {
    check(|| {
        let pipe = Pipe::new(100);
        let conn = conn(1, &pipe);
        let publisher = spawn(&conn, move |conn| {
            for letter in ["a", "b"] {
                conn.outbox.push(frame(letter), FlushBy::Caller);
                conn.outbox.flush();
            }
        });
        let owner = Owner::new(&conn);
        owner.turn_with(|clear| {
            if clear {
                // `Pipe` panics if another thread is writing.
                pipe.try_write(&[IoSlice::new(frame("o").wire())]).unwrap();
            } else {
                conn.outbox.push(frame("o"), FlushBy::Owner);
            }
        });
        publisher.join().unwrap();
        owner.settle();
        let written = letters(&pipe);
        assert!(["oab", "aob", "abo"].contains(&&*written), "{written}");
    });
}

#[test]
fn detaching_drops_the_sink_even_while_it_is_taken() {
    check(|| {
        let pipe = Pipe::new(100);
        let conn = conn(1, &pipe);
        let publisher = spawn(&conn, move |conn| {
            conn.outbox.push(frame("a"), FlushBy::Caller);
            conn.outbox.flush();
            conn.outbox.push(frame("b"), FlushBy::Caller);
            conn.outbox.flush();
        });
        conn.outbox.detach();
        let before = pipe.written().len();
        publisher.join().unwrap();
        // At most a write in progress completes.
        assert!(pipe.written().len() <= before + 3);
        conn.outbox.push(frame("c"), FlushBy::Caller);
        conn.outbox.flush();
        assert!(!letters(&pipe).contains('c'));
    });
}

#[test]
fn an_overflow_during_a_write_leaves_only_the_half_written_frame() {
    check(|| {
        let pipe = Pipe::new(4);
        let outbox = outbox(3 * frame("a").cost());
        outbox.attach(pipe.clone());
        let conn = Arc::new(Member { id: 1, outbox, key: AtomicUsize::new(GONE) });
        for letter in ["a", "b"] {
            conn.outbox.push(frame(letter), FlushBy::Caller);
        }
        let writer = spawn(&conn, move |conn| conn.outbox.flush());
        let pushed = ["c", "d", "e", "f"].map(|letter| conn.outbox.push_anyway(frame(letter), FlushBy::Owner));
        writer.join().unwrap();
        assert!(pushed.contains(&Pushed::Closed) == conn.outbox.is_closed());
        let owner = Owner::new(&conn);
        owner.turn(|| {});
        owner.turn(|| conn.outbox.push_close(frame("!")));
        let written = letters(&pipe);
        assert!("abcdef!".starts_with(&written[..written.len() - 1]) && written.ends_with('!'), "{written}");
    });
}

/// Queues a discardable frame, as topics do.
fn push_discardable(outbox: &Outbox<Pipe>, letter: &str, policy: &Arc<DiscardPolicy>) {
    if outbox.push_discardable(frame(letter), policy, FlushBy::Caller) == Pushed::NoRoom {
        outbox.flush();
        outbox.push_dropping(frame(letter), policy, |_| Some(frame("-")), FlushBy::Owner);
    }
    outbox.flush();
}

#[test]
fn a_conflated_frame_is_written_and_none_twice() {
    check(|| {
        let pipe = Pipe::new(100);
        let conn = conn(1, &pipe);
        let policy = Arc::new(DiscardPolicy::new("t", Some("key".into()), false));
        let publisher =
            spawn(&conn, move |conn| ["a", "b"].map(|letter| push_discardable(&conn.outbox, letter, &policy)));
        let owner = Owner::new(&conn);
        owner.turn(|| {});
        publisher.join().unwrap();
        owner.settle();
        let written = letters(&pipe);
        assert!(["ab", "b"].contains(&&*written), "{written}");
        assert_eq!(conn.outbox.buffered(), 0);
    });
}

#[test]
fn frames_dropped_during_a_write_are_reported() {
    check_some(3, || {
        // A frame needs two writes.
        let pipe = Pipe::new(2);
        let outbox = outbox(2 * frame("a").cost());
        outbox.attach(pipe.clone());
        let conn = Arc::new(Member { id: 1, outbox, key: AtomicUsize::new(GONE) });
        let policy = Arc::new(DiscardPolicy::new("t", None, true));
        push_discardable(&conn.outbox, "a", &policy);
        let publisher =
            spawn(&conn, move |conn| ["b", "c", "d"].map(|letter| push_discardable(&conn.outbox, letter, &policy)));
        let owner = Owner::new(&conn);
        owner.turn(|| {});
        publisher.join().unwrap();
        owner.turn(|| {});
        owner.settle();
        let written = letters(&pipe);
        assert!(["abcd", "a-d", "ab-d", "a-cd", "abc-", "ab-", "a-"].contains(&&*written), "{written}");
        assert_eq!(conn.outbox.buffered(), 0);
    });
}
