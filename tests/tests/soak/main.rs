//! Many connections that do what they like for a while, in `conformance-server` as a process of its own: afterwards its
//! memory and its maps are where they began.
//!
//! Short as a test; `cargo xtask soak` runs it with 10 000 connections and a million joins and leaves, by these
//! variables: `SWITCHBOARD_SOAK_CONNECTIONS`, `SWITCHBOARD_SOAK_ROUNDS` and `SWITCHBOARD_SOAK_JOINS`.

#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "a soak says how far it is")]

mod client;
mod everything;
#[expect(dead_code, reason = "shared with the tests of faults, which use all of it")]
#[path = "../faults/process.rs"]
mod process;
mod random;

use std::time::Duration;

use serde_json::Value;
use switchboard_tests::client::Client;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use self::{
    client::{Outcome, wander},
    process::{Mib, Server},
    random::Random,
};

/// Each with all connections. The first warms the server up: what it holds after that is the base.
const ROUNDS: usize = 3;

/// How long the server may take to see that everyone is gone.
const SETTLES: Duration = Duration::from_secs(60);

/// So much more than the base is none: what an allocator holds is not to the byte.
const SLACK: u64 = 2 * 1024 * 1024;

/// How many joins and leaves are on their way.
const AT_ONCE: usize = 64;

/// A size that `cargo xtask soak` sets.
fn size(variable: &str, short: usize) -> usize {
    std::env::var(variable).map_or(short, |size| size.parse().expect("a number"))
}

/// What the server counts.
async fn stats(observer: &mut Client) -> (u64, Value) {
    let inspected = observer.request("INSPECT", "i", Value::Object(Default::default())).await;
    (inspected["payload"]["connections"].as_u64().expect("a number"), inspected["payload"].clone())
}

/// Waits until only the observer is connected and nothing runs.
async fn settle(observer: &mut Client) {
    let begin = Instant::now();
    loop {
        let (connections, all) = stats(observer).await;
        if connections == 1 && all["running"] == 0 {
            return;
        }
        assert!(begin.elapsed() < SETTLES, "everyone is gone, but the server has {all}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn page(server: &Server, path: &str) -> Value {
    let url = format!("http://{}{path}", server.address());
    reqwest::get(url).await.expect("an answer").json().await.expect("JSON")
}

/// Memory, once it is as low as it gets within a while.
async fn memory(server: &Server, enough: u64) -> u64 {
    let begin = Instant::now();
    loop {
        let memory = server.memory();
        if memory <= enough || begin.elapsed() > Duration::from_secs(20) {
            return memory;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn connections_that_come_and_go_leave_nothing_behind() {
    let connections = size("SWITCHBOARD_SOAK_CONNECTIONS", 200);
    let server = Server::start().await;
    let mut base = None;
    for round in 0..size("SWITCHBOARD_SOAK_ROUNDS", ROUNDS) {
        let round = u8::try_from(round).expect("as many addresses as there are rounds");
        let begin = Instant::now();
        let mut tasks = JoinSet::new();
        for n in 0..connections {
            tasks.spawn(wander(server.address(), round, Random::new(u64::from(round) << 32 | n as u64)));
        }
        let mut outcome = Outcome::default();
        while let Some(result) = tasks.join_next().await {
            outcome += result.expect("a client that does not panic");
        }
        // It would not answer pings during a round.
        let mut observer = server.connect("/ws").await;
        settle(&mut observer).await;
        let stats = page(&server, "/stats").await;
        assert_eq!(stats, serde_json::json!({ "connections": 1, "subscriptions": 0, "topics": 0 }));
        let most = base.map_or(u64::MAX, |base: u64| base + base / 10 + SLACK);
        let memory = memory(&server, most).await;
        println!(
            "round {round}: {outcome} in {:?}; memory {}, peak {}",
            begin.elapsed(),
            Mib(memory),
            Mib(server.peak())
        );
        match base {
            None => base = Some(memory),
            Some(base) => assert!(memory <= most, "memory {} instead of {}", Mib(memory), Mib(base)),
        }
        assert!(outcome.delivered > 0 && outcome.vanished > 0 && outcome.closed > 0, "{outcome}");
        observer.assert_alive().await;
        assert_eq!(observer.close(1000).await, 1000);
    }
    server.stop().await;
}

#[tokio::test]
async fn one_client_that_joins_and_leaves_for_ever_leaves_nothing_behind() {
    let joins = size("SWITCHBOARD_SOAK_JOINS", 4000);
    let server = Server::start().await;
    let mut client = server.connect("/ws").await;
    let mut most = u64::MAX;
    let begin = Instant::now();
    for (round, count) in [joins.div_ceil(10), joins].into_iter().enumerate() {
        let (mut sent, mut answered) = (0, 0);
        while answered < 2 * count {
            while sent < count && sent * 2 < answered + 2 * AT_ONCE {
                // Ever new names: none may be kept.
                for message_type in ["JOIN", "LEAVE"] {
                    client.send(message_type, serde_json::json!({ "topic": format!("t{round}-{sent}") })).await;
                }
                sent += 1;
            }
            let answer = client.recv().await;
            assert_eq!(answer["type"], ["JOINED", "LEFT"][answered % 2], "{answer}");
            answered += 1;
            if answered % 200_000 == 0 {
                println!("{answered} of {} after {:?}", 2 * count, begin.elapsed());
            }
        }
        let memory = memory(&server, most).await;
        println!("{count} joins and leaves: memory {}", Mib(memory));
        assert!(memory <= most, "memory {} instead of {} at most", Mib(memory), Mib(most));
        most = memory + SLACK;
    }
    assert_eq!(page(&server, "/stats").await, serde_json::json!({ "connections": 1, "subscriptions": 0, "topics": 0 }));
    server.stop().await;
}
