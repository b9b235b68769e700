//! How long things take. No tests, because nothing depends on how fast a machine is:
//!
//! ```sh
//! cargo nextest run --release -p switchboard-redis measurements --run-ignored only --no-capture --test-threads 1
//! ```

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use broker_servers::{Program, Server, topic};
use bytes::Bytes;
use switchboard_core::{
    broker::Broker,
    rate_limit::{RateLimitBucket, RateLimitStore},
};

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
    let server = Server::start(Program::Redis, &[]);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn checking_limits() {
    const CHECKS: usize = 200_000;
    let server = Server::start(Program::Redis, &[]);
    let limits = crate::rate_limit::builder(&server).connect().await.unwrap();
    let keys: Vec<String> = (0..1000).map(|n| format!("chat:u:{n}")).collect();
    let take = |key| {
        let max = NonZeroU32::new(1000).unwrap();
        limits.take(RateLimitBucket::new(key, max, Duration::from_secs(60)), NonZeroU32::MIN)
    };
    let started = Instant::now();
    for _ in 0..CHECKS / keys.len() {
        let waiting: Vec<_> = keys.iter().map(|key| take(key)).collect();
        for check in waiting {
            check.await.unwrap();
        }
    }
    let rate = CHECKS as f64 / started.elapsed().as_secs_f64();
    eprintln!("{rate:.0} checks a second, 1000 at a time, of 1000 keys");
    let mut times = Vec::new();
    for n in 0..20_000 {
        let started = Instant::now();
        take(&keys[n % keys.len()]).await.unwrap();
        times.push(started.elapsed());
    }
    times.sort_unstable();
    eprintln!("one at a time: p50 {:?}, p99 {:?}", times[10_000], times[19_800]);
}
