//! Making a hub with settings.

use std::{fmt, sync::Arc};

use super::{Hub, TopicOptions, rules::Rules};

/// How topics' names are made comparable.
pub(crate) type Normalize = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Makes a [`Hub`]: see [`Hub::builder`].
#[derive(Clone)]
#[must_use]
pub struct HubBuilder {
    topics: Vec<(Box<str>, TopicOptions)>,
    pub(super) normalize: Option<Normalize>,
    pub(super) max_queued_bytes: usize,
    pub(super) max_queued_user_events: usize,
}

impl HubBuilder {
    fn new() -> Self {
        Self { topics: Vec::new(), normalize: None, max_queued_bytes: usize::MAX, max_queued_user_events: 1024 }
    }

    /// Sets the rules of all topics that a pattern matches: a name, or the beginning of names and
    /// `*`. Of several patterns that match a topic the first counts.
    ///
    /// ```
    /// use switchboard::{Hub, SlowConsumer, TopicOptions};
    ///
    /// let hub = Hub::builder()
    ///     .topic("cursor:*", TopicOptions::new().no_self_delivery().slow_consumer(SlowConsumer::DropOldest))
    ///     .topic("room:*", TopicOptions::new().max_members(500).max_per_connection(10))
    ///     .build();
    /// # let _ = hub;
    /// ```
    pub fn topic(mut self, pattern: impl Into<String>, options: TopicOptions) -> Self {
        self.topics.push((pattern.into().into_boxed_str(), options));
        self
    }

    /// Makes different spellings of a topic's name one, wherever a name is given: in lower case, or
    /// without a slash at the end. What comes out must be a fixed point.
    ///
    /// ```
    /// # use switchboard::Hub;
    /// let hub = Hub::builder().normalize_topics(|name| name.to_lowercase()).build();
    /// # let _ = hub;
    /// ```
    pub fn normalize_topics(mut self, normalize: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.normalize = Some(Arc::new(normalize));
        self
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
    ///
    /// That holds for members of topics that [drop](crate::SlowConsumer::DropOldest) messages, too:
    /// those are dropped where the queue of a connection is full, not where this limit is reached.
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
    ///
    /// # Panics
    ///
    /// If a pattern is neither a valid name nor the beginning of one and `*`, or stands behind
    /// another that matches all that it does.
    #[must_use]
    #[track_caller]
    pub fn build(mut self) -> Hub {
        match Rules::new(std::mem::take(&mut self.topics)) {
            Ok(rules) => Hub::with(self, rules),
            Err(error) => panic!("{error}"),
        }
    }
}

impl fmt::Debug for HubBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubBuilder")
            .field("topics", &self.topics)
            .field("max_queued_bytes", &self.max_queued_bytes)
            .field("max_queued_user_events", &self.max_queued_user_events)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub with settings.
    ///
    /// | setting | default | beyond it |
    /// |---|---|---|
    /// | [`topic`](HubBuilder::topic) | no rules: handlers decide | what [`TopicOptions`] say |
    /// | [`normalize_topics`](HubBuilder::normalize_topics) | names stay as they are given | |
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
