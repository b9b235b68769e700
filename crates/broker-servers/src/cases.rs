//! What every adapter does when its server fails: tests that adapters share.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use switchboard_core::broker::{Broker, BrokerErrorKind, BrokerSink, Channel, Channels, LinkEvent};
use tokio::{net::TcpListener, time::sleep};

use crate::{Listener, NODE, Node, PATIENCE, Program, Server, topic};

/// The settings of an adapter that the cases change.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long an operation waits for its answer.
    pub response_timeout: Duration,
    /// After how much silence the link is checked.
    pub ping_interval: Duration,
    /// How many operations may wait for their answer.
    pub max_queued_operations: usize,
    /// How many bytes they may have.
    pub max_queued_bytes: usize,
    /// How many messages may wait for the node.
    pub max_waiting_messages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            // Patient, because a machine may be busy with other tests.
            response_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(2),
            max_queued_operations: 16_384,
            max_queued_bytes: 64 << 20,
            max_waiting_messages: 65_536,
        }
    }
}

impl Limits {
    /// For servers that hang.
    fn impatient() -> Self {
        Self { response_timeout: Duration::from_secs(1), ping_interval: Duration::from_millis(500), ..Self::default() }
    }
}

/// An adapter under test.
pub trait Adapter {
    /// Its broker.
    type Broker: Broker;

    /// The server that most cases start.
    const SERVER: Program;

    /// Builds a broker for the server at an address, `HOST:PORT`.
    fn build(address: &str, limits: &Limits) -> Self::Broker;
}

async fn start<A: Adapter>(server: &Server, limits: &Limits) -> Node<A::Broker> {
    Node::start(A::build(&server.address(), limits)).await
}

/// The server is killed and comes back empty.
pub async fn restores_after_a_restart<A: Adapter>(program: Program) {
    let mut server = Server::start(program, &[]);
    let limits = Limits::default();
    let (a, b) = (start::<A>(&server, &limits).await, start::<A>(&server, &limits).await);
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

/// A server that hangs is found, outcomes are unknown, and what was sent to it is not sent again.
pub async fn finds_a_server_that_hangs<A: Adapter>() {
    let server = Server::start(A::SERVER, &[]);
    let node = start::<A>(&server, &Limits::impatient()).await;
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
    let lost = node.heard.lock().messages[&room].iter().filter(|message| *message == "lost?").count();
    assert_eq!(lost, 0, "it was published before the room was restored");
}

/// A server that hangs is found without any operation.
pub async fn finds_a_server_that_hangs_when_idle<A: Adapter>() {
    let server = Server::start(A::SERVER, &[]);
    let node = start::<A>(&server, &Limits::impatient()).await;
    server.pause();
    node.until("the link is given up", |heard| heard.is_down()).await;
    server.resume();
    node.until("it comes back", |heard| heard.count(|event| *event == LinkEvent::Connected) == 2).await;
}

/// Many channels are restored after a restart. Returns how long that took, from the server's return on.
///
/// `check` is called with all channels at the end.
pub async fn restores_many<B: Broker>(
    server: &mut Server,
    node: &Node<B>,
    count: usize,
    check: impl AsyncFnOnce(&Server, &[Channel]),
) -> Duration {
    let channels: Vec<Channel> = (0..count).map(|n| topic(&format!("many:{n}"))).collect();
    node.subscribe_all(&channels).await;
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
    check(server, &channels).await;
    elapsed
}

/// A slow node loses messages, and not its link.
pub async fn a_slow_node_keeps_its_link<A: Adapter>() {
    let server = Server::start(A::SERVER, &[]);
    let fast = start::<A>(&server, &Limits::default()).await;
    let slow = start::<A>(&server, &Limits { max_waiting_messages: 10, ..Limits::default() }).await;
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

/// Operations that do not fit are refused.
pub async fn queues_are_bounded<A: Adapter>() {
    let server = Server::start(A::SERVER, &[]);
    let limits = Limits { max_queued_operations: 3, max_queued_bytes: 10_000, ..Limits::impatient() };
    let node = start::<A>(&server, &limits).await;
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

/// A sink that panics gets the next message all the same.
pub async fn survives_a_sink_that_panics<A: Adapter>() {
    let server = Server::start(A::SERVER, &[]);
    let broker = A::build(&server.address(), &Limits::default());
    let sink = Arc::new(Panics(AtomicUsize::new(0)));
    broker.start(NODE, sink.clone()).await.unwrap();
    let room = topic("room");
    broker.subscribe(&room).await.unwrap();
    let started = Instant::now();
    while sink.0.load(Ordering::Relaxed) < 3 {
        broker.publish(&room, "again".into()).await.unwrap();
        assert!(started.elapsed() < PATIENCE, "the third message arrives");
    }
}

/// Without a server, the error names the address, and `start` can be tried again.
pub async fn starts_when_the_server_is_there<A: Adapter>() {
    let mut server = Server::start(A::SERVER, &[]);
    let address = server.address();
    server.kill();
    let broker = A::build(&address, &Limits::default());
    let heard = Arc::new(Listener::default());
    let error = broker.start(NODE, heard.clone()).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Unavailable);
    assert!(error.to_string().contains(&address) && error.to_string().contains("is the server running"), "{error}");
    assert!(heard.lock().events.is_empty());
    server.start_again();
    broker.start(NODE, heard.clone()).await.unwrap();
}

/// A server that accepts connections and says nothing is given up.
pub async fn gives_up_a_server_without_answer<A: Adapter>() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let broker = A::build(&address, &Limits { connect_timeout: Duration::from_millis(100), ..Limits::default() });
    let error = broker.start(NODE, Arc::new(Listener::default())).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Unavailable);
    assert!(error.to_string().contains(&address) && error.to_string().contains("connect_timeout"), "{error}");
}

/// A broker that is dropped leaves no connection. `clients` counts those that the server has.
pub async fn leaves_no_connection<B: Broker>(node: Node<B>, clients: impl Fn() -> usize, expected: usize) {
    assert_eq!(clients(), expected);
    drop(node);
    let started = Instant::now();
    while clients() > 0 {
        assert!(started.elapsed() < PATIENCE, "the connections are closed");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Makes a test of each case.
///
/// The arguments are an [`Adapter`], and the programs that are restarted, each with the name of its test.
#[macro_export]
macro_rules! adapter_cases {
    ($adapter:ty, $($restarted:ident: $program:expr),+) => {
        $(#[tokio::test]
        async fn $restarted() {
            $crate::cases::restores_after_a_restart::<$adapter>($program).await;
        })+

        #[tokio::test]
        async fn a_server_that_hangs_is_found_and_what_was_sent_to_it_is_not_sent_again() {
            $crate::cases::finds_a_server_that_hangs::<$adapter>().await;
        }

        #[tokio::test]
        async fn a_server_that_hangs_is_found_without_any_operation() {
            $crate::cases::finds_a_server_that_hangs_when_idle::<$adapter>().await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_slow_node_loses_messages_and_not_its_link() {
            $crate::cases::a_slow_node_keeps_its_link::<$adapter>().await;
        }

        #[tokio::test]
        async fn queues_are_bounded() {
            $crate::cases::queues_are_bounded::<$adapter>().await;
        }

        #[tokio::test]
        async fn a_sink_that_panics_gets_the_next_message_all_the_same() {
            $crate::cases::survives_a_sink_that_panics::<$adapter>().await;
        }

        #[tokio::test]
        async fn without_a_server_the_error_names_the_address_and_start_can_be_tried_again() {
            $crate::cases::starts_when_the_server_is_there::<$adapter>().await;
        }

        #[tokio::test]
        async fn a_server_that_does_not_answer_is_given_up() {
            $crate::cases::gives_up_a_server_without_answer::<$adapter>().await;
        }
    };
}
