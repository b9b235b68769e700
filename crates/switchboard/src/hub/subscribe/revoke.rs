//! Taking back what was allowed.

use std::{iter, pin::pin, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use tokio::task::yield_now;

use crate::{
    conn::{ConnId, ConnRef},
    fanout::IterGuard,
    hub::Hub,
};

/// So many members are asked about at once.
const ASKED_AT_ONCE: usize = 256;

/// So many places of a topic are looked at to copy members out.
const PORTION: usize = 256;

/// An answer that takes longer is no: whoever may no more is to be gone within a second.
const ANSWER_WITHIN: Duration = Duration::from_millis(900);

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
        let limit = rule.options.authorize_timeout.min(ANSWER_WITHIN);
        let topic = IterGuard::begin(topic);
        let mut next = Some(0);
        // A portion is copied out when its first is going to be asked about.
        let portions = iter::from_fn(|| {
            let mut members = Vec::new();
            next = topic.members(next?, PORTION, &mut members);
            let members: Vec<_> = members.into_iter().map(|member| ConnRef::new(member.subscriber)).collect();
            Some(members)
        });
        let answers = portions.flatten().map(async |member: ConnRef| {
            let conn = Arc::clone(member.inner());
            // Who leaves and comes back meanwhile is asked about then: this answer is not for that.
            let number = conn.subscriptions.lock().number(&name);
            let Some(number) = number else { return false };
            let answer = authorizer.ask(member, Arc::clone(&name), limit).await;
            answer.is_err() && self.remove_number(&*conn, &name, number)
        });
        let mut answers = pin!(stream::iter(answers).buffer_unordered(ASKED_AT_ONCE));
        let (mut answered, mut removed) = (0_usize, 0);
        while let Some(was_removed) = answers.next().await {
            removed += usize::from(was_removed);
            answered += 1;
            // A rule that answers at once would keep the thread until it was asked about everybody.
            if answered.is_multiple_of(ASKED_AT_ONCE) {
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
    async fn a_rule_that_answers_at_once_leaves_others_their_turn() {
        const MEMBERS: usize = 4 * ASKED_AT_ONCE;
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
