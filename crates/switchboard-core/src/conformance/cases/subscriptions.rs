//! When a subscription begins and ends.

use bytes::Bytes;

use crate::{
    broker::Channel,
    conformance::{
        Target,
        node::{Node, topic},
    },
};

/// What is published after a subscription was confirmed arrives, also from another node at once.
pub async fn a_confirmed_subscription_hears_the_next_message(target: &impl Target) {
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    for n in 0..100 {
        let room = topic(&format!("next:{n}"));
        b.subscribe(&room).await;
        a.publish(&room, "first").await;
        b.hears(&room, 1).await;
    }
}

/// When the end of a subscription was confirmed, nothing of it arrives any more, and a new one does not deliver what
/// was published meanwhile.
pub async fn nothing_arrives_after_unsubscribing(target: &impl Target) {
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    let room = topic("left");
    b.unsubscribe(&room).await;
    for n in 0..30 {
        b.subscribe(&room).await;
        a.publish(&room, format!("{n}")).await;
        b.hears(&room, n + 1).await;
        // Sent before the end of the subscription is, so that some are on their way.
        let waiting: Vec<_> = (0..5).map(|_| a.broker.publish(&room, "on the way".into())).collect();
        b.unsubscribe(&room).await;
        let at_the_end = b.messages(&room).len();
        for operation in waiting {
            a.ok("a publish is accepted", operation).await;
        }
        a.publish(&room, "missed").await;
        assert_eq!(b.messages(&room).len(), at_the_end, "nothing arrives after unsubscribing");
        b.heard.forget(&room, n + 1);
    }
    b.subscribe(&room).await;
    a.publish(&room, "end").await;
    b.heard
        .wait(target, "the last message arrives", |recorded| recorded.of(&room).last().is_some_and(|m| m == "end"))
        .await;
    assert!(!b.messages(&room).contains(&Bytes::from("missed")), "what was published meanwhile is not delivered later");
}

/// Subscribing to a channel again is confirmed, and delivers nothing twice.
pub async fn subscribing_again_does_not_duplicate(target: &impl Target) {
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    let room = topic("again");
    for _ in 0..3 {
        b.subscribe(&room).await;
    }
    a.publish_all(["1", "2", "3"].map(|message| (room.clone(), message.into()))).await;
    b.hears(&room, 3).await;
    assert_eq!(b.messages(&room), ["1", "2", "3"], "each message arrives once");
    b.unsubscribe(&room).await;
    a.publish(&room, "missed").await;
    b.subscribe(&room).await;
    a.publish(&room, "4").await;
    b.hears(&room, 4).await;
    assert_eq!(b.messages(&room), ["1", "2", "3", "4"], "one end is enough for several beginnings");
}

/// Of joins and leaves of one channel that are queued at once, the last counts.
pub async fn the_last_of_joins_and_leaves_counts(target: &impl Target) {
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    for n in 0..20 {
        let (stays, goes) = (topic(&format!("stays:{n}")), topic(&format!("goes:{n}")));
        let mut waiting = Vec::new();
        for _ in 0..3 {
            waiting.extend([b.broker.subscribe(&stays), b.broker.subscribe(&goes)]);
            waiting.extend([b.broker.unsubscribe(&stays), b.broker.unsubscribe(&goes)]);
        }
        waiting.push(b.broker.subscribe(&stays));
        for operation in waiting {
            b.ok("a join or leave is confirmed", operation).await;
        }
        a.publish(&goes, "missed").await;
        a.publish(&stays, "heard").await;
        b.hears(&stays, 1).await;
        b.subscribe(&goes).await;
        a.publish(&goes, "heard").await;
        b.hears(&goes, 1).await;
        assert_eq!(b.messages(&stays), ["heard"], "the last operation was a join");
        assert_eq!(b.messages(&goes), ["heard"], "the last operation was a leave");
    }
}

/// Two thousand channels are joined, heard, and left.
pub async fn many_channels_are_served(target: &impl Target) {
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    let channels: Vec<Channel> = (0..2000).map(|n| topic(&format!("many:{n}"))).collect();
    b.subscribe_all(&channels).await;
    a.publish_all(channels.iter().map(|channel| (channel.clone(), channel.to_string().into()))).await;
    b.heard.wait(target, "one message of each channel arrives", |recorded| recorded.total() >= channels.len()).await;
    for channel in &channels {
        assert_eq!(b.messages(channel), [channel.to_string()], "each channel has its message");
    }
    for channel in &channels {
        b.unsubscribe(channel).await;
    }
    b.subscribe(&channels[0]).await;
    a.publish_all(channels.iter().rev().map(|channel| (channel.clone(), "again".into()))).await;
    b.hears(&channels[0], 2).await;
    assert_eq!(b.heard.lock().total(), channels.len() + 1, "channels that were left are quiet");
}
