//! What publishing costs from the hub to the members' sockets and out of them, with the members in the same thread.
//!
//! The members' part is in every figure, and so is the kernel's; compare them to one another. What the server alone
//! uses is measured by `load`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use axum::Router;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use switchboard::{Conn, Hub, WsError, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::Server,
    load::{Client, Target},
    serve::ws_route,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Notify,
};

const TOPIC: &str = "bench";

#[ws_message("JOIN")]
struct Join {
    topic: String,
}

/// Joins and leaves a topic so many times.
#[ws_rpc("CHURN", response = Churned)]
struct Churn {
    times: u64,
}

#[ws_message("CHURNED")]
struct Churned {}

#[ws_message("JOINED")]
struct Joined {}

/// An event with about 100 bytes of text.
#[ws_message("SAID")]
struct Said {
    text: String,
}

async fn join(conn: Conn, join: Join) -> Result<Joined, WsError> {
    conn.subscribe(&join.topic).await?;
    Ok(Joined {})
}

async fn churn(conn: Conn, churn: Churn) -> Result<Churned, WsError> {
    for _ in 0..churn.times {
        conn.subscribe(TOPIC).await?;
        conn.unsubscribe(TOPIC).await?;
    }
    Ok(Churned {})
}

/// A hub and the members of its topics, which run while the bench blocks on them.
struct Room {
    runtime: Runtime,
    hub: Hub,
    topics: Vec<String>,
    /// Of each topic.
    members: u64,
    received: Arc<Received>,
    _server: Server,
}

#[derive(Default)]
struct Received {
    missing: AtomicU64,
    all: Notify,
}

fn router(hub: &Hub) -> Router {
    let ws = WsRouter::new().hub(hub.clone()).on(join).on(churn);
    Router::new().route("/ws", ws_route(ws))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

impl Room {
    fn new(topics: u64, members: u64) -> Self {
        let hub = Hub::new();
        let app = router(&hub);
        let topics: Vec<_> = (0..topics).map(|n| format!("bench{n}")).collect();
        let (runtime, received) = (runtime(), Arc::new(Received::default()));
        let server = runtime.block_on(async {
            let server = Server::start(app);
            let target = Target::new(server.addr, false).expect("a target");
            // Each in ten topics where there are so many: so that files do for all of them.
            let each = topics.len().min(10);
            for first in (0..topics.len() * members as usize).step_by(each) {
                let mut client = Client::connect(&target).await.expect("an upgrade");
                for topic in topics.iter().cycle().skip(first % topics.len()).take(each) {
                    let join = format!(r#"{{"type":"JOIN","payload":{{"topic":"{topic}"}}}}"#);
                    let answer = client.ask(&join).await.expect("an answer");
                    assert!(answer.starts_with(br#"{"type":"JOINED""#), "{}", String::from_utf8_lossy(&answer));
                }
                tokio::spawn(receive(client, Arc::clone(&received)));
            }
            assert!(
                topics.iter().all(|topic| hub.topic(topic).local_subscriber_count() as u64 == members),
                "as many in each"
            );
            server
        });
        Self { runtime, hub, topics, members, received, _server: server }
    }

    /// Has `publishers` tasks publish `count` events together, to one topic after the other, `at_once` of them before
    /// they wait until all members got them; how long that took.
    fn publish(&self, publishers: u64, at_once: u64, count: u64) -> Duration {
        self.runtime.block_on(async {
            let started = Instant::now();
            let mut left = count;
            while left > 0 {
                let batch = left.min(at_once);
                self.received.missing.store(batch * self.members, Relaxed);
                let shares = (0..publishers.min(batch))
                    .map(|n| self.publish_some((n..batch).step_by(usize::try_from(publishers).unwrap_or(1))));
                join_all(shares).await;
                self.received.all.notified().await;
                left -= batch;
            }
            started.elapsed()
        })
    }

    async fn publish_some(&self, numbers: impl Iterator<Item = u64>) {
        for n in numbers {
            let topic = &self.topics[usize::try_from(n).unwrap_or(0) % self.topics.len()];
            self.hub.publish(topic, Said { text: "word ".repeat(20) }).await.expect("an event");
        }
    }
}

async fn receive(mut client: Client, received: Arc<Received>) {
    while client.read().await.is_ok() {
        while let Ok(Some(_)) = client.next_text() {
            if received.missing.fetch_sub(1, Relaxed) == 1 {
                received.all.notify_one();
            }
        }
    }
}

fn fanout(c: &mut Criterion) {
    let mut group = c.benchmark_group("fanout");
    for members in [10, 100, 1000] {
        let room = Room::new(1, members);
        group.throughput(Throughput::Elements(members));
        for at_once in [1, 8] {
            let name = format!("{at_once} at once, members:");
            group.bench_function(BenchmarkId::new(name, members), |b| {
                b.iter_custom(|count| room.publish(1, at_once, count));
            });
        }
    }
    let room = Room::new(1, 100);
    group.throughput(Throughput::Elements(100));
    group.bench_function("64 publishers at once, members: 100", |b| b.iter_custom(|count| room.publish(64, 64, count)));
    let room = Room::new(100, 100);
    group.bench_function("to 100 topics, members of each: 100", |b| b.iter_custom(|count| room.publish(1, 100, count)));
    group.finish();
}

fn subscriptions(c: &mut Criterion) {
    let mut group = c.benchmark_group("subscriptions");
    let (runtime, hub) = (runtime(), Hub::new());
    let mut connected = runtime.block_on(async {
        let server = Server::start(router(&hub));
        let client = Client::connect(&Target::new(server.addr, false).expect("a target")).await.expect("an upgrade");
        (server, client)
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("a join and a leave", |b| {
        b.iter_custom(|times| {
            runtime.block_on(async {
                let request =
                    format!(r#"{{"type":"CHURN","meta":{{"correlationId":"1"}},"payload":{{"times":{times}}}}}"#);
                let started = Instant::now();
                let answer = connected.1.ask(&request).await.expect("an answer");
                assert!(answer.starts_with(br#"{"type":"CHURNED""#), "{}", String::from_utf8_lossy(&answer));
                started.elapsed()
            })
        });
    });
    group.finish();
}

criterion_group!(benches, fanout, subscriptions);
criterion_main!(benches);
