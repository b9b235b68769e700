//! What must hold in every order of steps.

mod places;
mod terminal;

use std::{
    io::IoSlice,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Wake, Waker},
};

use loom::thread;

use crate::{
    conn::{AnyConn, GONE, Mark, Outbox, Promise, Pushed, Sink as _, Total, Wrote},
    hub::Topic,
    sync::AtomicUsize,
    transport::{Frame, Pipe},
};

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
    Outbox::new(limit, Arc::new(Total::new(usize::MAX)))
}

fn conn(id: u32, pipe: &Pipe) -> Arc<AnyConn> {
    let outbox = outbox(LIMIT);
    outbox.attach(pipe.clone());
    Arc::new(AnyConn { id, outbox, place: AtomicUsize::new(GONE) })
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

/// The connection's task: it has its turn when it is woken.
struct Owner {
    conn: Arc<AnyConn>,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

impl Owner {
    fn new(conn: &Arc<AnyConn>) -> Self {
        Self { conn: Arc::clone(conn), woken: Arc::default() }
    }

    /// A turn that begins with `handle`.
    fn turn(&self, handle: impl FnOnce()) {
        self.turn_with(|_| handle());
    }

    /// The same; `handle` is told whether it may write past the queue.
    fn turn_with(&self, handle: impl FnOnce(bool)) {
        self.woken.0.store(false, SeqCst);
        let waker = Waker::from(Arc::clone(&self.woken));
        let outbox = &self.conn.outbox;
        handle(outbox.begin_turn(&Context::from_waker(&waker)));
        loop {
            let done = match outbox.write() {
                Wrote::Blocked => {
                    // The socket can be written to again at once.
                    outbox.unblock();
                    continue;
                }
                Wrote::Busy => outbox.end_turn(true),
                Wrote::All | Wrote::Broken => outbox.end_turn(false),
            };
            if done {
                return;
            }
        }
    }

    /// All turns that it was woken for. When everybody else is done, too, nothing may be left.
    fn settle(&self) {
        while self.woken.0.load(SeqCst) {
            self.turn(|| {});
        }
    }
}

#[test]
fn a_push_is_never_left_behind_by_the_owner() {
    check(|| {
        let pipe = Pipe::new(100);
        let conn = conn(1, &pipe);
        let pusher = thread::spawn({
            let conn = Arc::clone(&conn);
            move || {
                assert_eq!(conn.outbox.push(frame("a"), Promise::Owner), Pushed::Queued);
                assert_eq!(conn.outbox.push(frame("b"), Promise::Owner), Pushed::Queued);
            }
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
        // A frame takes two writes.
        let pipe = Pipe::new(2);
        let conn = conn(1, &pipe);
        let publisher = thread::spawn({
            let conn = Arc::clone(&conn);
            move || {
                conn.outbox.push(frame("a"), Promise::Caller);
                conn.outbox.flush();
            }
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
                    conn.outbox.push(frame(letter), Promise::Caller);
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
        let place = |letter| written.find(letter).unwrap();
        assert!(written.len() == 4 && place('a') < place('b') && place('c') < place('d'), "{written}");
    });
}

#[test]
fn the_owner_writes_past_an_empty_queue_without_taking_the_sink() {
    check(|| {
        let pipe = Pipe::new(100);
        let conn = conn(1, &pipe);
        let publisher = thread::spawn({
            let conn = Arc::clone(&conn);
            move || {
                for letter in ["a", "b"] {
                    conn.outbox.push(frame(letter), Promise::Caller);
                    conn.outbox.flush();
                }
            }
        });
        let owner = Owner::new(&conn);
        owner.turn_with(|clear| {
            if clear {
                // `Pipe` fails if somebody else is writing.
                pipe.try_write(&[IoSlice::new(frame("o").wire())]).unwrap();
            } else {
                conn.outbox.push(frame("o"), Promise::Owner);
            }
        });
        publisher.join().unwrap();
        owner.settle();
        let written = letters(&pipe);
        assert!(["oab", "aob", "abo"].contains(&&*written), "{written}");
    });
}

#[test]
fn the_end_of_a_connection_drops_the_sink_whoever_has_it() {
    check(|| {
        let pipe = Pipe::new(100);
        let conn = conn(1, &pipe);
        let publisher = thread::spawn({
            let conn = Arc::clone(&conn);
            move || {
                conn.outbox.push(frame("a"), Promise::Caller);
                conn.outbox.flush();
                conn.outbox.push(frame("b"), Promise::Caller);
                conn.outbox.flush();
            }
        });
        conn.outbox.detach();
        let before = pipe.written().len();
        publisher.join().unwrap();
        // At most the write that had begun.
        assert!(pipe.written().len() <= before + 3);
        conn.outbox.push(frame("c"), Promise::Caller);
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
        let conn = Arc::new(AnyConn { id: 1, outbox, place: AtomicUsize::new(GONE) });
        for letter in ["a", "b"] {
            conn.outbox.push(frame(letter), Promise::Caller);
        }
        let writer = thread::spawn({
            let conn = Arc::clone(&conn);
            move || conn.outbox.flush()
        });
        let pushed = ["c", "d", "e", "f"].map(|letter| conn.outbox.push_anyway(frame(letter), Promise::Owner));
        writer.join().unwrap();
        assert!(pushed.contains(&Pushed::Closed) == conn.outbox.is_closed());
        let owner = Owner::new(&conn);
        owner.turn(|| {});
        owner.turn(|| conn.outbox.push_close(frame("!")));
        let written = letters(&pipe);
        assert!("abcdef!".starts_with(&written[..written.len() - 1]) && written.ends_with('!'), "{written}");
    });
}

/// Queues a frame that may be lost, as topics do.
fn push_marked(outbox: &Outbox<Pipe>, letter: &str, mark: &Arc<Mark>) {
    if outbox.push_marked(frame(letter), mark, Promise::Caller) == Pushed::Full {
        outbox.flush();
        outbox.push_dropping(frame(letter), mark, |_| Some(frame("-")), Promise::Owner);
    }
    outbox.flush();
}

#[test]
fn what_takes_an_older_frames_place_is_written_and_nothing_twice() {
    check(|| {
        let pipe = Pipe::new(100);
        let conn = conn(1, &pipe);
        let mark = Arc::new(Mark::new("t", Some("key".into()), false));
        let publisher = thread::spawn({
            let conn = Arc::clone(&conn);
            move || ["a", "b"].map(|letter| push_marked(&conn.outbox, letter, &mark))
        });
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
fn what_is_dropped_while_another_writes_is_told() {
    check_some(3, || {
        // A frame takes two writes.
        let pipe = Pipe::new(2);
        let outbox = outbox(2 * frame("a").cost());
        outbox.attach(pipe.clone());
        let conn = Arc::new(AnyConn { id: 1, outbox, place: AtomicUsize::new(GONE) });
        let mark = Arc::new(Mark::new("t", None, true));
        push_marked(&conn.outbox, "a", &mark);
        let publisher = thread::spawn({
            let conn = Arc::clone(&conn);
            move || ["b", "c", "d"].map(|letter| push_marked(&conn.outbox, letter, &mark))
        });
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

#[test]
fn a_publisher_that_is_a_member_does_not_wait_for_itself() {
    check(|| {
        let pipes = [Pipe::new(100), Pipe::new(100)];
        let topic = Arc::new(Topic::new("t"));
        let conns = [conn(1, &pipes[0]), conn(2, &pipes[1])];
        for conn in &conns {
            topic.insert(Arc::clone(conn), None);
        }
        let member = |index: usize, letter: &'static str| {
            let (owner, topic) = (Owner::new(&conns[index]), Arc::clone(&topic));
            move || {
                owner.turn(|| {
                    topic.push(&frame(letter), None, usize::MAX);
                    topic.flush();
                });
                owner
            }
        };
        let other = thread::spawn(member(1, "b"));
        let owner = member(0, "a")();
        let other = other.join().unwrap();
        owner.settle();
        other.settle();
        let written = pipes.each_ref().map(letters);
        // The topic has one order.
        assert!(written[0] == written[1] && written[0].len() == 2, "{written:?}");
    });
}

#[test]
fn nothing_of_a_topic_comes_after_unsubscribing() {
    check(|| {
        let pipe = Pipe::new(100);
        let topic = Arc::new(Topic::new("t"));
        let conn = conn(1, &pipe);
        let key = topic.insert(Arc::clone(&conn), None);
        let publisher = thread::spawn({
            let topic = Arc::clone(&topic);
            move || {
                topic.push(&frame("a"), None, usize::MAX);
                topic.flush();
                topic.push(&frame("b"), None, usize::MAX);
                topic.flush();
            }
        });
        let owner = Owner::new(&conn);
        owner.turn(|| {
            topic.remove(key).finish();
            conn.outbox.push(frame("!"), Promise::Owner);
        });
        publisher.join().unwrap();
        owner.settle();
        let written = letters(&pipe);
        assert!(["!", "a!", "ab!"].contains(&&*written), "{written}");
    });
}

#[test]
fn what_was_published_while_others_were_written_to_is_written_too() {
    check(|| {
        let pipe = Pipe::new(100);
        let topic = Arc::new(Topic::new("t"));
        topic.insert(conn(1, &pipe), None);
        let publish = |letter: &'static str| {
            let topic = Arc::clone(&topic);
            move || {
                topic.push(&frame(letter), None, usize::MAX);
                topic.flush();
            }
        };
        let other = thread::spawn(publish("a"));
        publish("b")();
        other.join().unwrap();
        assert_eq!(letters(&pipe).len(), 2);
    });
}

#[test]
fn what_was_published_to_one_that_another_unsubscribes_is_written() {
    check(|| {
        let pipe = Pipe::new(100);
        let topic = Arc::new(Topic::new("t"));
        let conn = conn(1, &pipe);
        let key = topic.insert(Arc::clone(&conn), None);
        let other = thread::spawn({
            let topic = Arc::clone(&topic);
            move || topic.remove(key).finish()
        });
        topic.push(&frame("a"), None, usize::MAX);
        topic.flush();
        other.join().unwrap();
        // Nobody else is going to write it.
        assert_eq!(conn.outbox.buffered(), 0);
    });
}

#[test]
fn what_was_published_to_one_that_leaves_is_written_when_nothing_is_locked() {
    check(|| {
        let pipe = Pipe::new(100);
        let topic = Arc::new(Topic::new("t"));
        let conn = conn(1, &pipe);
        let key = topic.insert(Arc::clone(&conn), None);
        topic.push(&frame("a"), None, usize::MAX);
        let removed = topic.remove(key);
        assert_eq!(letters(&pipe), "");
        removed.finish();
        assert_eq!(letters(&pipe), "a");
    });
}
