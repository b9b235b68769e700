//! What the server says of itself.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard_tests::client::Client;
use tokio::time::{Instant, sleep};

use super::process::Server;

/// Asks on a connection of its own, which counts as one.
#[derive(Debug)]
pub(super) struct Observer {
    client: Client,
}

/// The answer to INSPECT.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inspected {
    pub(super) running: u64,
    pub(super) dropped: u64,
    pub(super) connections: u64,
}

impl Inspected {
    pub(super) fn of(message: &Value) -> Self {
        assert_eq!(message["type"], "INSPECTED", "{message}");
        let number = |key: &str| message["payload"][key].as_u64().expect("a number");
        Self { running: number("running"), dropped: number("dropped"), connections: number("connections") }
    }
}

impl Observer {
    pub(super) async fn connect(server: &Server) -> Self {
        Self { client: server.connect("/ws").await }
    }

    pub(super) async fn inspect(&mut self) -> Inspected {
        Inspected::of(&self.client.request("INSPECT", "inspect", json!({})).await)
    }

    /// Asks until something holds.
    pub(super) async fn wait_until(&mut self, within: Duration, holds: impl Fn(Inspected) -> bool) -> Inspected {
        let begin = Instant::now();
        loop {
            let seen = self.inspect().await;
            if holds(seen) {
                return seen;
            }
            assert!(begin.elapsed() < within, "{seen:?} after {within:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}
