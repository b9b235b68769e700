//! Who receives what, and in which order.

use bytes::Bytes;

use crate::{
    broker::Channel,
    conformance::{
        Target,
        node::{Node, topic},
    },
};

/// A message reaches each subscribed node once, the publisher included, and no other node.
pub async fn messages_reach_all_subscribers_and_no_others(target: &impl Target) {
    let (a, b, c) = (Node::start(target).await, Node::start(target).await, Node::start(target).await);
    let room = topic("room:1");
    a.subscribe(&room).await;
    b.subscribe(&room).await;
    a.publish(&room, "from a").await;
    b.publish(&room, "from b").await;
    c.publish(&room, "from c").await;
    for node in [&a, &b] {
        node.hears(&room, 3).await;
        let mut messages = node.messages(&room);
        messages.sort();
        assert_eq!(messages, ["from a", "from b", "from c"], "each message arrives once");
    }
    // By the order of one publisher's messages, what came before would be there when this is.
    c.subscribe(&room).await;
    c.publish(&room, "end").await;
    c.hears(&room, 1).await;
    assert_eq!(c.messages(&room), ["end"], "a node without a subscription receives nothing");
}

/// Messages of one node on one channel arrive in the order of the calls, on each node, without one missing.
pub async fn order_is_kept_for_each_publisher_and_channel(target: &impl Target) {
    const MESSAGES: usize = 500;
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    let rooms = [topic("order:1"), topic("order:2")];
    for node in [&a, &b] {
        node.subscribe_all(&rooms).await;
    }
    let messages = |from: &'static str| {
        let rooms = rooms.clone();
        (0..MESSAGES).flat_map(move |n| rooms.clone().map(|room| (room, Bytes::from(format!("{from} {n}")))))
    };
    // Alternating, so that both publish at the same time without a runtime's tasks.
    let both: Vec<_> = messages("a").zip(messages("b")).collect();
    for portion in both.chunks(50) {
        let publish =
            |node: &Node<'_, _>, (channel, message): &(Channel, Bytes)| node.broker.publish(channel, message.clone());
        let waiting: Vec<_> =
            portion.iter().flat_map(|(from_a, from_b)| [publish(&a, from_a), publish(&b, from_b)]).collect();
        for operation in waiting {
            a.ok("a publish is accepted", operation).await;
        }
    }
    for node in [&a, &b] {
        for room in &rooms {
            node.hears(room, 2 * MESSAGES).await;
            for from in ["a", "b"] {
                let heard: Vec<_> =
                    node.messages(room).into_iter().filter(|message| message.starts_with(from.as_bytes())).collect();
                let sent: Vec<_> = (0..MESSAGES).map(|n| Bytes::from(format!("{from} {n}"))).collect();
                assert!(heard == sent, "the messages of {from} in {room} arrive in order, each once");
            }
        }
    }
}

/// A publish takes place in the order of the calls even if its future is dropped at once.
pub async fn publishing_needs_no_polling(target: &impl Target) {
    const MESSAGES: usize = 20;
    let node = Node::start(target).await;
    let room = topic("unconfirmed");
    node.subscribe(&room).await;
    for n in 0..MESSAGES {
        drop(node.broker.publish(&room, format!("{n}").into()));
    }
    node.publish(&room, "end").await;
    node.hears(&room, MESSAGES + 1).await;
    let sent: Vec<_> = (0..MESSAGES).map(|n| Bytes::from(format!("{n}"))).chain(["end".into()]).collect();
    assert_eq!(node.messages(&room), sent, "a dropped future does not withdraw its message");
}

/// Messages are bytes: also none, zeros, line ends, and what is not UTF-8.
pub async fn bytes_arrive_unchanged(target: &impl Target) {
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    let room = topic("binary");
    b.subscribe(&room).await;
    let all: Vec<u8> = (0..=255).collect();
    let messages: Vec<Bytes> = [&all[..], b"", b"\0", b"\r\n", b"PING\r\n", b"*1\r\n$4\r\nPING\r\n", b"\xff\xfe"]
        .map(Bytes::copy_from_slice)
        .into();
    a.publish_all(messages.iter().map(|message| (room.clone(), message.clone()))).await;
    b.hears(&room, messages.len()).await;
    assert_eq!(b.messages(&room), messages, "messages arrive unchanged");
}

/// Messages of [`Target::large_message_bytes`] arrive, between small ones, in order.
pub async fn large_messages_arrive(target: &impl Target) {
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    let room = topic("large");
    b.subscribe(&room).await;
    let large: Vec<u8> = (0..target.large_message_bytes()).map(|n| (n % 251) as u8).collect();
    let messages: Vec<Bytes> =
        vec!["before".into(), large.clone().into(), "between".into(), large.into(), "after".into()];
    a.publish_all(messages.iter().map(|message| (room.clone(), message.clone()))).await;
    b.hears(&room, messages.len()).await;
    assert!(b.messages(&room) == messages, "large messages arrive unchanged and in order");
}
