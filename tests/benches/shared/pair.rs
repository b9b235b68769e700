//! A server and one client of it, in one thread.

#![expect(unreachable_pub, reason = "a part of several programs")]

use std::time::{Duration, Instant};

use axum::Router;
use switchboard_tests::{
    client::Server,
    load::{Client, Target},
};
use tokio::runtime::{Builder, Runtime};

/// A server and a client of it, which run while the bench blocks on them.
pub struct Pair {
    runtime: Runtime,
    client: Client,
    _server: Server,
}

impl Pair {
    pub fn new(app: Router) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (server, client) = runtime.block_on(async {
            let server = Server::start(app);
            let target = Target::new(server.addr, false).expect("a target");
            let client = Client::connect(&target).await.expect("an upgrade");
            (server, client)
        });
        Self { runtime, client, _server: server }
    }

    /// Sends at least `count` requests; how long that many took.
    pub fn ask(&mut self, request: &str, reply: &str, depth: u32, count: u64) -> Duration {
        let batches = count.div_ceil(depth.into());
        let client = &mut self.client;
        let took = self.runtime.block_on(async {
            let started = Instant::now();
            for _ in 0..batches {
                (0..depth).for_each(|_| client.push(request));
                let mut missing = depth;
                while missing > 0 {
                    client.read().await.expect("an open connection");
                    while let Some(text) = client.next_text().expect("a text frame") {
                        assert!(text.starts_with(reply.as_bytes()), "{}", String::from_utf8_lossy(text));
                        missing -= 1;
                    }
                }
            }
            started.elapsed()
        });
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        took.mul_f64(count as f64 / (batches * u64::from(depth)) as f64)
    }
}
