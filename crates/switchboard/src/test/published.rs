//! Captured publishes.

use std::{borrow::Cow, collections::VecDeque, fmt, future::Future, panic::Location, pin::pin};

use switchboard_core::Message;
use tokio::time::timeout_at;

use super::{
    QUIET, TestApp,
    client::deadline,
    failure::{fail, meanwhile, shown},
    wire::Envelope,
};
use crate::{ConnId, TopicOf, hub::Record};

/// A published message, with or without subscribers: [`TestApp::captured`].
pub struct CapturedPublish {
    topic: Box<str>,
    sender: Option<ConnId>,
    envelope: Envelope,
}

impl CapturedPublish {
    /// Returns `None` if the frame is not a message.
    fn new(record: &Record) -> Option<Self> {
        let envelope = Envelope::parse(record.frame.text_payload()?.to_owned()).ok()?;
        Some(Self { topic: record.topic.clone(), sender: record.sender, envelope })
    }

    /// Returns the topic.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Returns the message's type tag.
    #[must_use]
    pub fn message_type(&self) -> &str {
        &self.envelope.message_type
    }

    /// Returns the connection that published the message; `None` if a [`Hub`](crate::Hub) did.
    #[must_use]
    pub fn sender(&self) -> Option<ConnId> {
        self.sender
    }

    /// Decodes the message, if it is an `M`.
    #[must_use]
    pub fn message<M: Message>(&self) -> Option<M> {
        (self.message_type() == M::TYPE).then(|| self.envelope.message().ok()).flatten()
    }
}

impl fmt::Display for CapturedPublish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "to {:?}: {}", self.topic, shown(&self.envelope.text))
    }
}

impl fmt::Debug for CapturedPublish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedPublish").field("topic", &self.topic).field("text", &self.envelope.text).finish()
    }
}

impl TestApp {
    /// Takes all messages published so far by connections and by the hub, in order.
    ///
    /// For apps made by [`axum`](Self::axum), capturing starts with the first connection, or with
    /// [`with_hub`](Self::with_hub).
    ///
    /// # Panics
    ///
    /// If more than 16 384 messages were not taken; the oldest are lost then.
    #[track_caller]
    pub fn captured(&self) -> Vec<CapturedPublish> {
        let at = Location::caller();
        self.with_records(at, |records| records.drain(..).filter_map(|record| CapturedPublish::new(&record)).collect())
    }

    /// Takes the next message published to a topic, which must be an `M`. Waits if there is none yet.
    ///
    /// # Panics
    ///
    /// If it has another type, if nothing is published to the topic within the patience, or as
    /// [`captured`](Self::captured).
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a name is lent or given away, as the caller likes")]
    pub fn expect_published<M: Message>(&self, topic: impl TopicOf<M>) -> impl Future<Output = M> + Send {
        let (at, topic) = (Location::caller(), topic.topic_name().to_owned());
        async move {
            let what = format!("{} to be published to {topic:?}", M::TYPE);
            let deadline = deadline(self.patience);
            loop {
                let mut more = pin!(self.probe.log().more());
                more.as_mut().enable();
                if let Some(publish) = self.take_published(at, &topic) {
                    if publish.message_type() != M::TYPE {
                        fail(at, format_args!("expected {what}, got {publish}"));
                    }
                    return publish.envelope.read(at);
                }
                if timeout_at(deadline, more).await.is_err() {
                    let others =
                        self.with_records(at, |records| records.iter().filter_map(CapturedPublish::new).collect());
                    let others: Vec<CapturedPublish> = others;
                    fail(at, format_args!("waited {:?} for {what}{}", self.patience, meanwhile(others.iter())));
                }
            }
        }
    }

    /// Asserts that nothing is published until the application is [quiet](Self::settle), and that all
    /// messages published before were taken.
    ///
    /// # Panics
    ///
    /// If there is a message, or as [`captured`](Self::captured).
    #[track_caller]
    pub fn expect_nothing_published(&self) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            tokio::time::sleep(QUIET).await;
            let first = self.with_records(at, |records| records.iter().find_map(CapturedPublish::new));
            if let Some(publish) = first {
                fail(at, format_args!("expected nothing to be published, got {publish}"));
            }
        }
    }

    fn take_published(&self, at: &Location<'_>, topic: &str) -> Option<CapturedPublish> {
        let hub = self.probe.hub();
        let topic = hub.as_ref().map_or(Cow::Borrowed(topic), |hub| hub.name(topic));
        self.with_records(at, |records| {
            let index = records.iter().position(|record| *record.topic == *topic)?;
            records.remove(index).as_ref().and_then(CapturedPublish::new)
        })
    }

    fn with_records<T>(&self, at: &Location<'_>, look: impl FnOnce(&mut VecDeque<Record>) -> T) -> T {
        let looked = self.probe.log().with(|records, lost| if lost == 0 { Ok(look(records)) } else { Err(lost) });
        looked.unwrap_or_else(|lost| {
            fail(at, format_args!("too many messages were published and not taken: the oldest {lost} are lost"))
        })
    }
}
