//! Members whose key changes because others leave.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use loom::thread;

use super::{GONE, Member, Pipe, Topic, check, check_some, conn, frame, join, letters};
use crate::{
    fanout::{Flush as _, IterGuard, Reached},
    wire::Frame,
};

/// Creates a topic of six slots of which only the first and the last are occupied: when the first
/// member leaves, the last one moves. Returns both members and their pipes.
fn topic_with_room() -> (Arc<Topic>, [Arc<Member>; 2], [Pipe; 2]) {
    let topic = Arc::new(Topic::new("t".into(), None));
    let pipes = [Pipe::new(100), Pipe::new(100)];
    let [leaves, moves] = [0, 1].map(|index| conn(u32::try_from(index).unwrap(), &pipes[index]));
    let others = conn(2, &Pipe::new(100));
    join(&topic, &leaves);
    let keys = [(); 4].map(|()| topic.insert(Arc::clone(&others), None));
    join(&topic, &moves);
    keys.into_iter().for_each(|key| topic.remove(key).finish());
    assert_eq!(moves.key.load(SeqCst), 5);
    (topic, [leaves, moves], pipes)
}

/// Publishes in chunks, as in very large topics.
fn push_in_chunks(topic: &Topic, frame: &Frame) {
    let guard = IterGuard::begin(topic);
    let (mut next, mut reached) = (Some(0), Reached::default());
    while let Some(start) = next {
        next = guard.push_chunk(frame, None, u64::MAX, start, &mut reached);
    }
}

/// Unsubscribes a member.
fn leave(topic: &Topic, conn: &Member) {
    topic.remove(conn.key.swap(GONE, SeqCst)).finish();
}

#[test]
fn a_member_that_moves_gets_every_frame_once() {
    static MOVED: AtomicBool = AtomicBool::new(false);
    check(|| {
        let (topic, [leaves, moves], pipes) = topic_with_room();
        let other = thread::spawn({
            let topic = Arc::clone(&topic);
            move || leave(&topic, &leaves)
        });
        topic.push(&frame("a"), None, usize::MAX);
        Arc::clone(&topic).flush();
        topic.push(&frame("b"), None, usize::MAX);
        Arc::clone(&topic).flush();
        other.join().unwrap();
        // Everything was flushed: no other thread will write.
        assert_eq!(letters(&pipes[1]), "ab");
        assert!(["", "a", "ab"].contains(&&*letters(&pipes[0])));
        MOVED.fetch_or(moves.key.load(SeqCst) < 5, SeqCst);
    });
    assert!(MOVED.load(SeqCst), "the member moves in no interleaving");
}

#[test]
fn a_publish_in_chunks_does_not_miss_a_member_that_moves() {
    check(|| {
        let (topic, [leaves, _], pipes) = topic_with_room();
        let other = thread::spawn({
            let topic = Arc::clone(&topic);
            move || leave(&topic, &leaves)
        });
        push_in_chunks(&topic, &frame("a"));
        Arc::clone(&topic).flush();
        other.join().unwrap();
        assert_eq!(letters(&pipes[1]), "a");
    });
}

#[test]
fn a_member_that_leaves_while_it_moves_is_removed() {
    check_some(3, || {
        let (topic, [leaves, moves], pipes) = topic_with_room();
        let other = thread::spawn({
            let topic = Arc::clone(&topic);
            move || leave(&topic, &leaves)
        });
        leave(&topic, &moves);
        topic.push(&frame("a"), None, usize::MAX);
        Arc::clone(&topic).flush();
        other.join().unwrap();
        assert_eq!(letters(&pipes[1]), "");
        topic.push(&frame("b"), None, usize::MAX);
        Arc::clone(&topic).flush();
        assert_eq!(pipes.each_ref().map(letters)[1], "");
    });
}
