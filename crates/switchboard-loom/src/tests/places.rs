//! Members that get another place because others have left.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use loom::thread;

use super::{check, check_some, conn, frame, letters};
use crate::{
    conn::{AnyConn, GONE},
    hub::Topic,
    transport::Pipe,
};

/// A topic of six places of which only the first and the last are taken: when the first leaves, the
/// last moves. Both members, and what is written to them.
fn topic_with_room() -> (Arc<Topic>, [Arc<AnyConn>; 2], [Pipe; 2]) {
    let topic = Arc::new(Topic::new("t"));
    let pipes = [Pipe::new(100), Pipe::new(100)];
    let [leaves, moves] = [0, 1].map(|index| conn(u32::try_from(index).unwrap(), &pipes[index]));
    let others = conn(2, &Pipe::new(100));
    join(&topic, &leaves);
    let keys = [(); 4].map(|()| topic.insert(Arc::clone(&others), None));
    join(&topic, &moves);
    keys.into_iter().for_each(|key| topic.remove(key).finish());
    assert_eq!(moves.place.load(SeqCst), 5);
    (topic, [leaves, moves], pipes)
}

fn join(topic: &Topic, conn: &Arc<AnyConn>) {
    conn.place.store(topic.insert(Arc::clone(conn), None), SeqCst);
}

/// As subscriptions end.
fn leave(topic: &Topic, conn: &AnyConn) {
    topic.remove(conn.place.swap(GONE, SeqCst)).finish();
}

#[test]
fn a_member_that_moves_gets_all_and_once() {
    static MOVED: AtomicBool = AtomicBool::new(false);
    check(|| {
        let (topic, [leaves, moves], pipes) = topic_with_room();
        let other = thread::spawn({
            let topic = Arc::clone(&topic);
            move || leave(&topic, &leaves)
        });
        topic.push(&frame("a"), None, usize::MAX);
        topic.flush();
        topic.push(&frame("b"), None, usize::MAX);
        topic.flush();
        other.join().unwrap();
        // Nobody else is going to write it.
        assert_eq!(letters(&pipes[1]), "ab");
        assert!(["", "a", "ab"].contains(&&*letters(&pipes[0])));
        MOVED.fetch_or(moves.place.load(SeqCst) < 5, SeqCst);
    });
    assert!(MOVED.load(SeqCst), "it moves in some order");
}

#[test]
fn a_member_that_moves_is_met_by_who_goes_in_portions() {
    check(|| {
        let (topic, [leaves, _], pipes) = topic_with_room();
        let other = thread::spawn({
            let topic = Arc::clone(&topic);
            move || leave(&topic, &leaves)
        });
        topic.push_in_portions(&frame("a"));
        topic.flush();
        other.join().unwrap();
        assert_eq!(letters(&pipes[1]), "a");
    });
}

#[test]
fn who_leaves_while_it_is_to_move_leaves() {
    check_some(3, || {
        let (topic, [leaves, moves], pipes) = topic_with_room();
        let other = thread::spawn({
            let topic = Arc::clone(&topic);
            move || leave(&topic, &leaves)
        });
        leave(&topic, &moves);
        topic.push(&frame("a"), None, usize::MAX);
        topic.flush();
        other.join().unwrap();
        assert_eq!(letters(&pipes[1]), "");
        topic.push(&frame("b"), None, usize::MAX);
        topic.flush();
        assert_eq!(pipes.each_ref().map(letters)[1], "");
    });
}
