//! Hubs with settings.

use super::Hub;

/// Makes a [`Hub`]: see [`Hub::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct HubBuilder {
    pub(super) max_queued_bytes: usize,
    pub(super) max_queued_user_events: usize,
}

impl HubBuilder {
    fn new() -> Self {
        Self { max_queued_bytes: usize::MAX, max_queued_user_events: 1024 }
    }

    /// How many bytes may wait to be written to all connections of the hub together. By default as
    /// many as [`Config::max_outbound_bytes`](crate::Config::max_outbound_bytes) allows each.
    ///
    /// What counts is what stays queued because clients do not read as fast, each message with its
    /// overhead, and one for many as often as there are many; not what leaves at once. When three
    /// quarters of this are reached, connections are closed with 4002, those with the most bytes
    /// first, until half is left. Where bytes come faster than that, whichever connection would go
    /// beyond the limit is closed at once. Nothing counts for a client that keeps up with what it is
    /// sent. Set this to some hundred times the largest message, so that a single one for a client
    /// that is behind for a moment decides nothing.
    pub fn max_queued_bytes(mut self, bytes: usize) -> Self {
        self.max_queued_bytes = bytes;
        self
    }

    /// How many events may wait for each reader of [`Hub::user_events`]: beyond them the oldest are
    /// lost, which it is told. By default 1024; rounded up to a power of two.
    pub fn max_queued_user_events(mut self, count: usize) -> Self {
        self.max_queued_user_events = count;
        self
    }

    /// The hub.
    #[must_use]
    pub fn build(self) -> Hub {
        Hub::with(&self)
    }
}

impl Hub {
    /// A hub with settings.
    ///
    /// | setting | default | beyond it |
    /// |---|---|---|
    /// | [`max_queued_bytes`](HubBuilder::max_queued_bytes) | none, of all connections | the slowest are closed with 4002 |
    /// | [`max_queued_user_events`](HubBuilder::max_queued_user_events) | 1024 for each reader | the oldest are lost |
    ///
    /// ```
    /// use switchboard::Hub;
    ///
    /// let hub = Hub::builder().max_queued_bytes(512 * 1024 * 1024).build();
    /// # let _ = hub;
    /// ```
    pub fn builder() -> HubBuilder {
        HubBuilder::new()
    }
}
