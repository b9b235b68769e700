//! Changes of more topics than one portion.

use std::{
    future::{Future as _, IntoFuture as _},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};

use super::PORTION;
use crate::{
    Config, Conn, Hub, TopicOptions,
    conn::AnyConn,
    hub::testing::{conn, member},
};

const LARGE: usize = 4 * PORTION;

fn topics(prefix: &str) -> Vec<String> {
    (0..LARGE).map(|n| format!("{prefix}:{n}")).collect()
}

fn connected() -> (Hub, Conn, Arc<AnyConn>) {
    let hub = Hub::builder().topic("full:*", TopicOptions::new().max_members(1)).build();
    let (conn, inner) = conn(&hub, Config::new().max_subscriptions(2 * LARGE));
    (hub, conn, inner)
}

/// Polls `set_topics` until it has left some topics, but not all.
fn half_done(conn: &Conn, check: impl FnOnce(&Conn)) {
    let mut change = pin!(conn.set_topics(topics("new")).into_future());
    let mut cx = Context::from_waker(Waker::noop());
    while conn.topics().len() != 2 * LARGE - PORTION {
        assert!(change.as_mut().poll(&mut cx).is_pending());
    }
    check(conn);
}

#[tokio::test]
async fn other_tasks_run_between_the_portions() {
    let (_hub, conn, _inner) = connected();
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&turns);
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let change = conn.set_topics(topics("old")).await.unwrap();
    assert_eq!((change.joined, change.left), (topics("old"), vec![]));
    assert!(turns.load(Relaxed) > 0, "before joining");
    let before = turns.load(Relaxed);
    let change = conn.set_topics(topics("new")).await.unwrap();
    assert_eq!((change.joined, change.left), (topics("new"), topics("old")));
    assert_eq!(conn.topics(), topics("new"));
    assert!(turns.load(Relaxed) >= before + LARGE / PORTION, "before joining, and between the portions to leave");
    let before = turns.load(Relaxed);
    assert_eq!(conn.clear_topics().await.unwrap().left, topics("new"));
    assert!(turns.load(Relaxed) >= before + LARGE / PORTION - 1);
    other.abort();
}

#[tokio::test]
async fn a_change_that_is_dropped_half_way_is_completed() {
    let (hub, conn, _inner) = connected();
    conn.set_topics(topics("old")).await.unwrap();
    half_done(&conn, |_| {});
    assert_eq!(conn.topics(), topics("new"));
    assert_eq!(hub.stats().subscriptions, LARGE);
    assert_eq!(hub.stats().topics, LARGE);
}

#[tokio::test]
async fn a_change_that_is_dropped_before_it_joins_changes_nothing() {
    let (_hub, conn, _inner) = connected();
    conn.set_topics(topics("old")).await.unwrap();
    {
        let mut change = pin!(conn.set_topics(topics("new")).into_future());
        assert!(change.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(conn.topics(), topics("old"));
    assert!(conn.subscribe("new:0").await.unwrap());
}

#[tokio::test]
async fn other_changes_wait_for_all_portions() {
    let (_hub, conn, _inner) = connected();
    conn.set_topics(topics("old")).await.unwrap();
    let last = format!("old:{}", LARGE - 1);
    let mut other = pin!(conn.subscribe(&last).into_future());
    half_done(&conn, |_| {
        let polled = other.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending), "the topic is about to be left");
    });
    assert!(other.await.unwrap(), "subscribed anew");
}

#[tokio::test]
async fn a_topic_that_fails_changes_nothing() {
    let (hub, conn, _inner) = connected();
    let mut full = topics("new");
    full.push("full:1".to_owned());
    conn.set_topics(topics("old")).await.unwrap();
    crate::hub::testing::join(&hub, &member(&hub), "full:1", None);
    let error = conn.set_topics(full).await.unwrap_err();
    assert_eq!(error.to_string(), "the topic `full:1` is full (limit 1)");
    assert_eq!(conn.topics(), topics("old"));
    assert_eq!(hub.stats().subscriptions, LARGE + 1);
}

#[tokio::test]
async fn the_end_of_the_connection_ends_a_change_half_way() {
    let (hub, conn, inner) = connected();
    conn.set_topics(topics("old")).await.unwrap();
    half_done(&conn, |_| hub.leave_all(&inner));
    assert_eq!(hub.stats().subscriptions, 0);
    assert_eq!(hub.stats().topics, 0);
}
