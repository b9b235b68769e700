//! Futures that are polled after completion panic, as is usual, instead of being pending for ever.

use futures_util::FutureExt as _;

use crate::{
    Config,
    hub::{Hub, testing::conn},
    ws_message,
};

#[ws_message("NOTE", crate = crate)]
struct Note {}

/// Polls once more after completion, so that a future that is pending then fails the test at once.
fn poll_again<T>(mut future: impl Future<Output = T> + Unpin) {
    while (&mut future).now_or_never().is_none() {}
    _ = future.now_or_never();
}

#[test]
#[should_panic(expected = "`PublishFuture` polled after completion")]
fn a_publish() {
    poll_again(Hub::new().publish("t", Note {}).into_future());
}

#[test]
#[should_panic(expected = "`TopicFuture` polled after completion")]
fn a_subscription() {
    let (conn, _inner) = conn(&Hub::new(), Config::new());
    poll_again(conn.subscribe("t").into_future());
}

#[test]
#[should_panic(expected = "`TopicFuture` polled after completion")]
fn a_change_of_several_subscriptions() {
    let (conn, _inner) = conn(&Hub::new(), Config::new());
    poll_again(conn.set_topics(["t", "u"]).into_future());
}
