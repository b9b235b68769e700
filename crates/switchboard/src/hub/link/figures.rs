//! The figures of the link, for the crate `metrics`.

use std::time::Duration;

use switchboard_cluster::{ClusterStats, Health};
use tokio::time::Instant;

/// The time between two records. Reading the figures takes the lock of the link.
const INTERVAL: Duration = Duration::from_secs(1);

/// What was recorded last. Only differences are recorded, so that the links of several hubs in one process add up.
pub(super) struct Figures {
    recorded: ClusterStats,
    is_healthy: bool,
    next_at: Instant,
}

impl Figures {
    pub(super) fn new() -> Self {
        Self { recorded: ClusterStats::default(), is_healthy: false, next_at: Instant::now() }
    }

    /// Records what has changed, when it is time.
    pub(super) fn record(&mut self, read: impl FnOnce() -> (ClusterStats, Health)) {
        let now = Instant::now();
        if now >= self.next_at {
            self.next_at = now + INTERVAL;
            let (stats, health) = read();
            self.set(stats, health == Health::Healthy);
        }
    }

    fn set(&mut self, stats: ClusterStats, is_healthy: bool) {
        let before = std::mem::replace(&mut self.recorded, stats);
        let was_healthy = std::mem::replace(&mut self.is_healthy, is_healthy);
        gauge("switchboard_cluster_healthy", was_healthy.into(), is_healthy.into());
        gauge("switchboard_cluster_nodes", before.nodes, stats.nodes);
        gauge("switchboard_cluster_channels", before.channels, stats.channels);
        gauge("switchboard_cluster_remote_users", before.remote_users, stats.remote_users);
        gauge("switchboard_cluster_pending_publishes", before.pending_publishes, stats.pending_publishes);
        gauge("switchboard_cluster_pending_bytes", before.pending_bytes, stats.pending_bytes);
        gauge("switchboard_cluster_queued_outputs", before.queued_outputs, stats.queued_outputs);
        gauge("switchboard_cluster_queued_bytes", before.queued_bytes, stats.queued_bytes);
        let requests = "switchboard_cluster_client_requests";
        metrics::gauge!(requests, "side" => "asked")
            .increment(difference(before.client_requests, stats.client_requests));
        metrics::gauge!(requests, "side" => "served")
            .increment(difference(before.served_requests, stats.served_requests));
        counter("switchboard_cluster_sent_total", before.sent_messages, stats.sent_messages);
        counter("switchboard_cluster_received_total", before.received_messages, stats.received_messages);
        counter("switchboard_cluster_gaps_total", before.gaps, stats.gaps);
        counter("switchboard_cluster_failed_publishes_total", before.failed_publishes, stats.failed_publishes);
        counter("switchboard_cluster_resubscriptions_total", before.resubscriptions, stats.resubscriptions);
        counter("switchboard_cluster_repairs_total", before.repairs, stats.repairs);
        counter("switchboard_cluster_pauses_total", before.pauses, stats.pauses);
        let skipped = [
            ("newer", before.newer_messages, stats.newer_messages),
            ("malformed", before.malformed_messages, stats.malformed_messages),
            ("old", before.old_messages, stats.old_messages),
            ("dropped", before.dropped_messages, stats.dropped_messages),
        ];
        for (reason, before, after) in skipped {
            let skipped = metrics::counter!("switchboard_cluster_skipped_total", "reason" => reason);
            skipped.increment(after.saturating_sub(before));
        }
    }
}

/// The link is gone, and what it had with it.
impl Drop for Figures {
    fn drop(&mut self) {
        let mut gone = self.recorded;
        (gone.nodes, gone.channels, gone.remote_users) = (0, 0, 0);
        (gone.pending_publishes, gone.pending_bytes) = (0, 0);
        (gone.queued_outputs, gone.queued_bytes) = (0, 0);
        (gone.client_requests, gone.served_requests) = (0, 0);
        self.set(gone, false);
    }
}

fn gauge(name: &'static str, before: usize, after: usize) {
    metrics::gauge!(name).increment(difference(before, after));
}

fn difference(before: usize, after: usize) -> f64 {
    after as f64 - before as f64
}

fn counter(name: &'static str, before: u64, after: u64) {
    metrics::counter!(name).increment(after.saturating_sub(before));
}
