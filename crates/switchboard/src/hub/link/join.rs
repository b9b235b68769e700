//! Subscribing at the broker before a connection is subscribed.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use switchboard_cluster::{ClusterError, Join};
use switchboard_core::broker::{BrokerErrorKind, TopicName};
use tokio::sync::oneshot;

use super::{Link, live::topic_name};
use crate::hub::TopicError;

impl Link {
    /// Releases the hold of one subscription.
    pub(crate) fn leave(&self, topic: &Arc<str>) {
        if let Some(topic) = topic_name(topic) {
            self.input(|cluster, _, now| cluster.leave(&topic, now));
        }
    }

    /// Holds a topic that this node is subscribed to already.
    fn join_now(self: &Arc<Self>, topic: &TopicName) -> Option<Hold> {
        let joined = self.input(|cluster, _, now| cluster.is_joined(topic).then(|| cluster.join(topic, now)));
        matches!(joined, Some(Ok(Join::Ready))).then(|| Hold::new(self, topic))
    }

    /// Begins to hold a topic.
    fn join(self: &Arc<Self>, topic: &TopicName) -> Result<Joining, ClusterError> {
        self.input(|cluster, waiting, now| {
            let waits = match cluster.join(topic, now)? {
                Join::Ready => None,
                Join::Waiting(id) => {
                    let (sender, ended) = oneshot::channel();
                    waiting.joins.insert(id, (topic.clone(), sender));
                    Some(ended)
                }
            };
            Ok(Joining { link: Arc::clone(self), topic: topic.clone(), waits, is_kept: false })
        })
    }
}

/// Keeps a node subscribed to a topic at the broker.
struct Hold {
    link: Arc<Link>,
    topic: TopicName,
    /// A subscription releases it.
    is_kept: bool,
}

impl Hold {
    fn new(link: &Arc<Link>, topic: &TopicName) -> Self {
        Self { link: Arc::clone(link), topic: topic.clone(), is_kept: false }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.is_kept {
            self.link.input(|cluster, _, now| cluster.leave(&self.topic, now));
        }
    }
}

/// A hold that waits for the broker.
struct Joining {
    link: Arc<Link>,
    topic: TopicName,
    waits: Option<oneshot::Receiver<Result<(), ClusterError>>>,
    /// The hold is another's to release, or there is none.
    is_kept: bool,
}

impl Joining {
    async fn held(mut self) -> Result<Hold, ClusterError> {
        if let Some(ended) = &mut self.waits {
            // Without an answer, the runtime of the driver was shut down.
            let result = ended.await.unwrap_or(Err(ClusterError::Broker(BrokerErrorKind::Closed)));
            self.waits = None;
            if let Err(error) = result {
                self.is_kept = true;
                return Err(error);
            }
        }
        self.is_kept = true;
        Ok(Hold::new(&self.link, &self.topic))
    }
}

impl Drop for Joining {
    fn drop(&mut self) {
        let is_held = match &mut self.waits {
            None => !self.is_kept,
            Some(ended) => {
                // The driver releases a hold that it cannot pass on any more.
                ended.close();
                matches!(ended.try_recv(), Ok(Ok(())))
            }
        };
        if is_held {
            self.link.input(|cluster, _, now| cluster.leave(&self.topic, now));
        }
    }
}

/// The holds of a change of subscriptions, until it is applied. Those that it does not use are released.
pub(crate) struct Holds {
    link: Option<Arc<Link>>,
    held: FxHashMap<Arc<str>, Hold>,
}

impl Holds {
    pub(crate) fn new(link: Option<&Arc<Link>>) -> Self {
        Self { link: link.cloned(), held: FxHashMap::default() }
    }

    /// Returns whether topics must be held before a connection is subscribed.
    pub(crate) fn are_needed(&self) -> bool {
        self.link.is_some()
    }

    /// Holds topics, all or none: waits for the broker.
    pub(crate) async fn join(&mut self, topics: Vec<Arc<str>>) -> Result<(), TopicError> {
        let Some(link) = &self.link else { return Ok(()) };
        let mut joining = Vec::new();
        for name in topics {
            if self.held.contains_key(&name) {
                continue;
            }
            // All are begun before the first is waited for.
            if let Some(topic) = topic_name(&name) {
                joining.push((name, link.join(&topic).map_err(TopicError::cluster)?));
            }
        }
        for (name, joining) in joining {
            self.held.insert(name, joining.held().await.map_err(TopicError::cluster)?);
        }
        Ok(())
    }

    /// Returns whether all of these topics are held, after holding those that need not wait if `now`.
    pub(crate) fn have<'a>(&mut self, topics: impl Iterator<Item = &'a Arc<str>>, now: bool) -> bool {
        let Some(link) = &self.link else { return true };
        for name in topics {
            if self.held.contains_key(name) {
                continue;
            }
            let hold = topic_name(name).filter(|_| now).and_then(|topic| link.join_now(&topic));
            let Some(hold) = hold else { return false };
            self.held.insert(Arc::clone(name), hold);
        }
        true
    }

    /// Leaves the hold of a topic to its subscription, which releases it with [`Link::leave`].
    pub(crate) fn keep(&mut self, topic: &Arc<str>) {
        if let Some(mut hold) = self.held.remove(topic) {
            hold.is_kept = true;
        }
    }
}
