//! What a node sees when its server fails.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use broker_servers::{Program, Server};
use bytes::Bytes;
use switchboard_core::broker::{Broker, BrokerErrorKind, BrokerSink, Channel, LinkEvent};
use switchboard_redis::{RedisBroker, RedisBrokerBuilder};

use crate::listener::{NODE, Node, topic};

pub(crate) fn builder(server: &Server) -> RedisBrokerBuilder {
    // Patient, because a machine may be busy with other tests.
    RedisBroker::builder(format!("redis://{}", server.address())).response_timeout(Duration::from_secs(10))
}

/// For servers that hang.
fn impatient(server: &Server) -> RedisBrokerBuilder {
    builder(server).response_timeout(Duration::from_secs(1)).ping_interval(Duration::from_millis(500))
}

async fn restores_after_a_restart(program: Program) {
    let mut server = Server::start(program, &[]);
    let (a, b) = (Node::start(builder(&server)).await, Node::start(builder(&server)).await);
    let room = topic("room:1");
    b.broker.subscribe(&room).await.unwrap();
    server.kill();
    b.until("the loss is reported", |heard| heard.is_down()).await;
    for operation in [b.broker.publish(&room, Bytes::new()), b.broker.subscribe(&topic("other"))] {
        assert_eq!(operation.await.unwrap_err().kind(), BrokerErrorKind::Unavailable);
    }
    server.start_again();
    b.until("the room is restored", |heard| heard.is_restored(&room)).await;
    a.publish_when_possible(&room, "after").await;
    b.hears(&room, "after").await;
    let heard = b.heard.lock();
    assert!(
        matches!(
            &heard.events[..],
            [LinkEvent::Connected, LinkEvent::Disconnected { .. }, LinkEvent::Connected, LinkEvent::Restored(_)]
        ),
        "{:?}",
        heard.events
    );
}

#[tokio::test]
async fn redis_comes_back_empty_and_all_is_heard_again() {
    restores_after_a_restart(Program::Redis).await;
}

#[tokio::test]
async fn valkey_comes_back_empty_and_all_is_heard_again() {
    restores_after_a_restart(Program::Valkey).await;
}

#[tokio::test]
async fn a_server_that_hangs_is_found_and_outcomes_are_unknown() {
    let server = Server::start(Program::Redis, &[]);
    let node = Node::start(impatient(&server)).await;
    let room = topic("room:1");
    node.broker.subscribe(&room).await.unwrap();
    server.pause();
    let started = Instant::now();
    let error = node.broker.publish(&room, "lost?".into()).await.unwrap_err();
    assert!(error.is_unknown(), "{error}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    node.until("the link is given up", |heard| heard.is_down()).await;
    let error = node.broker.publish(&room, "refused".into()).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Unavailable, "{error}");
    server.resume();
    node.until("the room is restored", |heard| heard.is_restored(&room)).await;
    node.publish_when_possible(&room, "after").await;
    node.hears(&room, "after").await;
}

#[tokio::test]
async fn a_server_that_hangs_is_found_without_any_operation() {
    let server = Server::start(Program::Redis, &[]);
    let node = Node::start(impatient(&server)).await;
    server.pause();
    node.until("the link is given up", |heard| heard.is_down()).await;
    server.resume();
    node.until("it comes back", |heard| heard.count(|event| *event == LinkEvent::Connected) == 2).await;
}

#[tokio::test]
async fn a_client_that_is_killed_comes_back() {
    let server = Server::start(Program::Redis, &[]);
    let node = Node::start(builder(&server)).await;
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
    let name = format!("name=switchboard-{NODE}");
    assert_eq!(clients.text().matches(&name).count(), 2, "two connections with the node's name: {clients:?}");
}

/// A tenth of what is wanted, so that the tests stay quick. `measurements` has the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_channels_are_restored() {
    restore_many(10_000).await;
}

pub(crate) async fn restore_many(count: usize) -> Duration {
    let mut server = Server::start(Program::Redis, &[]);
    let node = Node::start(builder(&server)).await;
    let channels: Vec<Channel> = (0..count).map(|n| topic(&format!("many:{n}"))).collect();
    for portion in channels.chunks(5000) {
        let waiting: Vec<_> = portion.iter().map(|channel| node.broker.subscribe(channel)).collect();
        for subscribed in waiting {
            subscribed.await.unwrap();
        }
    }
    server.kill();
    node.until("the loss is reported", |heard| heard.is_down()).await;
    server.start_again();
    let started = Instant::now();
    let restored = |event: &LinkEvent| match event {
        LinkEvent::Restored(switchboard_core::broker::Channels::Some(channels)) => channels.len(),
        _ => 0,
    };
    node.until("all are restored", |heard| heard.events.iter().map(restored).sum::<usize>() == count).await;
    let elapsed = started.elapsed();
    let reply = server.ask(&["PUBSUB", "CHANNELS"]);
    assert_eq!(reply.list().len(), count, "the server knows all of them");
    elapsed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_node_loses_messages_and_not_its_link() {
    let server = Server::start(Program::Redis, &[]);
    let fast = Node::start(builder(&server)).await;
    let slow = Node::start(builder(&server).max_waiting_messages(10)).await;
    let (room, quiet) = (topic("busy"), topic("quiet"));
    slow.broker.subscribe(&room).await.unwrap();
    slow.broker.subscribe(&quiet).await.unwrap();
    slow.heard.slowness_ms.store(5, Ordering::Relaxed);
    for _ in 0..300 {
        fast.broker.publish(&room, "flood".into()).await.unwrap();
    }
    slow.until("the loss is reported", |heard| {
        heard.count(|event| matches!(event, LinkEvent::Dropped(channels) if channels.contains(&room))) > 0
    })
    .await;
    slow.heard.slowness_ms.store(0, Ordering::Relaxed);
    // Dropped, too, as long as the queue is full.
    while !slow.heard.lock().messages.contains_key(&quiet) {
        fast.broker.publish(&quiet, "end".into()).await.unwrap();
    }
    let heard = slow.heard.lock();
    assert!(heard.messages[&room].len() < 300, "some were dropped");
    assert_eq!(heard.count(|event| matches!(event, LinkEvent::Disconnected { .. })), 0, "{:?}", heard.events);
}

#[tokio::test]
async fn queues_are_bounded() {
    let server = Server::start(Program::Redis, &[]);
    let node = Node::start(impatient(&server).max_queued_operations(3).max_queued_bytes(10_000)).await;
    server.pause();
    let room = topic("room");
    let waiting: Vec<_> = (0..3).map(|_| node.broker.publish(&room, "m".into())).collect();
    let error = node.broker.publish(&room, "one too many".into()).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Overloaded, "{error}");
    let error = node.broker.publish(&room, vec![0; 20_000].into()).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Rejected, "{error}");
    for operation in waiting {
        assert!(operation.await.unwrap_err().is_unknown());
    }
    server.resume();
    node.publish_when_possible(&room, "room again").await;
}

/// Panics at each message, and counts them.
struct Panics(AtomicUsize);

impl BrokerSink for Panics {
    fn message(&self, _: &Channel, _: Bytes) {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("a sink of a test");
    }

    fn link(&self, _: LinkEvent) {}
}

#[tokio::test]
async fn a_sink_that_panics_gets_the_next_message_all_the_same() {
    let server = Server::start(Program::Redis, &[]);
    let broker = builder(&server).build().unwrap();
    let sink = Arc::new(Panics(AtomicUsize::new(0)));
    broker.start(NODE, sink.clone()).await.unwrap();
    let room = topic("room");
    broker.subscribe(&room).await.unwrap();
    let started = Instant::now();
    while sink.0.load(Ordering::Relaxed) < 3 {
        broker.publish(&room, "again".into()).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(30), "the third message arrives");
    }
}

#[tokio::test]
async fn a_broker_that_is_dropped_leaves_no_connection() {
    let server = Server::start(Program::Redis, &[]);
    let clients = || server.ask(&["CLIENT", "LIST"]).text().matches("name=switchboard-").count();
    let node = Node::start(builder(&server)).await;
    assert_eq!(clients(), 2);
    drop(node);
    let started = Instant::now();
    while clients() > 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "the connections are closed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn channels_that_are_left_while_they_are_restored_are_not_restored() {
    let mut server = Server::start(Program::Redis, &[]);
    let node = Node::start(builder(&server)).await;
    let channels: Vec<Channel> = (0..5000).map(|n| topic(&format!("left:{n}"))).collect();
    for subscribed in channels.iter().map(|channel| node.broker.subscribe(channel)).collect::<Vec<_>>() {
        subscribed.await.unwrap();
    }
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
