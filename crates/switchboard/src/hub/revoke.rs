//! Taking back what was allowed.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use futures_util::{StreamExt as _, stream};

use super::{Hub, Member};
use crate::conn::ConnId;

/// So many members are copied out, and asked about, at once.
const PORTION: usize = 64;

impl Hub {
    /// Ends one connection's subscription to a topic, as when it has lost the right to it. Nothing
    /// of the topic arrives after this returned, but what waited to be written before.
    ///
    /// A subscription that is being authorised at this moment is asked about again. `false` if
    /// there was none.
    pub fn remove_from_topic(&self, conn: ConnId, topic: impl AsRef<str>) -> bool {
        self.0.revocations.fetch_add(1, Relaxed);
        let Some(conn) = self.0.connection(conn) else { return false };
        self.remove(conn.subscriptions.lock(), &self.name(topic.as_ref()))
    }

    /// Asks again whether members may be subscribed to a topic, with the rule of
    /// [`TopicOptions::authorize_subscribe`](crate::TopicOptions::authorize_subscribe), and removes
    /// each that it refuses or does not answer for in time. How many were removed; 0 where there is
    /// no rule.
    ///
    /// Members are asked about 64 at a time, and gone as soon as the answer is no. So are
    /// subscriptions that are being authorised at this moment.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has asked about some.
    pub async fn reauthorize_topic(&self, topic: impl AsRef<str>) -> usize {
        self.0.revocations.fetch_add(1, Relaxed);
        let name = self.name(topic.as_ref());
        let Some(rule) = self.0.rules.find(&name).cloned() else { return 0 };
        let (Some(authorizer), Some(topic)) = (&rule.options.subscribe, self.topic(&name)) else { return 0 };
        let name: Arc<str> = (&*name).into();
        let limit = rule.options.authorize_timeout;
        let (mut removed, mut next) = (0, Some(0));
        while let Some(start) = next {
            let mut members = Vec::new();
            next = topic.members(start, PORTION, &mut members);
            let answers = members.into_iter().map(|member| async {
                let conn = member.conn;
                let answer = authorizer.ask(Member::new(Arc::clone(&conn)), Arc::clone(&name), limit).await;
                answer.is_err() && self.remove(conn.subscriptions.lock(), &name)
            });
            let mut answers = stream::iter(answers).buffer_unordered(PORTION);
            while let Some(was_removed) = answers.next().await {
                removed += usize::from(was_removed);
            }
        }
        removed
    }
}
