//! No channel is a pattern, and none is another.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::{
    broker::Channel,
    check_topic,
    conformance::{
        Target,
        node::{Node, node_id, topic},
    },
};

/// Every legal name of a topic is a channel of its own, whatever its characters mean to the broker.
pub async fn channels_are_exact(target: &impl Target) {
    let mut names: BTreeSet<String> = (1_u8..128).map(|byte| char::from(byte).to_string()).collect();
    for name in [
        "a.b",
        "a.",
        ".a",
        "a..b",
        ".",
        "..",
        "a/b",
        "a//b",
        "/a",
        "a\\b",
        "a,b",
        "a;b",
        "a'b",
        "a\"b",
        // Patterns, hash tags and escapes of brokers.
        "a?",
        "[ab]",
        "[^a]",
        "{a}",
        "{}",
        "{a}b",
        "{{a}}",
        "}a{",
        "%2A",
        "%2a",
        "%",
        "%25",
        "%2E",
        "a%00b",
        "$SYS.x",
        "_INBOX.x",
        "$JS.API",
        "__keyspace@0__:a",
        "t:a",
        "u:a",
        "n:a",
        "all",
        "=41",
        "=2E",
        "\u{fe0f}",
        "\u{200b}",
        // Not equal, although similar.
        "Room",
        "room",
        "ROOM",
        "\u{e9}",
        "e\u{301}",
        "ﬁ",
        "fi",
        "комната",
        "комната:1",
        "部屋",
        "🚪",
        "👩‍👩‍👧",
        "ß",
        "ss",
    ] {
        names.insert(name.to_owned());
    }
    for length in [2, 3, 127, 128] {
        names.insert("x".repeat(length));
        names.insert("%".repeat(length));
        names.insert(".".repeat(length));
    }
    names.insert("🚪".repeat(32));
    let channels: Vec<Channel> =
        names.iter().filter(|name| check_topic(name).is_ok()).map(|name| topic(name)).collect();
    each_hears_its_own(target, &channels).await;
}

/// Topics, users, inboxes and the channel of all nodes are apart, also if their names are the same.
pub async fn kinds_of_channels_are_apart(target: &impl Target) {
    let (first, second) = (node_id(), node_id());
    let mut channels = vec![Channel::AllNodes, Channel::Node(first), Channel::Node(second)];
    for key in
        ["all", "a", "t:a", "u:a", "n:a", "a b", "*", ">", "a.*", "a\0b", "a\r\nb", " ", "\u{85}", &"ß".repeat(128)]
    {
        channels.push(Channel::user(key).unwrap_or_else(|error| panic!("`{key}`: {error}")));
        channels.extend(Channel::topic(key));
    }
    channels.extend(Channel::topic(&first.to_string()));
    channels.extend(Channel::user(&first.to_string()));
    each_hears_its_own(target, &channels).await;
}

/// Publishes two rounds of one message to each channel. After the second, all of the first must have arrived.
async fn each_hears_its_own(target: &impl Target, channels: &[Channel]) {
    let (a, b) = (Node::start(target).await, Node::start(target).await);
    b.subscribe_all(channels).await;
    for round in [1, 2] {
        let message = |channel: &Channel| (channel.clone(), Bytes::from(format!("{round} {channel}")));
        a.publish_all(channels.iter().map(message)).await;
        for channel in channels {
            b.hears(channel, round).await;
        }
    }
    for channel in channels {
        let expected = [format!("1 {channel}"), format!("2 {channel}")];
        assert_eq!(b.messages(channel), expected, "`{channel}` has its own messages and no others");
    }
}
