//! Making a hub with settings.

use std::{fmt, sync::Arc};

use super::{Hub, HubInner, TopicOptions, rules::Rules};

/// How topics' names are made comparable.
pub(crate) type Normalize = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// A hub in the making: [`Hub::builder`].
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
#[derive(Default)]
#[must_use]
pub struct HubBuilder {
    topics: Vec<(Box<str>, TopicOptions)>,
    normalize: Option<Normalize>,
}

impl HubBuilder {
    /// Sets the rules of all topics that a pattern matches: a name, or the beginning of names and
    /// `*`. Of several patterns that match a topic the first counts.
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

    /// The hub.
    ///
    /// # Panics
    ///
    /// If a pattern is neither a valid name nor the beginning of one and `*`, or stands behind
    /// another that matches all that it does.
    #[must_use]
    #[track_caller]
    pub fn build(self) -> Hub {
        match Rules::new(self.topics) {
            Ok(rules) => Hub(Arc::new(HubInner { rules, normalize: self.normalize, ..HubInner::default() })),
            Err(error) => panic!("{error}"),
        }
    }
}

impl fmt::Debug for HubBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubBuilder").field("topics", &self.topics).finish_non_exhaustive()
    }
}
