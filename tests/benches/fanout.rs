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
use switchboard::{Conn, Hub, WsError, WsRouter, ws_message};
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
struct Join {}

#[ws_message("JOINED")]
struct Joined {}

/// An event with about 100 bytes of text.
#[ws_message("SAID")]
struct Said {
    text: String,
}

async fn join(conn: Conn, _: Join) -> Result<Joined, WsError> {
    conn.subscribe(TOPIC).await?;
    Ok(Joined {})
}

/// A hub and members of one topic, which run while the bench blocks on them.
struct Room {
    runtime: Runtime,
    hub: Hub,
    members: u64,
    received: Arc<Received>,
    _server: Server,
}

#[derive(Default)]
struct Received {
    missing: AtomicU64,
    all: Notify,
}

impl Room {
    fn new(members: u64) -> Self {
        let hub = Hub::new();
        let ws = WsRouter::new().hub(hub.clone()).on(join);
        let app = Router::new().route("/ws", ws_route(ws));
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let received = Arc::new(Received::default());
        let server = runtime.block_on(async {
            let server = Server::start(app);
            let target = Target::new(server.addr, false).expect("a target");
            for _ in 0..members {
                let mut client = Client::connect(&target).await.expect("an upgrade");
                let answer = client.ask(r#"{"type":"JOIN","payload":{}}"#).await.expect("an answer");
                assert!(answer.starts_with(br#"{"type":"JOINED""#), "{}", String::from_utf8_lossy(&answer));
                tokio::spawn(receive(client, Arc::clone(&received)));
            }
            server
        });
        Self { runtime, hub, members, received, _server: server }
    }

    /// Publishes `count` events, `at_once` of them before it waits until all members got them; how long that took.
    fn publish(&self, at_once: u64, count: u64) -> Duration {
        self.runtime.block_on(async {
            let started = Instant::now();
            let mut left = count;
            while left > 0 {
                let batch = left.min(at_once);
                self.received.missing.store(batch * self.members, Relaxed);
                for _ in 0..batch {
                    let said = Said { text: "word ".repeat(20) };
                    self.hub.publish(TOPIC, said).await.expect("an event");
                }
                self.received.all.notified().await;
                left -= batch;
            }
            started.elapsed()
        })
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
        let room = Room::new(members);
        group.throughput(Throughput::Elements(members));
        for at_once in [1, 8] {
            let name = format!("{at_once} at once, members:");
            group.bench_function(BenchmarkId::new(name, members), |b| {
                b.iter_custom(|count| room.publish(at_once, count));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, fanout);
criterion_main!(benches);
