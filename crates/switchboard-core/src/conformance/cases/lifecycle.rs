//! Starting, reconnecting, slowness and the end.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    broker::{BrokerErrorKind, Channel, Channels, LinkEvent},
    conformance::{
        Target,
        listener::Recorded,
        node::{Node, node_id, topic},
    },
};

fn reports_restored(recorded: &Recorded, channels: &[Channel]) -> bool {
    let restored = |channel| {
        recorded.events.iter().any(|event| matches!(event, LinkEvent::Restored(restored) if restored.contains(channel)))
    };
    channels.iter().all(restored)
}

/// The first event is `Connected`, and a broker serves one node only.
pub async fn starting_twice_is_refused(target: &impl Target) {
    let node = Node::start(target).await;
    node.heard.wait(target, "the link is reported", |recorded| !recorded.events.is_empty()).await;
    assert_eq!(node.heard.lock().events, [LinkEvent::Connected]);
    let again = node.broker.start(node_id(), node.heard.clone());
    let error = node.result("the second start ends", again).await.expect_err("a second start is refused");
    assert_eq!(error.kind(), BrokerErrorKind::Rejected);
}

/// After a reconnect all channels are heard again without another call, and the report about it is true.
pub async fn a_reconnect_restores_all_channels(target: &impl Target) {
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    let channels: Vec<Channel> = (0..300).map(|n| topic(&format!("restored:{n}"))).collect();
    b.subscribe_all(&channels).await;
    b.heard.lock().events.clear();
    b.broker.reconnect();
    b.heard
        .wait(target, "all channels are reported as restored", |recorded| reports_restored(recorded, &channels))
        .await;
    let events = b.heard.lock().events.clone();
    let order = [
        events.iter().position(|event| matches!(event, LinkEvent::Disconnected { .. })),
        events.iter().position(|event| *event == LinkEvent::Connected),
        events.iter().position(|event| matches!(event, LinkEvent::Restored(_))),
    ];
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "disconnected, connected, restored: {events:?}");
    a.publish_all(channels.iter().map(|channel| (channel.clone(), "again".into()))).await;
    for channel in &channels {
        b.hears(channel, 1).await;
        assert_eq!(b.messages(channel), ["again"], "a restored channel is heard, once");
    }
    b.publish_when_possible(&channels[0], &"own".into()).await;
    b.hears(&channels[0], 2).await;
}

/// A channel that is left while the link is down is not restored.
pub async fn a_channel_left_during_a_reconnect_stays_left(target: &impl Target) {
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    let (stays, goes) = (topic("stays"), topic("goes"));
    b.subscribe_all(&[stays.clone(), goes.clone()]).await;
    b.heard.lock().events.clear();
    b.broker.reconnect();
    // It may fail, and counts all the same.
    let _ = b.result("the end of a subscription is answered", b.broker.unsubscribe(&goes)).await;
    let stays_restored = |recorded: &Recorded| reports_restored(recorded, std::slice::from_ref(&stays));
    b.heard.wait(target, "the other channel is reported as restored", stays_restored).await;
    a.publish(&goes, "missed").await;
    a.publish(&stays, "heard").await;
    b.hears(&stays, 1).await;
    b.subscribe(&goes).await;
    a.publish(&goes, "heard").await;
    b.hears(&goes, 1).await;
    assert_eq!(b.messages(&goes), ["heard"], "a channel that was left is not restored");
}

/// What a slow sink does not get is reported as dropped, or as a lost link.
pub async fn a_slow_sink_loses_nothing_silently(target: &impl Target) {
    const MESSAGES: usize = 300;
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    let room = topic("slow");
    b.subscribe(&room).await;
    b.heard.set_slowness(Duration::from_millis(2));
    a.publish_all((0..MESSAGES).map(|n| (room.clone(), Bytes::from(format!("{n:04}"))))).await;
    b.heard.set_slowness(Duration::ZERO);
    // The end may be lost, too, so it is repeated until it arrives.
    let end = Bytes::from("end");
    let mut rounds = 0;
    while b.messages(&room).last() != Some(&end) {
        assert!(rounds < 1000, "messages arrive when the sink is fast again");
        rounds += 1;
        a.publish(&room, end.clone()).await;
        target.sleep(Duration::from_millis(10)).await;
    }
    let heard: Vec<_> = b.messages(&room).into_iter().filter(|message| *message != end).collect();
    assert!(heard.is_sorted_by(|one, next| one < next), "what arrives is in order, each once");
    let told = b.heard.lock().events.iter().any(|event| match event {
        LinkEvent::Dropped(channels) | LinkEvent::Interrupted(channels) => channels.contains(&room),
        LinkEvent::Disconnected { .. } => true,
        _ => false,
    });
    assert!(
        told || heard.len() == MESSAGES,
        "{} of {MESSAGES} messages arrived, and no loss was reported",
        heard.len()
    );
}

/// After the end nothing reaches the sink and every operation fails, and other nodes go on.
pub async fn shutdown_ends_everything(target: &impl Target) {
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    let room = topic("end");
    a.subscribe(&room).await;
    b.subscribe(&room).await;
    a.publish(&room, "1").await;
    b.hears(&room, 1).await;
    b.ok("the broker ends", b.broker.shutdown()).await;
    let (messages, events) = (b.messages(&room).len(), b.heard.lock().events.len());
    a.publish(&room, "2").await;
    a.hears(&room, 2).await;
    b.broker.reconnect();
    let operations = [
        ("publish", b.broker.publish(&room, "3".into())),
        ("subscribe", b.broker.subscribe(&room)),
        ("unsubscribe", b.broker.unsubscribe(&room)),
        ("start", b.broker.start(node_id(), b.heard.clone())),
    ];
    for (name, operation) in operations {
        let error = b.result(name, operation).await.expect_err("operations fail after the end");
        assert_eq!(error.kind(), BrokerErrorKind::Closed, "{name}: {error}");
    }
    assert_eq!(b.messages(&room).len(), messages, "no message arrives after the end");
    assert_eq!(b.heard.lock().events.len(), events, "nothing is reported after the end");
    let restored = |event: &LinkEvent| matches!(event, LinkEvent::Restored(Channels::All));
    assert!(!a.heard.lock().events.iter().any(restored), "the other node's link was not touched");
}
