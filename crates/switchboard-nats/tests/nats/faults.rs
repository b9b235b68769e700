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
use switchboard_core::broker::{Broker, BrokerErrorKind, BrokerSink, Channel, Channels, LinkEvent};
use switchboard_nats::{NatsBroker, NatsBrokerBuilder};

use crate::listener::{NODE, Node, topic};

pub(crate) fn builder(server: &Server) -> NatsBrokerBuilder {
    // Patient, because a machine may be busy with other tests.
    NatsBroker::builder(format!("nats://{}", server.address())).response_timeout(Duration::from_secs(10))
}

/// For servers that hang.
fn impatient(server: &Server) -> NatsBrokerBuilder {
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
async fn the_systems_nats_comes_back_and_all_is_heard_again() {
    restores_after_a_restart(Program::Nats).await;
}

#[tokio::test]
async fn nats_2_15_comes_back_and_all_is_heard_again() {
    restores_after_a_restart(Program::Nats215).await;
}

#[tokio::test]
async fn a_server_that_hangs_is_found_and_what_was_sent_to_it_is_not_sent_again() {
    let server = Server::start(Program::Nats, &[]);
    let (node, other) = (Node::start(impatient(&server)).await, Node::start(impatient(&server)).await);
    let room = topic("room:1");
    other.broker.subscribe(&room).await.unwrap();
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
    let lost = node.heard.lock().messages[&room].iter().filter(|message| *message == "lost?").count();
    assert_eq!(lost, 0, "it was published before the room was restored");
}

#[tokio::test]
async fn a_server_that_hangs_is_found_without_any_operation() {
    let server = Server::start(Program::Nats, &[]);
    let node = Node::start(impatient(&server)).await;
    server.pause();
    node.until("the link is given up", |heard| heard.is_down()).await;
    server.resume();
    node.until("it comes back", |heard| heard.count(|event| *event == LinkEvent::Connected) == 2).await;
}

#[tokio::test]
async fn a_node_goes_to_another_server_of_the_list() {
    let mut first = Server::start(Program::Nats, &[]);
    let mut second = Server::start(Program::Nats, &[]);
    // It chooses one of them at random.
    let node = Node::start(builder(&first).url(format!("nats://{}", second.address()))).await;
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
    let builder = builder(&server).max_exact_subscriptions(count / 2);
    let node = Node::start(builder).await;
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
        LinkEvent::Restored(Channels::Some(channels)) => channels.len(),
        _ => 0,
    };
    node.until("all are restored", |heard| heard.events.iter().map(restored).sum::<usize>() == count).await;
    let elapsed = started.elapsed();
    for channel in [&channels[0], &channels[count - 1]] {
        node.publish_when_possible(channel, "after").await;
        node.hears(channel, "after").await;
    }
    elapsed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_node_loses_messages_and_not_its_link() {
    let server = Server::start(Program::Nats, &[]);
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
    let server = Server::start(Program::Nats, &[]);
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

#[tokio::test]
async fn a_message_above_the_servers_limit_is_refused_and_the_link_stays() {
    let server = Server::start(Program::Nats, &[]);
    let node = Node::start(builder(&server)).await;
    let room = topic("room");
    node.broker.subscribe(&room).await.unwrap();
    let error = node.broker.publish(&room, vec![0; 2 << 20].into()).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Rejected, "{error}");
    assert!(error.to_string().contains("max_payload"), "{error}");
    node.broker.publish(&room, "small".into()).await.unwrap();
    node.hears(&room, "small").await;
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
    let server = Server::start(Program::Nats, &[]);
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
async fn a_server_in_lame_duck_mode_is_left_at_once() {
    let mut server = Server::start(Program::Nats215, &[]);
    let node = Node::start(builder(&server)).await;
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
    let (a, b) = (Node::start(builder(&server)).await, Node::start(builder(&server)).await);
    let channels: Vec<Channel> = (0..3000).map(|n| topic(&format!("repaired:{n}"))).collect();
    for subscribed in channels.iter().map(|channel| b.broker.subscribe(channel)).collect::<Vec<_>>() {
        subscribed.await.unwrap();
    }
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
    let node = Node::start(builder(&server)).await;
    let room = topic("room");
    for _ in 0..5000 {
        node.broker.publish(&room, "m".into()).await.unwrap();
    }
}
