//! How long things take. No tests, because nothing depends on how fast a machine is:
//!
//! ```sh
//! cargo nextest run --release -p switchboard-nats measurements --run-ignored only --no-capture --test-threads 1
//! ```

use std::time::Instant;

use broker_servers::{Program, Server, topic};
use bytes::Bytes;
use switchboard_core::broker::Broker;

use crate::{
    faults::restore_many,
    setup::{builder, start},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn restoring() {
    for count in [10_000, 100_000] {
        eprintln!("{count} channels were restored within {:?} of the server's return", restore_many(count).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn publishing() {
    const MESSAGES: usize = 200_000;
    let server = Server::start(Program::Nats215, &[]);
    let node = start(builder(&server)).await;
    let room = topic("room");
    node.broker.subscribe(&room).await.unwrap();
    let message = Bytes::from_static(&[7; 200]);
    let started = Instant::now();
    for _ in 0..MESSAGES / 1000 {
        let waiting: Vec<_> = (0..1000).map(|_| node.broker.publish(&room, message.clone())).collect();
        for publish in waiting {
            publish.await.unwrap();
        }
    }
    node.until("all arrive", |heard| heard.messages.get(&room).is_some_and(|messages| messages.len() == MESSAGES))
        .await;
    let rate = MESSAGES as f64 / started.elapsed().as_secs_f64();
    eprintln!("{rate:.0} messages of 200 bytes a second, published and heard by one node, 1000 at a time");
    let mut times = Vec::new();
    for _ in 0..10_000 {
        let started = Instant::now();
        node.broker.publish(&room, message.clone()).await.unwrap();
        times.push(started.elapsed());
    }
    times.sort_unstable();
    eprintln!("one at a time: p50 {:?}, p99 {:?} until the server has accepted", times[5000], times[9900]);
}
