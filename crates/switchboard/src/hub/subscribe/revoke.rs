//! Taking back what was allowed.

use std::{iter, pin::pin, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use tokio::task::yield_now;

use crate::{
    conn::ConnId,
    fanout::IterGuard,
    hub::{Hub, Member, TopicName},
};

/// So many members are asked about at once.
const ASKED_AT_ONCE: usize = 256;

/// So many places of a topic are looked at to copy members out.
const PORTION: usize = 256;

/// An answer that takes longer is no: whoever may no more is to be gone within a second.
const ANSWER_WITHIN: Duration = Duration::from_millis(900);

impl Hub {
    /// Ends one connection's subscription to a topic, as when it has lost the right to it. Nothing
    /// of the topic arrives after this returned, but what waited to be written before.
    ///
    /// If that connection's subscription to that topic is being authorised at this moment, the
    /// application is asked about it again. `false` if there was none.
    #[expect(clippy::needless_pass_by_value, reason = "a name is lent or given away, as the caller likes")]
    pub fn remove_from_topic(&self, conn: ConnId, topic: impl TopicName) -> bool {
        let topic = self.name(topic.topic_name());
        self.0.authorizations.invalidate(&topic, Some(conn));
        self.0.connection(conn).is_some_and(|conn| self.remove(&*conn, &topic))
    }

    /// Asks again whether members may be subscribed to a topic, with the rule of
    /// [`TopicOptions::authorize_subscribe`](crate::TopicOptions::authorize_subscribe), and removes
    /// each that it refuses or does not answer for in time, as soon as that is known. How many were
    /// removed; 0 where there is no rule.
    ///
    /// An answer may take 900 ms, or
    /// [`authorize_timeout`](crate::TopicOptions::authorize_timeout) if that is less: whoever is not
    /// confirmed by then is removed. 256 members are asked about at once, and the next whenever one
    /// of them is done with. So whoever may no more is gone **within a second** of the call
    ///
    /// - in a topic with at most 256 members, whatever the rule does;
    /// - in one with at most 256 × 900 ms / *t* members where an answer takes *t*: 4600 with 50 ms,
    ///   23 000 with 10 ms; each that hangs takes one of the 256 places for those 900 ms.
    ///
    /// In larger topics it takes as much longer as there are more of them, since nobody is removed
    /// without having been asked about. All of this as far as the rule leaves the thread to others,
    /// and what it asks can answer as many questions at once.
    ///
    /// Subscriptions to the topic that are being authorised at this moment are asked about again,
    /// too, as part of subscribing; no other subscriptions are.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has asked about some.
    pub async fn reauthorize_topic(&self, topic: impl TopicName) -> usize {
        let name = self.name(topic.topic_name());
        self.0.authorizations.invalidate(&name, None);
        let Some(rule) = self.0.rules.find(&name).cloned() else { return 0 };
        let (Some(authorizer), Some(topic)) = (&rule.options.subscribe, self.topic(&name)) else { return 0 };
        let name: Arc<str> = (&*name).into();
        let limit = rule.options.authorize_timeout.min(ANSWER_WITHIN);
        let topic = IterGuard::begin(topic);
        let mut next = Some(0);
        // A portion is copied out when its first is going to be asked about.
        let portions = iter::from_fn(|| {
            let mut members = Vec::new();
            next = topic.members(next?, PORTION, &mut members);
            let members: Vec<_> = members.into_iter().map(|member| Member::new(member.subscriber)).collect();
            Some(members)
        });
        let answers = portions.flatten().map(async |member: Member| {
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
        assert_eq!(hub.reauthorize_topic("t").await, MEMBERS);
        other.abort();
        assert!(turns.load(SeqCst) >= 4, "{turns:?}");
        assert_eq!(hub.stats().topics, 0);
    }
}
