//! Publishers and members of a topic.

use std::sync::Arc;

use loom::thread;

use super::*;
use crate::{fanout::Flush as _, outbox::FlushBy};

#[test]
fn a_publisher_that_is_a_member_does_not_wait_for_itself() {
    check(|| {
        let pipes = [Pipe::new(100), Pipe::new(100)];
        let topic = Arc::new(Topic::new("t".into(), None));
        let conns = [conn(1, &pipes[0]), conn(2, &pipes[1])];
        for conn in &conns {
            topic.insert(Arc::clone(conn), None);
        }
        let member = |index: usize, letter: &'static str| {
            let (owner, topic) = (Owner::new(&conns[index]), Arc::clone(&topic));
            move || {
                owner.turn(|| {
                    topic.push(&frame(letter), None, usize::MAX);
                    Arc::clone(&topic).flush();
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
        // All members see the same order.
        assert!(written[0] == written[1] && written[0].len() == 2, "{written:?}");
    });
}

#[test]
fn nothing_arrives_after_unsubscribing() {
    check(|| {
        let pipe = Pipe::new(100);
        let topic = Arc::new(Topic::new("t".into(), None));
        let conn = conn(1, &pipe);
        let key = topic.insert(Arc::clone(&conn), None);
        let publisher = thread::spawn({
            let topic = Arc::clone(&topic);
            move || {
                topic.push(&frame("a"), None, usize::MAX);
                Arc::clone(&topic).flush();
                topic.push(&frame("b"), None, usize::MAX);
                Arc::clone(&topic).flush();
            }
        });
        let owner = Owner::new(&conn);
        owner.turn(|| {
            topic.remove(key).finish();
            conn.outbox.push(frame("!"), FlushBy::Owner);
        });
        publisher.join().unwrap();
        owner.settle();
        let written = letters(&pipe);
        assert!(["!", "a!", "ab!"].contains(&&*written), "{written}");
    });
}

#[test]
fn frames_published_during_a_flush_are_written() {
    check(|| {
        let pipe = Pipe::new(100);
        let topic = Arc::new(Topic::new("t".into(), None));
        topic.insert(conn(1, &pipe), None);
        let publish = |letter: &'static str| {
            let topic = Arc::clone(&topic);
            move || {
                topic.push(&frame(letter), None, usize::MAX);
                Arc::clone(&topic).flush();
            }
        };
        let other = thread::spawn(publish("a"));
        publish("b")();
        other.join().unwrap();
        assert_eq!(letters(&pipe).len(), 2);
    });
}

#[test]
fn frames_published_to_a_member_being_removed_are_written() {
    check(|| {
        let pipe = Pipe::new(100);
        let topic = Arc::new(Topic::new("t".into(), None));
        let conn = conn(1, &pipe);
        let key = topic.insert(Arc::clone(&conn), None);
        let other = thread::spawn({
            let topic = Arc::clone(&topic);
            move || topic.remove(key).finish()
        });
        topic.push(&frame("a"), None, usize::MAX);
        Arc::clone(&topic).flush();
        other.join().unwrap();
        // No other thread will write.
        assert_eq!(conn.outbox.buffered(), 0);
    });
}

#[test]
fn frames_published_to_a_removed_member_are_written_after_the_lock_is_released() {
    check(|| {
        let pipe = Pipe::new(100);
        let topic = Arc::new(Topic::new("t".into(), None));
        let conn = conn(1, &pipe);
        let key = topic.insert(Arc::clone(&conn), None);
        topic.push(&frame("a"), None, usize::MAX);
        let removed = topic.remove(key);
        assert_eq!(letters(&pipe), "");
        removed.finish();
        assert_eq!(letters(&pipe), "a");
    });
}
