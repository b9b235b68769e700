//! Revoking subscriptions.

use std::{iter, pin::pin, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use tokio::task::yield_now;

use crate::{
    conn::{ConnId, ConnRef},
    fanout::IterGuard,
    hub::Hub,
};

/// Concurrent authorizations.
const MAX_CONCURRENT: usize = 256;

/// Subscribers copied out of a topic at once.
const CHUNK: usize = 256;

/// Longer authorizations count as refused, so that a subscriber without the right is removed within
/// a second.
const MAX_ANSWER_TIME: Duration = Duration::from_millis(900);

impl Hub {
    pub(crate) fn remove_subscriber(&self, topic: &str, conn: ConnId) -> bool {
        self.0.authorizations.invalidate(topic, Some(conn));
        self.0.connection(conn).is_some_and(|conn| self.remove(&*conn, topic))
    }

    pub(crate) async fn reauthorize_subscribers(&self, name: &str) -> usize {
        self.0.authorizations.invalidate(name, None);
        let Some(rule) = self.0.rules.find(name).cloned() else { return 0 };
        let (Some(authorizer), Some(topic)) = (&rule.options.subscribe, self.find_topic(name)) else { return 0 };
        let name: Arc<str> = name.into();
        let limit = rule.options.authorize_timeout.min(MAX_ANSWER_TIME);
        let topic = IterGuard::begin(topic);
        let mut next = Some(0);
        // A chunk is copied when its first subscriber is due.
        let chunks = iter::from_fn(|| {
            let mut members = Vec::new();
            next = topic.members(next?, CHUNK, &mut members);
            let members: Vec<_> = members.into_iter().map(|member| ConnRef::new(member.subscriber)).collect();
            Some(members)
        });
        let answers = chunks.flatten().map(async |member: ConnRef| {
            let conn = Arc::clone(member.inner());
            // A subscription that replaces this one meanwhile is authorised on its own.
            let number = conn.subscriptions.lock().number(&name);
            let Some(number) = number else { return false };
            let answer = authorizer.ask(member, Arc::clone(&name), limit).await;
            answer.is_err() && self.remove_number(&*conn, &name, number)
        });
        let mut answers = pin!(stream::iter(answers).buffer_unordered(MAX_CONCURRENT));
        let (mut answered, mut removed) = (0_usize, 0);
        while let Some(was_removed) = answers.next().await {
            removed += usize::from(was_removed);
            answered += 1;
            // A rule that answers without waiting must not starve other tasks.
            if answered.is_multiple_of(MAX_CONCURRENT) {
                yield_now().await;
            }
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

    use super::*;
    use crate::hub::testing::conn;
    use crate::{Config, TopicOptions, WsError};

    #[tokio::test]
    async fn a_rule_that_answers_at_once_does_not_starve_other_tasks() {
        const MEMBERS: usize = 4 * MAX_CONCURRENT;
        let is_open = Arc::new(AtomicBool::new(true));
        let rule = Arc::clone(&is_open);
        let options = TopicOptions::new().authorize_subscribe(async move |_, _: Arc<str>| {
            if rule.load(SeqCst) { Ok(()) } else { Err(WsError::permission_denied("closed")) }
        });
        let hub = Hub::builder().topic("t", options).build();
        let members: Vec<_> = (0..MEMBERS).map(|_| conn(&hub, Config::new())).collect();
        for (conn, _) in &members {
            conn.subscribe("t").await.unwrap();
        }
        is_open.store(false, SeqCst);
        let turns = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&turns);
        let other = tokio::spawn(async move {
            loop {
                count.fetch_add(1, SeqCst);
                yield_now().await;
            }
        });
        assert_eq!(hub.topic("t").reauthorize().await, MEMBERS);
        other.abort();
        assert!(turns.load(SeqCst) >= 4, "{turns:?}");
        assert_eq!(hub.stats().topics, 0);
    }
}
