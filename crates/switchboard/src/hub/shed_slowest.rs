//! Closing the slowest consumers when the hub's queues hold too many bytes.

use crate::{conn::ConnId, hub::Hub};

/// Marks shedding as in progress until dropped.
struct Shedding(Hub);

impl Drop for Shedding {
    fn drop(&mut self) {
        self.0.0.queued.end_shedding();
    }
}

impl Hub {
    /// Starts a task that closes the slowest consumers, if one is due. Called by connections that
    /// cannot write.
    pub(crate) fn shed_if_due(&self) {
        if self.0.queued.begin_shedding() {
            tokio::spawn(shed(Shedding(self.clone())));
        }
    }
}

async fn shed(shedding: Shedding) {
    let hub = &shedding.0;
    let mut slow: Vec<(usize, ConnId)> = Vec::new();
    for (index, conn) in hub.local_connections().enumerate() {
        if conn.has_queued() {
            slow.push((conn.buffered(), conn.id()));
        }
        if index % 256 == 255 {
            tokio::task::yield_now().await;
        }
    }
    slow.sort_unstable_by(|one, other| other.cmp(one));
    let mut closed = 0_usize;
    for (_, id) in slow {
        if hub.0.queued.is_relieved() {
            break;
        }
        if hub.0.connection(id).is_some_and(|conn| conn.outbox.overflow()) {
            closed += 1;
            if closed.is_multiple_of(256) {
                tokio::task::yield_now().await;
            }
        }
    }
    tracing::warn!(
        closed,
        "slow consumers closed: the queues held more than three quarters of `HubBuilder::max_queued_bytes`"
    );
}
