//! A well-behaved client beside an attack.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::JoinHandle,
    time::Duration,
};

use serde_json::json;
use switchboard_tests::client::PATIENCE;
use tokio::{
    runtime::Builder,
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

use super::{namespace::enter, process::connect};

/// Between two requests, so that it is no load of its own.
const PAUSE: Duration = Duration::from_millis(1);

/// What its slowest requests may take while others attack. Generous: other tests run at the same time.
const PATIENT: Duration = Duration::from_millis(250);

/// So many answers at most wait to be looked at: more than a test takes.
const MOST_TIMES: usize = 1 << 20;

/// Has ADD answered again and again, on a thread of its own: what the attackers of a test cost is not measured.
#[derive(Debug)]
pub(super) struct Neighbour {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    times: mpsc::Receiver<Duration>,
}

impl Neighbour {
    pub(super) fn start(address: SocketAddr) -> Self {
        Self::start_where(address, || {})
    }

    /// The same in the network of a server with this process id.
    pub(super) fn start_in_network_of(pid: u32, address: SocketAddr) -> Self {
        Self::start_where(address, move || enter(pid))
    }

    /// `enter` is called by its thread first.
    fn start_where(address: SocketAddr, enter: impl FnOnce() + Send + 'static) -> Self {
        let (told, times) = mpsc::channel(MOST_TIMES);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            enter();
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(run(address, &stopped, &told));
        });
        Self { thread: Some(thread), stop, times }
    }

    /// Waits for so many more answers, all of them right. How long all took since the last look.
    pub(super) async fn look(&mut self, more: usize) -> Times {
        let mut times = Vec::new();
        while let Ok(time) = self.times.try_recv() {
            times.push(time);
        }
        for _ in 0..more {
            let time = timeout(PATIENCE, self.times.recv()).await.expect("an answer in time");
            times.push(time.expect("a neighbour that was not disturbed"));
        }
        times.sort();
        Times(times)
    }

    /// Shows that none of its answers was wrong.
    pub(super) fn stop(mut self) {
        self.stop.store(true, SeqCst);
        let thread = self.thread.take().expect("stopped once");
        thread.join().expect("a neighbour that was not disturbed");
    }
}

/// The thread of a test that failed ends, too.
impl Drop for Neighbour {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
    }
}

async fn run(address: SocketAddr, stopped: &AtomicBool, told: &mpsc::Sender<Duration>) {
    let mut client = connect(address, "/ws").await;
    let mut n = 0_u32;
    while !stopped.load(SeqCst) {
        n += 1;
        let (id, begin) = (n.to_string(), Instant::now());
        let answer = client.request("ADD", &id, json!({ "a": n, "b": 0.5 })).await;
        let took = begin.elapsed();
        let expected = json!(f64::from(n) + 0.5);
        assert_eq!(
            (&answer["type"], &answer["meta"]["correlationId"], &answer["payload"]["result"]),
            (&json!("SUM"), &json!(id), &expected),
            "{answer}"
        );
        // It must not wait: that would be measured, too.
        if let Err(error) = told.try_send(took) {
            assert!(told.is_closed(), "nobody looks at the times: {error}");
            return;
        }
        sleep(PAUSE).await;
    }
}

/// How long answers took, sorted.
#[derive(Debug)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() - 1) * percent / 100]
    }

    pub(super) fn assert_patient(&self) {
        assert!(self.percentile(99) < PATIENT, "the neighbour's answers: {self}");
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (half, most, all) = (self.percentile(50), self.percentile(99), self.percentile(100));
        write!(f, "p50 {half:.1?}, p99 {most:.1?}, max {all:.1?} of {}", self.0.len())
    }
}
