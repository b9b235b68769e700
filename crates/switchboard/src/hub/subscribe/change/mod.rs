//! Applying changes of subscriptions, all or nothing.
//!
//! The order is that of `docs/protocol.md`, 7.6: normalise, wait for changes of the same topics,
//! skip existing subscriptions, validate, authorise, check limits, and only then change anything.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use parking_lot::MutexGuard;
use rustc_hash::FxHashMap;
use tokio::task::{coop::consume_budget, yield_now};

use super::{Attempt, RequestedTopic, Subscription, SubscriptionRequest};
use crate::{
    conn::{AnyConn, ConnInner, ConnRef},
    fanout::Removed,
    hub::{Filter, Hub, Subscriptions, Topic, TopicError, link::Holds, topics::RuleId},
    shrink::shrink,
};

/// A change of more topics than this lets other tasks run after each portion.
pub(super) const PORTION: usize = 256;

/// Concurrent authorizations of one change.
const MAX_CONCURRENT: usize = 16;

/// Attempts to authorise a change while rights to its topics are being revoked.
const MAX_ATTEMPTS: usize = 8;

/// The result of a change of subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TopicChange {
    /// The topics that the connection is newly subscribed to.
    pub joined: Vec<String>,
    /// The topics that the connection is no longer subscribed to.
    pub left: Vec<String>,
}

/// A [`TopicChange`] before its names are copied.
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

/// Why no topic was joined.
enum NotJoined {
    /// Some topics are not authorised yet, or rights were revoked since.
    AuthorizeAgain,
    Failed(TopicError),
}

impl From<TopicError> for NotJoined {
    fn from(error: TopicError) -> Self {
        Self::Failed(error)
    }
}

impl Hub {
    /// Applies a change at once. `None` if it has to wait for another change of the same topics, or
    /// for an authorization, or if it is large.
    pub(crate) fn change_now<'r>(
        &self,
        conn: &Arc<AnyConn>,
        request: &'r SubscriptionRequest,
        filter: &mut Option<Filter>,
    ) -> Option<Result<CommittedChange<'r>, TopicError>> {
        self.commit(conn, request, filter, None, &mut self.holds())
    }

    fn holds(&self) -> Holds {
        Holds::new(self.0.link.as_ref())
    }

    /// Applies a change, after waiting for other changes and authorizations. A large one lets other
    /// tasks run in between.
    ///
    /// If the future is dropped, either nothing or all of it has changed.
    pub(crate) async fn change<'r>(
        &self,
        conn: &Arc<AnyConn>,
        request: &'r SubscriptionRequest,
        mut filter: Option<Filter>,
    ) -> Result<CommittedChange<'r>, TopicError> {
        if request.is_large() {
            // Reading the names took its time.
            yield_now().await;
        }
        // Dropped after `Leaving`: until then, no other change concerns these topics.
        let _reserved = conn.reserve(request).await;
        if request.is_large() {
            yield_now().await;
        }
        let mut attempt = Attempt::new(&self.0.authorizations, conn.id);
        let mut holds = self.holds();
        for _ in 0..MAX_ATTEMPTS {
            self.authorize(conn, request, &mut attempt).await?;
            if holds.are_needed() {
                holds.join(self.check_quotas(conn, request)?).await?;
            }
            if let Some(result) = self.commit(conn, request, &mut filter, Some(&attempt), &mut holds) {
                let committed = result?;
                let rest = committed.left.get(PORTION..).unwrap_or_default();
                let mut leaving = Leaving { hub: self, conn, rest };
                while !leaving.rest.is_empty() {
                    yield_now().await;
                    leaving.next_portion();
                }
                drop(leaving);
                return Ok(committed);
            }
        }
        Err(TopicError::unsettled())
    }

    /// Authorises all topics to join that the attempt has not authorised yet.
    async fn authorize(
        &self,
        conn: &Arc<AnyConn>,
        request: &SubscriptionRequest,
        attempt: &mut Attempt<'_>,
    ) -> Result<(), TopicError> {
        if !request.needs_authorization() {
            return Ok(());
        }
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
        let answers = stream::iter(authorizations).buffered(MAX_CONCURRENT);
        // Rules that answer without waiting must not starve other tasks.
        answers.try_for_each(|()| consume_budget().map(Ok)).await
    }

    /// Applies a change; of the topics to leave, only the first portion. `None` if it has to wait or
    /// to be authorised first.
    fn commit<'r>(
        &self,
        conn: &Arc<AnyConn>,
        request: &'r SubscriptionRequest,
        filter: &mut Option<Filter>,
        attempt: Option<&Attempt<'_>>,
        holds: &mut Holds,
    ) -> Option<Result<CommittedChange<'r>, TopicError>> {
        let mut subscriptions = conn.subscriptions.lock();
        if attempt.is_none() && conn.is_changing_any(request) {
            return None;
        }
        let (joined, left) = request.difference(&subscriptions);
        if attempt.is_none() && (request.is_large() || left.len() > PORTION) {
            return None;
        }
        for topic in &joined {
            if let Err(error) = topic.check_name() {
                return Some(Err(error));
            }
            if attempt.is_none() && topic.needs_authorization() {
                return None;
            }
        }
        if !joined.is_empty() {
            // Without an attempt, nothing may wait.
            if !holds.have(joined.iter().map(|topic| &topic.name), attempt.is_none()) {
                return None;
            }
            match self.join(conn, &mut subscriptions, &joined, &left, filter, attempt) {
                Ok(()) => joined.iter().for_each(|topic| holds.keep(&topic.name)),
                Err(NotJoined::Failed(error)) => return Some(Err(error)),
                Err(NotJoined::AuthorizeAgain) => return None,
            }
        }
        self.leave_portion(subscriptions, &left[..left.len().min(PORTION)]);
        Some(Ok(CommittedChange { joined, left }))
    }

    /// Adds subscriptions, all or none. The names are valid and allowed. Subscriptions in `leaves`
    /// do not count towards limits.
    fn join(
        &self,
        conn: &Arc<AnyConn>,
        subscriptions: &mut Subscriptions,
        joins: &[&RequestedTopic],
        leaves: &[Arc<Topic>],
        filter: &mut Option<Filter>,
        attempt: Option<&Attempt<'_>>,
    ) -> Result<(), NotJoined> {
        check_connection(conn, subscriptions, joins, leaves)?;
        let mut topics = self.0.topics.write();
        // Checked under the lock, because a revocation first invalidates authorizations and then
        // looks for subscribers. The attempt lacks a topic that the connection was still subscribed
        // to when the others were authorised, and was removed from since.
        if let Some(attempt) = attempt {
            let asked = joins.iter().filter(|topic| topic.needs_authorization());
            if !attempt.is_valid_for(asked.map(|topic| &*topic.name)) {
                return Err(NotJoined::AuthorizeAgain);
            }
        }
        check_members(&topics, joins)?;
        let filter = filter.take();
        if filter.is_some() {
            // Counted before a publisher can find the subscription.
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

    /// Checks the limits before the broker is asked: they are checked again afterwards. Returns the topics to join.
    fn check_quotas(&self, conn: &Arc<AnyConn>, request: &SubscriptionRequest) -> Result<Vec<Arc<str>>, TopicError> {
        let subscriptions = conn.subscriptions.lock();
        let (joins, leaves) = request.difference(&subscriptions);
        if !joins.is_empty() {
            joins.iter().try_for_each(|topic| topic.check_name())?;
            check_connection(conn, &subscriptions, &joins, &leaves)?;
            check_members(&self.0.topics.read(), &joins)?;
        }
        Ok(joins.iter().map(|topic| Arc::clone(&topic.name)).collect())
    }

    fn leave_portion(&self, mut subscriptions: MutexGuard<'_, Subscriptions>, topics: &[Arc<Topic>]) {
        // Does not allocate in the common case, where no topic is left.
        let removed: Vec<_> =
            topics.iter().filter_map(|topic| self.take_out(&mut subscriptions, topic.name())).collect();
        drop(subscriptions);
        removed.into_iter().for_each(Removed::finish);
    }

    /// Ends a subscription. Returns whether there was one.
    pub(crate) fn remove<D: ?Sized>(&self, conn: &ConnInner<D>, topic: &str) -> bool {
        self.remove_if(conn, topic, |_| true)
    }

    /// Ends a subscription if it still is the one with this number.
    pub(crate) fn remove_number<D: ?Sized>(&self, conn: &ConnInner<D>, topic: &str, number: u32) -> bool {
        self.remove_if(conn, topic, |subscriptions| subscriptions.number(topic) == Some(number))
    }

    fn remove_if<D: ?Sized>(&self, conn: &ConnInner<D>, topic: &str, may: impl FnOnce(&Subscriptions) -> bool) -> bool {
        // Held until the topic has removed the subscriber, so that a new subscription cannot begin
        // before and deliver twice.
        let mut subscriptions = conn.subscriptions.lock();
        let removed = if may(&subscriptions) { self.take_out(&mut subscriptions, topic) } else { None };
        drop(subscriptions);
        removed.map(Removed::finish).is_some()
    }

    /// Ends a subscription of a connection, if it has one to this topic.
    fn take_out(&self, subscriptions: &mut Subscriptions, topic: &str) -> Option<Removed<AnyConn>> {
        Some(self.leave(&subscriptions.remove(topic)?))
    }

    /// Ends a subscription. The caller finishes the removal with nothing locked.
    #[inline]
    fn leave(&self, subscription: &Subscription) -> Removed<AnyConn> {
        self.0.subscriptions.fetch_sub(1, Relaxed);
        let removed = subscription.topic.remove(subscription.member_key());
        if let Some(link) = &self.0.link {
            link.leave(subscription.topic.name());
        }
        if removed.has_filter() {
            self.0.filters.fetch_sub(1, Relaxed);
        }
        if removed.is_last() {
            self.forget(&subscription.topic);
        }
        removed
    }

    /// Removes a topic that has lost its last subscriber.
    fn forget(&self, topic: &Arc<Topic>) {
        let mut topics = self.0.topics.write();
        let Some((name, other)) = topics.remove_entry(&**topic.name()) else { return };
        // A subscriber may have joined since, or this may be an older topic of the same name.
        if Arc::ptr_eq(&other, topic) && topic.len() == 0 {
            shrink(&mut topics);
        } else {
            topics.insert(name, other);
        }
    }

    /// Ends all subscriptions of a connection, and refuses new ones.
    pub(crate) fn leave_all<D: ?Sized>(&self, conn: &ConnInner<D>) {
        let all = conn.subscriptions.lock().end();
        for subscription in all {
            self.leave(&subscription).finish();
        }
    }
}

/// The topics that a large change still has to leave.
struct Leaving<'a> {
    hub: &'a Hub,
    conn: &'a AnyConn,
    rest: &'a [Arc<Topic>],
}

impl Leaving<'_> {
    fn next_portion(&mut self) {
        let (portion, rest) = self.rest.split_at(self.rest.len().min(PORTION));
        self.rest = rest;
        self.hub.leave_portion(self.conn.subscriptions.lock(), portion);
    }
}

/// The topics to join were joined, so the others must be left.
impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        while !self.rest.is_empty() {
            self.next_portion();
        }
    }
}

/// Checks the limits of a connection, and that it is open.
fn check_connection(
    conn: &AnyConn,
    subscriptions: &Subscriptions,
    joins: &[&RequestedTopic],
    leaves: &[Arc<Topic>],
) -> Result<(), TopicError> {
    // The end of the connection takes all subscriptions under the same lock.
    if subscriptions.ended() || conn.outbox.is_closed() {
        return Err(TopicError::closed());
    }
    let (limit, current) = (conn.settings.config.max_subscriptions, subscriptions.len() - leaves.len());
    if current + joins.len() > limit {
        return Err(TopicError::limit(limit, current));
    }
    check_pattern_limits(subscriptions, joins, leaves)
}

/// Checks the limits of the topics' members on this node.
fn check_members(topics: &HashMap<Arc<str>, Arc<Topic>>, joins: &[&RequestedTopic]) -> Result<(), TopicError> {
    for topic in joins {
        if let Some(limit) = topic.rule.as_ref().and_then(|rule| rule.options.max_members) {
            let current = topics.get(&topic.name).map_or(0, |topic| topic.len());
            if current >= limit {
                return Err(TopicError::members_limit(&topic.name, limit, current));
            }
        }
    }
    Ok(())
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
mod large_tests;
#[cfg(test)]
mod tests;
