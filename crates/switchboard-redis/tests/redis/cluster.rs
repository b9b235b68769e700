//! Slots that move, and masters that fail.

use std::time::Duration;

use broker_servers::{Heard, RedisCluster, topic};
use switchboard_core::broker::{Broker, BrokerErrorKind, Channel, LinkEvent};
use switchboard_redis::{RedisBroker, RedisBrokerBuilder};

use crate::setup::{Node, start};

/// The slot of `{14}`, the tag of the first partition.
const FIRST_SLOT: u16 = 115;
const LAST_MASTER: usize = 2;

fn builder(cluster: &RedisCluster) -> RedisBrokerBuilder {
    RedisBroker::builder(format!("redis://{}", cluster.masters[0].address()))
        .url(format!("redis://{}", cluster.masters[1].address()))
        .cluster()
        .response_timeout(Duration::from_secs(10))
}

fn slot(cluster: &RedisCluster, key: &str) -> u16 {
    cluster.masters[0].ask(&["CLUSTER", "KEYSLOT", key]).text().parse().unwrap()
}

/// Topics for many partitions, of which the first slot of the cluster has one.
fn topics() -> Vec<Channel> {
    (0..500).map(|n| topic(&format!("room:{n}"))).collect()
}

fn all_heard<'a>(topics: &'a [Channel], message: &'static str) -> impl Fn(&Heard) -> bool + 'a {
    move |heard| topics.iter().all(|topic| heard.messages.get(topic).is_some_and(|all| all.contains(&message.into())))
}

async fn publish_to_all(node: &Node, topics: &[Channel], message: &'static str) {
    for topic in topics {
        node.publish_when_possible(topic, message).await;
    }
}

#[tokio::test]
async fn a_slot_that_moves_takes_its_channels_along() {
    let cluster = RedisCluster::start();
    let (a, b) = (start(builder(&cluster)).await, start(builder(&cluster)).await);
    let topics = topics();
    for topic in &topics {
        b.broker.subscribe(topic).await.unwrap();
    }
    assert_eq!(slot(&cluster, "{14}"), FIRST_SLOT);
    cluster.move_slot(FIRST_SLOT, 0, LAST_MASTER);
    b.until("the channels of the slot are reported and restored", |heard| {
        let interrupted = heard.events.iter().find_map(|event| match event {
            LinkEvent::Interrupted(channels) => Some(channels),
            _ => None,
        });
        interrupted.is_some_and(|channels| {
            topics.iter().filter(|topic| channels.contains(topic)).all(|topic| heard.is_restored(topic))
        })
    })
    .await;
    publish_to_all(&a, &topics, "after").await;
    b.until("all channels are heard", all_heard(&topics, "after")).await;
    let heard = b.heard.lock();
    assert_eq!(heard.count(|event| matches!(event, LinkEvent::Disconnected { .. })), 0, "{:?}", heard.events);
    let concerned = |topic: &&Channel| heard.is_restored(topic);
    let concerned = topics.iter().filter(concerned).count();
    assert!((1..topics.len() / 10).contains(&concerned), "{concerned} of {} channels were concerned", topics.len());
}

#[tokio::test]
async fn a_master_that_dies_interrupts_its_channels_only() {
    let mut cluster = RedisCluster::start();
    let (a, b) = (start(builder(&cluster)).await, start(builder(&cluster)).await);
    let topics = topics();
    for topic in &topics {
        b.broker.subscribe(topic).await.unwrap();
    }
    cluster.masters[LAST_MASTER].kill();
    let interrupted = |event: &LinkEvent| matches!(event, LinkEvent::Interrupted(_));
    b.until("the interruption is reported", |heard| heard.count(interrupted) > 0).await;
    let (lost, kept): (Vec<_>, Vec<_>) = topics.iter().cloned().partition(|topic| {
        let is_lost = |event: &LinkEvent| matches!(event, LinkEvent::Interrupted(lost) if lost.contains(topic));
        b.heard.lock().count(is_lost) > 0
    });
    assert!(!lost.is_empty() && kept.len() > lost.len(), "{} lost, {} kept", lost.len(), kept.len());
    let error = b.broker.publish(&lost[0], "refused".into()).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Unavailable, "{error}");
    cluster.masters[LAST_MASTER].start_again();
    b.until("all are restored", |heard| lost.iter().all(|topic| heard.is_restored(topic))).await;
    publish_to_all(&a, &topics, "after").await;
    b.until("all channels are heard", all_heard(&topics, "after")).await;
    assert!(kept.iter().all(|topic| !b.heard.lock().is_restored(topic)), "the others were not touched");
}

#[tokio::test]
async fn a_node_starts_by_the_second_url_if_the_first_is_down() {
    let mut cluster = RedisCluster::start();
    let builder = builder(&cluster);
    cluster.masters[0].kill();
    let node = start(builder).await;
    assert_eq!(node.heard.lock().events, [LinkEvent::Connected]);
}

#[tokio::test]
async fn each_partition_is_subscribed_once() {
    let cluster = RedisCluster::start();
    let node = start(builder(&cluster)).await;
    for topic in topics() {
        node.broker.subscribe(&topic).await.unwrap();
    }
    let channels = |master: usize| cluster.masters[master].ask(&["PUBSUB", "SHARDCHANNELS"]).list().len();
    let counts: Vec<_> = (0..3).map(channels).collect();
    assert!(counts.iter().all(|count| (40..=44).contains(count)), "each master has a third of 128: {counts:?}");
    for topic in topics() {
        node.broker.unsubscribe(&topic).await.unwrap();
    }
    assert_eq!((0..3).map(channels).sum::<usize>(), 0, "none is left");
}

#[tokio::test]
async fn a_replica_that_takes_over_is_found() {
    let mut cluster = RedisCluster::start();
    let replica = cluster.add_replica(LAST_MASTER);
    let (a, b) = (start(builder(&cluster)).await, start(builder(&cluster)).await);
    let topics = topics();
    for topic in &topics {
        b.broker.subscribe(topic).await.unwrap();
    }
    cluster.masters[LAST_MASTER].kill();
    let interrupted = |event: &LinkEvent| matches!(event, LinkEvent::Interrupted(_));
    b.until("the interruption is reported", |heard| heard.count(interrupted) > 0).await;
    publish_to_all(&a, &topics, "after").await;
    b.until("all are restored", |heard| {
        let lost = |topic: &&Channel| {
            heard.count(|event| matches!(event, LinkEvent::Interrupted(lost) if lost.contains(topic))) > 0
        };
        topics.iter().filter(lost).all(|topic| heard.is_restored(topic))
    })
    .await;
    publish_to_all(&a, &topics, "later").await;
    b.until("all channels are heard", all_heard(&topics, "later")).await;
    assert!(!replica.ask(&["PUBSUB", "SHARDCHANNELS"]).list().is_empty(), "partitions are subscribed at the replica");
}
