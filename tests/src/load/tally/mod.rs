//! Counts during a run, and its costs.

mod histogram;

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

use self::histogram::Histogram;
use super::process;

/// Counts that all connections share.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Arc<Mutex<Counts>>);

#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    pub(super) messages: u64,
    pub(super) latencies: Histogram,
    errors: u64,
    first_error: Option<String>,
}

impl Counts {
    /// Counts a correct message.
    pub(super) fn good(&mut self, latency: Duration) {
        self.messages += 1;
        self.latencies.record(latency);
    }

    pub(super) fn bad(&mut self, why: &dyn fmt::Display) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| why.to_string());
    }
}

impl Tally {
    /// Hold it for one batch of messages, not over an `.await`.
    pub(super) fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the load, then measures. Errors count from the start, everything else only while it
    /// measures.
    pub(super) async fn measure(
        &self,
        pids: &[u32],
        warmup: Duration,
        time: Duration,
    ) -> io::Result<Map<String, Value>> {
        tokio::time::sleep(warmup).await;
        let started = Usage::now(pids)?;
        {
            let mut counts = self.lock();
            (counts.messages, counts.latencies) = (0, Histogram::default());
        }
        tokio::time::sleep(time).await;
        let ended = Usage::now(pids)?;
        let counts = self.lock().clone();
        Ok(result(&counts, &started, &ended))
    }

    /// Adds the errors to a result at the end of a run.
    pub(super) fn errors(&self, result: &mut Map<String, Value>) {
        let counts = self.lock();
        result.insert("errors".into(), json!(counts.errors));
        if let Some(error) = &counts.first_error {
            result.insert("first_error".into(), json!(error));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn result(counts: &Counts, started: &Usage, ended: &Usage) -> Map<String, Value> {
    let seconds = (ended.at - started.at).as_secs_f64();
    let server = ended.server.saturating_sub(started.server).as_secs_f64();
    let own = ended.own.saturating_sub(started.own).as_secs_f64();
    let per_message = |seconds: f64| seconds * 1e6 / counts.messages.max(1) as f64;
    let values = [
        ("messages", counts.messages as f64),
        ("messages_per_second", counts.messages as f64 / seconds),
        ("server_us", per_message(server)),
        ("server_cpu", server / seconds),
        ("load_cpu", own / seconds),
        ("p50_us", counts.latencies.quantile(0.5)),
        ("p99_us", counts.latencies.quantile(0.99)),
        ("p999_us", counts.latencies.quantile(0.999)),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

/// The resources used up to a moment.
pub(super) struct Usage {
    at: Instant,
    server: Duration,
    own: Duration,
}

impl Usage {
    fn now(pids: &[u32]) -> io::Result<Self> {
        Ok(Self { at: Instant::now(), server: process::cpu_time_of_all(pids)?, own: process::own_cpu_time()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_has_the_cost_per_message() {
        let mut counts = Counts::default();
        (0..1000).for_each(|_| counts.good(Duration::from_micros(50)));
        let at = Instant::now();
        let started = Usage { at, server: Duration::from_millis(10), own: Duration::ZERO };
        let ended =
            Usage { at: at + Duration::from_secs(2), server: Duration::from_millis(30), own: Duration::from_secs(1) };
        let result = result(&counts, &started, &ended);
        assert_eq!(result["messages_per_second"], 500.0);
        assert!((result["server_us"].as_f64().unwrap() - 20.0).abs() < 1e-9);
        assert_eq!(result["load_cpu"], 0.5);
    }

    #[test]
    fn the_first_error_is_kept() {
        let tally = Tally::default();
        tally.lock().bad(&"a");
        tally.lock().bad(&"b");
        let mut result = Map::new();
        tally.errors(&mut result);
        assert_eq!(Value::from(result), json!({ "errors": 2, "first_error": "a" }));
    }
}
