//! A well-behaved client.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{runtime::Builder, time::sleep};

use super::clients::connect;

/// The pause between two requests, so that it is no load of its own.
const PAUSE: Duration = Duration::from_millis(1);

/// Sends one request after the other, on a thread of its own.
#[derive(Debug)]
pub(super) struct Neighbour {
    thread: JoinHandle<io::Result<Vec<Duration>>>,
    stop: Arc<AtomicBool>,
}

impl Neighbour {
    pub(super) fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(ask(address, &stopped)))
        });
        Self { thread, stop }
    }

    /// Stops it and returns the latencies.
    pub(super) fn stop_after(self, time: Duration) -> io::Result<Times> {
        std::thread::sleep(time);
        self.stop.store(true, Relaxed);
        let mut times = self.thread.join().map_err(|_| io::Error::other("the neighbour got no answer"))??;
        times.sort();
        if times.is_empty() { Err(io::Error::other("the neighbour never got an answer")) } else { Ok(Times(times)) }
    }
}

async fn ask(address: SocketAddr, stop: &AtomicBool) -> Vec<Duration> {
    let mut client = connect(address).await;
    let mut times = Vec::new();
    let mut n = 0_u32;
    while !stop.load(Relaxed) {
        n += 1;
        let begin = Instant::now();
        let answer = client.request("NOW", &n.to_string(), json!({})).await;
        assert_eq!(answer["type"], "DONE", "{answer}");
        times.push(begin.elapsed());
        sleep(PAUSE).await;
    }
    times
}

/// Sorted, and never empty.
#[derive(Debug)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn p99(&self) -> Duration {
        self.at(99)
    }

    fn at(&self, percent: usize) -> Duration {
        self.0[(self.0.len() - 1) * percent / 100]
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.2?} p99 {:.2?} max {:.2?} of {}", self.at(50), self.p99(), self.at(100), self.0.len())
    }
}
