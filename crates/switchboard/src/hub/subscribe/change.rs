//! Changes of what a connection is subscribed to, all-or-nothing.
//!
//! The order is that of `docs/protocol.md`, 7.6: normalise, wait for changes of the same topics,
//! skip what is subscribed to already, validate, authorise, check quotas, and only then change
//! anything.

use std::{
    collections::hash_map::Entry,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use rustc_hash::FxHashMap;
use tokio::task::coop::consume_budget;

use super::{Attempt, RequestedTopic, Subscription, SubscriptionRequest};
use crate::{
    conn::{AnyConn, ConnInner, ConnRef},
    fanout::Removed,
    hub::{Filter, Hub, Subscriptions, Topic, TopicError, topics::RuleId},
    shrink::shrink,
};

/// How many authorizations of one change wait for answers at once.
const ASKED_AT_ONCE: usize = 16;

/// How often authorizations are repeated because rights to the same topics were revoked meanwhile.
const MAX_ROUNDS: usize = 8;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TopicChange {
    /// The topics that the connection was not subscribed to before.
    pub joined: Vec<String>,
    /// The topics that it is not subscribed to any more.
    pub left: Vec<String>,
}

/// The same before it is copied out.
pub(crate) struct CommittedChange<'a> {
    pub(crate) joined: Vec<&'a RequestedTopic>,
    pub(crate) left: Vec<Arc<Topic>>,
}

impl From<CommittedChange<'_>> for TopicChange {
    fn from(committed: CommittedChange<'_>) -> Self {
        Self {
            joined: committed.joined.iter().map(|topic| String::from(&*topic.name)).collect(),
            left: committed.left.iter().map(|topic| String::from(&**topic.name())).collect(),
        }
    }
}

/// Why nothing was joined.
enum NotJoined {
    /// The application was not asked about all topics, or rights were revoked since.
    AskAgain,
    Failed(TopicError),
}

impl From<TopicError> for NotJoined {
    fn from(error: TopicError) -> Self {
        Self::Failed(error)
    }
}

impl Hub {
    /// Makes all of a change or nothing, when nothing has to be waited for. `None` if something has:
    /// another change of the same topics, or an authorization.
    pub(crate) fn change_now<'r>(
        &self,
        conn: &Arc<AnyConn>,
        request: &'r SubscriptionRequest,
        filter: &mut Option<Filter>,
    ) -> Option<Result<CommittedChange<'r>, TopicError>> {
        self.commit(conn, request, filter, None)
    }

    /// Makes all of a change or nothing. Dropped while it waits, it has done nothing.
    pub(crate) async fn change<'r>(
        &self,
        conn: &Arc<AnyConn>,
        request: &'r SubscriptionRequest,
        mut filter: Option<Filter>,
    ) -> Result<CommittedChange<'r>, TopicError> {
        let _reserved = conn.reserve(request).await;
        let mut attempt = Attempt::new(&self.0.authorizations, conn.id);
        for _ in 0..MAX_ROUNDS {
            self.authorize(conn, request, &mut attempt).await?;
            if let Some(result) = self.commit(conn, request, &mut filter, Some(&attempt)) {
                return result;
            }
        }
        Err(TopicError::unsettled())
    }

    /// Asks the application about all topics that are to be joined, except those about which it has
    /// answered already.
    async fn authorize(
        &self,
        conn: &Arc<AnyConn>,
        request: &SubscriptionRequest,
        attempt: &mut Attempt<'_>,
    ) -> Result<(), TopicError> {
        let mut authorizations = Vec::new();
        let (joins, _) = request.difference(&conn.subscriptions.lock());
        for topic in joins {
            topic.check_name()?;
            let Some(rule) = &topic.rule else { continue };
            if let Some(authorizer) = &rule.options.subscribe
                && attempt.begin(&topic.name)
            {
                let member = ConnRef::new(Arc::clone(conn));
                let (name, limit) = (Arc::clone(&topic.name), rule.options.authorize_timeout);
                authorizations.push(async move {
                    let answer = authorizer.ask(member, Arc::clone(&name), limit).await;
                    answer.map_err(|refusal| TopicError::refused(&name, refusal))
                });
            }
        }
        let answers = stream::iter(authorizations).buffered(ASKED_AT_ONCE);
        // Many rules that answer at once must not keep the thread.
        answers.try_for_each(|()| consume_budget().map(Ok)).await
    }

    /// `None` if something has to be waited for before.
    fn commit<'r>(
        &self,
        conn: &Arc<AnyConn>,
        request: &'r SubscriptionRequest,
        filter: &mut Option<Filter>,
        attempt: Option<&Attempt<'_>>,
    ) -> Option<Result<CommittedChange<'r>, TopicError>> {
        let mut subscriptions = conn.subscriptions.lock();
        if attempt.is_none() && conn.is_changing_any(request) {
            return None;
        }
        let (joined, left) = request.difference(&subscriptions);
        for topic in &joined {
            if let Err(error) = topic.check_name() {
                return Some(Err(error));
            }
            if attempt.is_none() && topic.needs_authorization() {
                return None;
            }
        }
        if !joined.is_empty() {
            match self.join(conn, &mut subscriptions, &joined, &left, filter, attempt) {
                Ok(()) => {}
                Err(NotJoined::Failed(error)) => return Some(Err(error)),
                Err(NotJoined::AskAgain) => return None,
            }
        }
        // Nothing is allocated for the one that mostly is none.
        let removed: Vec<_> = left.iter().filter_map(|topic| self.take_out(&mut subscriptions, topic.name())).collect();
        drop(subscriptions);
        removed.into_iter().for_each(Removed::finish);
        Some(Ok(CommittedChange { joined, left }))
    }

    /// Adds subscriptions, all or none. The names are valid and allowed; the subscriptions in
    /// `leaves` do not count.
    fn join(
        &self,
        conn: &Arc<AnyConn>,
        subscriptions: &mut Subscriptions,
        joins: &[&RequestedTopic],
        leaves: &[Arc<Topic>],
        filter: &mut Option<Filter>,
        attempt: Option<&Attempt<'_>>,
    ) -> Result<(), NotJoined> {
        // Checked under the lock under which the connection's end takes all subscriptions.
        if subscriptions.ended() || conn.outbox.is_closed() {
            return Err(TopicError::closed().into());
        }
        let (limit, current) = (conn.settings.config.max_subscriptions, subscriptions.len() - leaves.len());
        if current + joins.len() > limit {
            return Err(TopicError::limit(limit, current).into());
        }
        check_pattern_limits(subscriptions, joins, leaves)?;
        let mut topics = self.0.topics.write();
        // Checked under this lock: a revocation first invalidates open authorizations, and looks for
        // members after. The attempt may miss a topic that the connection was still subscribed to
        // when the others were authorised, and was removed from since.
        if let Some(attempt) = attempt {
            let asked = joins.iter().filter(|topic| topic.needs_authorization());
            if !attempt.counts_for(asked.map(|topic| &*topic.name)) {
                return Err(NotJoined::AskAgain);
            }
        }
        for topic in joins {
            if let Some(limit) = topic.rule.as_ref().and_then(|rule| rule.options.max_members) {
                let current = topics.get(&topic.name).map_or(0, |topic| topic.len());
                if current >= limit {
                    return Err(TopicError::members_limit(&topic.name, limit, current).into());
                }
            }
        }
        let filter = filter.take();
        if filter.is_some() {
            // Before a publisher can find it.
            self.0.filters.fetch_add(joins.len(), Relaxed);
        }
        for joined in joins {
            let topic = match topics.entry(Arc::clone(&joined.name)) {
                Entry::Occupied(topic) => topic.into_mut(),
                Entry::Vacant(vacant) => {
                    let topic = Topic::new(Arc::clone(&joined.name), joined.rule.clone());
                    vacant.insert(Arc::new(topic))
                }
            };
            let key = topic.insert(Arc::clone(conn), filter.clone());
            subscriptions.push(Arc::clone(topic), key);
        }
        self.0.subscriptions.fetch_add(joins.len(), Relaxed);
        Ok(())
    }

    /// Ends one subscription whatever else is going on.
    pub(crate) fn remove<D: ?Sized>(&self, conn: &ConnInner<D>, topic: &str) -> bool {
        self.remove_if(conn, topic, |_| true)
    }

    /// Ends one subscription if it is that of this number, not a later one.
    pub(crate) fn remove_number<D: ?Sized>(&self, conn: &ConnInner<D>, topic: &str, number: u32) -> bool {
        self.remove_if(conn, topic, |subscriptions| subscriptions.number(topic) == Some(number))
    }

    fn remove_if<D: ?Sized>(&self, conn: &ConnInner<D>, topic: &str, may: impl FnOnce(&Subscriptions) -> bool) -> bool {
        // Held until the topic has let go: a subscription begun meanwhile must not be a second one.
        let mut subscriptions = conn.subscriptions.lock();
        let removed = if may(&subscriptions) { self.take_out(&mut subscriptions, topic) } else { None };
        drop(subscriptions);
        removed.map(Removed::finish).is_some()
    }

    /// Ends one of a connection's subscriptions.
    fn take_out(&self, subscriptions: &mut Subscriptions, topic: &str) -> Option<Removed<AnyConn>> {
        Some(self.leave(&subscriptions.remove(topic)?))
    }

    /// Ends one subscription; the rest is to be done with nothing locked.
    #[inline]
    fn leave(&self, subscription: &Subscription) -> Removed<AnyConn> {
        self.0.subscriptions.fetch_sub(1, Relaxed);
        let removed = subscription.topic.remove(subscription.member_key());
        if removed.has_filter() {
            self.0.filters.fetch_sub(1, Relaxed);
        }
        if removed.is_last() {
            self.forget(&subscription.topic);
        }
        removed
    }

    /// Removes a topic that has lost its last member.
    fn forget(&self, topic: &Arc<Topic>) {
        let mut topics = self.0.topics.write();
        let Some((name, other)) = topics.remove_entry(&**topic.name()) else { return };
        // Another member may have joined since, or this may be an older topic of the same name.
        if Arc::ptr_eq(&other, topic) && topic.len() == 0 {
            shrink(&mut topics);
        } else {
            topics.insert(name, other);
        }
    }

    /// Ends all subscriptions of a connection; there can be none after.
    pub(crate) fn leave_all<D: ?Sized>(&self, conn: &ConnInner<D>) {
        let all = conn.subscriptions.lock().end();
        for subscription in all {
            self.leave(&subscription).finish();
        }
    }
}

fn check_pattern_limits(
    subscriptions: &Subscriptions,
    joins: &[&RequestedTopic],
    leaves: &[Arc<Topic>],
) -> Result<(), TopicError> {
    let mut joined: FxHashMap<RuleId, usize> = FxHashMap::default();
    let mut left: Option<FxHashMap<RuleId, usize>> = None;
    for topic in joins {
        let Some(rule) = &topic.rule else { continue };
        let Some(limit) = rule.options.max_per_connection else { continue };
        let left = left.get_or_insert_with(|| {
            let mut left = FxHashMap::default();
            for rule in leaves.iter().filter_map(|topic| topic.rule()) {
                *left.entry(rule.id()).or_default() += 1;
            }
            left
        });
        let stay = subscriptions.count_of(rule.id()) - left.get(&rule.id()).copied().unwrap_or_default();
        let joined = joined.entry(rule.id()).or_default();
        if stay + *joined >= limit {
            return Err(TopicError::pattern_limit(rule.pattern(), limit, stay));
        }
        *joined += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
