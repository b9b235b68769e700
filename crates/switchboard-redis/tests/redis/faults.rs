//! What a node sees when its server fails.

use std::time::Duration;

use broker_servers::{Program, Server, adapter_cases, cases, topic};
use switchboard_core::broker::{Broker, Channel, LinkEvent};

use crate::setup::{Redis, builder, start};

adapter_cases!(
    Redis,
    redis_comes_back_empty_and_all_is_heard_again: Program::Redis,
    valkey_comes_back_empty_and_all_is_heard_again: Program::Valkey
);

#[tokio::test]
async fn a_client_that_is_killed_comes_back() {
    let server = Server::start(Program::Redis, &[]);
    let node = start(builder(&server)).await;
    let room = topic("room:1");
    node.broker.subscribe(&room).await.unwrap();
    for kind in ["pubsub", "normal"] {
        let restored = |event: &LinkEvent| matches!(event, LinkEvent::Restored(_));
        let before = node.heard.lock().count(restored);
        server.ask(&["CLIENT", "KILL", "TYPE", kind]);
        node.until("the room is restored", |heard| heard.count(restored) > before).await;
        node.publish_when_possible(&room, "heard").await;
        node.hears(&room, "heard").await;
        node.heard.lock().messages.clear();
    }
    let clients = server.ask(&["CLIENT", "LIST"]);
    let name = format!("name=switchboard-{}", broker_servers::NODE);
    assert_eq!(clients.text().matches(&name).count(), 2, "two connections with the node's name: {clients:?}");
}

/// A tenth of what is wanted, so that the tests stay quick. `measurements` has the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_channels_are_restored() {
    restore_many(10_000).await;
}

pub(crate) async fn restore_many(count: usize) -> Duration {
    let mut server = Server::start(Program::Redis, &[]);
    let node = start(builder(&server)).await;
    let all_known = async |server: &Server, channels: &[Channel]| {
        let reply = server.ask(&["PUBSUB", "CHANNELS"]);
        assert_eq!(reply.list().len(), channels.len(), "the server knows all of them");
    };
    cases::restores_many(&mut server, &node, count, all_known).await
}

#[tokio::test]
async fn a_broker_that_is_dropped_leaves_no_connection() {
    let server = Server::start(Program::Redis, &[]);
    let clients = || server.ask(&["CLIENT", "LIST"]).text().matches("name=switchboard-").count();
    let node = start(builder(&server)).await;
    cases::leaves_no_connection(node, clients, 2).await;
}

#[tokio::test]
async fn channels_that_are_left_while_they_are_restored_are_not_restored() {
    let mut server = Server::start(Program::Redis, &[]);
    let node = start(builder(&server)).await;
    let channels: Vec<Channel> = (0..5000).map(|n| topic(&format!("left:{n}"))).collect();
    node.subscribe_all(&channels).await;
    server.kill();
    node.until("the loss is reported", |heard| heard.is_down()).await;
    server.start_again();
    node.until("some are restored", |heard| heard.count(|event| matches!(event, LinkEvent::Restored(_))) > 0).await;
    for left in channels.iter().map(|channel| node.broker.unsubscribe(channel)).collect::<Vec<_>>() {
        left.await.unwrap();
    }
    // What is asked for afterwards is answered after what was sent before.
    node.broker.subscribe(&topic("last")).await.unwrap();
    let reply = server.ask(&["PUBSUB", "CHANNELS"]);
    assert_eq!(reply.list().len(), 1, "only the last is subscribed");
}
