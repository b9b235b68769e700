//! What a node sees when its server fails.

use std::time::Duration;

use broker_servers::{Program, Server, adapter_cases, cases, topic};
use switchboard_core::broker::{Broker, BrokerErrorKind, Channel, LinkEvent};

use crate::setup::{Nats, builder, start};

adapter_cases!(
    Nats,
    the_systems_nats_comes_back_and_all_is_heard_again: Program::Nats,
    nats_2_15_comes_back_and_all_is_heard_again: Program::Nats215
);

#[tokio::test]
async fn a_node_goes_to_another_server_of_the_list() {
    let mut first = Server::start(Program::Nats, &[]);
    let mut second = Server::start(Program::Nats, &[]);
    // It chooses one of them at random.
    let node = start(builder(&first).url(format!("nats://{}", second.address()))).await;
    let room = topic("room");
    node.broker.subscribe(&room).await.unwrap();
    first.kill();
    node.publish_when_possible(&room, "at the second").await;
    first.start_again();
    second.kill();
    node.until("the room is restored", |heard| heard.is_restored(&room)).await;
    node.publish_when_possible(&room, "at the first").await;
    node.hears(&room, "at the first").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_channels_are_restored() {
    restore_many(10_000).await;
}

/// Half of the channels by wildcards.
pub(crate) async fn restore_many(count: usize) -> Duration {
    let mut server = Server::start(Program::Nats215, &[]);
    let node = start(builder(&server).max_exact_subscriptions(count / 2)).await;
    let heard = async |_: &Server, channels: &[Channel]| {
        for channel in [&channels[0], &channels[count - 1]] {
            node.publish_when_possible(channel, "after").await;
            node.hears(channel, "after").await;
        }
    };
    cases::restores_many(&mut server, &node, count, heard).await
}

#[tokio::test]
async fn a_message_above_the_servers_limit_is_refused_and_the_link_stays() {
    let server = Server::start(Program::Nats, &[]);
    let node = start(builder(&server)).await;
    let room = topic("room");
    node.broker.subscribe(&room).await.unwrap();
    let error = node.broker.publish(&room, vec![0; 2 << 20].into()).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Rejected, "{error}");
    assert!(error.to_string().contains("max_payload"), "{error}");
    node.broker.publish(&room, "small".into()).await.unwrap();
    node.hears(&room, "small").await;
}

#[tokio::test]
async fn a_server_in_lame_duck_mode_is_left_at_once() {
    let mut server = Server::start(Program::Nats215, &[]);
    let node = start(builder(&server)).await;
    let room = topic("room");
    node.broker.subscribe(&room).await.unwrap();
    server.signal("USR2");
    node.until("the link is given up", |heard| {
        heard.count(|event| matches!(event, LinkEvent::Disconnected { reason } if reason.contains("lame duck"))) == 1
    })
    .await;
    server.start_again();
    node.until("the room is restored", |heard| heard.is_restored(&room)).await;
}

#[tokio::test]
async fn a_subscription_that_is_repaired_while_it_is_restored_is_heard_when_confirmed_and_once() {
    let mut server = Server::start(Program::Nats215, &[]);
    let (a, b) = (start(builder(&server)).await, start(builder(&server)).await);
    let channels: Vec<Channel> = (0..3000).map(|n| topic(&format!("repaired:{n}"))).collect();
    b.subscribe_all(&channels).await;
    server.kill();
    b.until("the loss is reported", |heard| heard.is_down()).await;
    server.start_again();
    let connected = |event: &LinkEvent| *event == LinkEvent::Connected;
    a.until("a is back", |heard| heard.count(connected) == 2).await;
    b.until("b is back", |heard| heard.count(connected) == 2).await;
    for channel in channels.iter().rev().take(300) {
        b.broker.subscribe(channel).await.unwrap();
        a.broker.publish(channel, "after".into()).await.unwrap();
        b.hears(channel, "after").await;
    }
    b.until("all are restored", |heard| channels.iter().all(|channel| heard.is_restored(channel))).await;
    for channel in &channels {
        a.broker.publish(channel, "end".into()).await.unwrap();
    }
    for channel in channels.iter().rev() {
        b.hears(channel, "end").await;
    }
    let heard = b.heard.lock();
    let once = |channel: &Channel| heard.messages[channel].iter().filter(|message| *message == "end").count() == 1;
    assert!(channels.iter().all(once), "each message arrives once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_publishes_is_confirmed() {
    let server = Server::start(Program::Nats215, &[]);
    let node = start(builder(&server)).await;
    let room = topic("room");
    for _ in 0..5000 {
        node.broker.publish(&room, "m".into()).await.unwrap();
    }
}
