//! Changes of what a connection is subscribed to, all-or-nothing.
//!
//! The order is that of `docs/protocol.md`, 7.6: normalise, wait for changes of the same topics,
//! so already: done, validate, authorise, quotas, and only then change anything.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use switchboard_core::check_topic;
use tokio::task::coop::consume_budget;

use crate::{
    conn::{AnyConn, ConnInner},
    fanout::Removed,
    hub::{
        Filter, Hub, Member, Subscriptions, Topic, TopicError,
        registry::Ordered,
        subscribe::{Attempt, Subscription},
        topics::RuleId,
    },
    shrink::shrink,
};

/// So many questions of one change wait for answers at once.
const ASKED_AT_ONCE: usize = 16;

/// So often is asked again because rights to the same topics were taken back meanwhile.
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

/// What a connection's subscriptions are to be.
#[derive(Debug)]
pub(crate) struct SubscriptionRequest {
    /// Normalised, once each; those to join no more than there may be.
    topics: Ordered<Arc<str>>,
    how: Operation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Also these.
    Join,
    /// Not these.
    Leave,
    /// These and no others.
    Exactly,
}

impl SubscriptionRequest {
    pub(crate) fn topics(&self) -> impl Iterator<Item = &Arc<str>> {
        self.topics.iter()
    }

    /// Whether it concerns every topic.
    pub(crate) fn is_about_all(&self) -> bool {
        self.how == Operation::Exactly
    }

    /// What there is to be done: topics to join and to leave.
    fn difference(&self, subscriptions: &Subscriptions) -> (Vec<&str>, Vec<Box<str>>) {
        let joins = match self.how {
            Operation::Join | Operation::Exactly => {
                let topics = self.topics.iter().map(|topic| &**topic);
                topics.filter(|topic| !subscriptions.contains(topic)).collect()
            }
            Operation::Leave => Vec::new(),
        };
        let wants = |topic: &str| self.topics.contains(topic);
        let leaves = match self.how {
            Operation::Join => Vec::new(),
            Operation::Leave => subscriptions.iter_names().filter(|topic| wants(topic)).map(Into::into).collect(),
            Operation::Exactly => subscriptions.iter_names().filter(|topic| !wants(topic)).map(Into::into).collect(),
        };
        (joins, leaves)
    }
}

/// Why nothing was joined.
enum NotJoined {
    /// The application was not asked about all, or rights were taken back since.
    AskAgain,
    Failed(TopicError),
}

impl From<TopicError> for NotJoined {
    fn from(error: TopicError) -> Self {
        Self::Failed(error)
    }
}

impl Hub {
    /// Normalises and looks whether these are names at all.
    pub(crate) fn wanted<T: AsRef<str>>(
        &self,
        topics: impl IntoIterator<Item = T>,
        how: Operation,
        conn: &AnyConn,
    ) -> Result<SubscriptionRequest, TopicError> {
        let limit = conn.settings.config.max_subscriptions;
        let mut wanted = SubscriptionRequest { topics: Ordered::default(), how };
        for topic in topics {
            let topic = self.name(topic.as_ref());
            check_topic(&topic).map_err(TopicError::invalid_topic)?;
            if wanted.topics.contains(&topic) {
                continue;
            }
            // More than it may ever have: nobody is asked about all of them.
            if how != Operation::Leave && wanted.topics.len() >= limit {
                return Err(TopicError::limit(limit, conn.subscriptions.lock().len()));
            }
            wanted.topics.push(topic.into());
        }
        Ok(wanted)
    }

    /// Subscribes to one topic of a normalised name. `None` if it has to wait: for another change,
    /// or for the application's word.
    pub(crate) fn subscribe_now(
        &self,
        conn: &Arc<AnyConn>,
        topic: &str,
        filter: &mut Option<Filter>,
    ) -> Option<Result<bool, TopicError>> {
        if let Err(error) = check_topic(topic) {
            return Some(Err(TopicError::invalid_topic(error)));
        }
        let rule = self.0.rules.find(topic);
        // The application's, and so asked before anything is locked.
        let allowed = rule.map_or(Ok(()), |rule| rule.check_name(topic));
        let mut subscriptions = conn.subscriptions.lock();
        if conn.is_changing(topic) {
            return None;
        }
        if subscriptions.contains(topic) {
            return Some(Ok(false));
        }
        if let Err(error) = allowed {
            return Some(Err(error));
        }
        if rule.is_some_and(|rule| rule.options.subscribe.is_some()) {
            return None;
        }
        match self.join(conn, &mut subscriptions, &[topic], &[], filter, None) {
            Ok(()) => Some(Ok(true)),
            Err(NotJoined::Failed(error)) => Some(Err(error)),
            Err(NotJoined::AskAgain) => None,
        }
    }

    /// The same where it has to wait.
    pub(crate) async fn subscribe_later(
        self,
        conn: Arc<AnyConn>,
        topic: Box<str>,
        filter: Option<Filter>,
    ) -> Result<bool, TopicError> {
        let wanted = SubscriptionRequest { topics: Ordered::Few(vec![topic.into()]), how: Operation::Join };
        self.change(&conn, &wanted, filter).await.map(|change| !change.joined.is_empty())
    }

    /// Ends one subscription. `None` if it has to wait for another change.
    pub(crate) fn unsubscribe_now<D: ?Sized>(
        &self,
        conn: &ConnInner<D>,
        topic: &str,
    ) -> Option<Result<bool, TopicError>> {
        if let Err(error) = check_topic(topic) {
            return Some(Err(TopicError::invalid_topic(error)));
        }
        self.remove_if(conn, topic, |_| !conn.is_changing(topic)).map(Ok)
    }

    /// Ends one subscription whatever else is going on.
    pub(crate) fn remove<D: ?Sized>(&self, conn: &ConnInner<D>, topic: &str) -> bool {
        self.remove_if(conn, topic, |_| true).unwrap_or_default()
    }

    /// The same, if it is the subscription of this number and not a later one.
    pub(crate) fn remove_number<D: ?Sized>(&self, conn: &ConnInner<D>, topic: &str, number: u32) -> bool {
        self.remove_if(conn, topic, |subscriptions| subscriptions.number(topic) == Some(number)).unwrap_or_default()
    }

    fn remove_if<D: ?Sized>(
        &self,
        conn: &ConnInner<D>,
        topic: &str,
        may: impl FnOnce(&Subscriptions) -> bool,
    ) -> Option<bool> {
        // Held until the topic has let go: a subscription begun meanwhile must not be a second one.
        let mut subscriptions = conn.subscriptions.lock();
        if !may(&subscriptions) {
            return None;
        }
        let removed = self.take_out(&mut subscriptions, topic);
        drop(subscriptions);
        let Some(removed) = removed else { return Some(false) };
        removed.finish();
        Some(true)
    }

    /// Does all of it or nothing. Dropped while it waits, it has done nothing.
    pub(crate) async fn change(
        &self,
        conn: &Arc<AnyConn>,
        wanted: &SubscriptionRequest,
        mut filter: Option<Filter>,
    ) -> Result<TopicChange, TopicError> {
        if let Some(result) = self.commit(conn, wanted, &mut filter, None) {
            return result;
        }
        let _reserved = conn.reserve(wanted).await;
        let mut asked = Attempt::new(&self.0.authorizations, conn.id);
        for _ in 0..MAX_ROUNDS {
            self.authorize(conn, wanted, &mut asked).await?;
            if let Some(result) = self.commit(conn, wanted, &mut filter, Some(&asked)) {
                return result;
            }
        }
        Err(TopicError::unsettled())
    }

    /// Asks the application about all topics that are to be joined, but those about which it has
    /// answered already.
    async fn authorize(
        &self,
        conn: &Arc<AnyConn>,
        wanted: &SubscriptionRequest,
        asked: &mut Attempt<'_>,
    ) -> Result<(), TopicError> {
        let mut authorizations = Vec::new();
        let (joins, _) = wanted.difference(&conn.subscriptions.lock());
        for topic in joins {
            let Some(rule) = self.0.rules.find(topic) else { continue };
            rule.check_name(topic)?;
            if let Some(authorizer) = &rule.options.subscribe
                && let Some(name) = asked.begin(topic)
            {
                let member = Member::new(Arc::clone(conn));
                let limit = rule.options.authorize_timeout;
                authorizations.push(async move {
                    let answer = authorizer.ask(member, Arc::clone(&name), limit).await;
                    answer.map_err(|refusal| TopicError::refused(&name, refusal))
                });
            }
        }
        let answers = stream::iter(authorizations).buffered(ASKED_AT_ONCE);
        // Rules that answer at once must not keep the thread, however many they are.
        answers.try_for_each(|()| consume_budget().map(Ok)).await
    }

    /// `None` if something has to be waited for before.
    fn commit(
        &self,
        conn: &Arc<AnyConn>,
        wanted: &SubscriptionRequest,
        filter: &mut Option<Filter>,
        asked: Option<&Attempt<'_>>,
    ) -> Option<Result<TopicChange, TopicError>> {
        // The application's, and so asked before anything is locked.
        let not_allowed = self.not_allowed(wanted);
        let mut subscriptions = conn.subscriptions.lock();
        if asked.is_none() && conn.is_changing_any(wanted) {
            return None;
        }
        let (joins, leaves) = wanted.difference(&subscriptions);
        for topic in &joins {
            let Some(rule) = self.0.rules.find(topic) else { continue };
            if not_allowed.contains(topic) {
                return Some(Err(TopicError::not_allowed(topic, rule.pattern())));
            }
            if asked.is_none() && rule.options.subscribe.is_some() {
                return None;
            }
        }
        if !joins.is_empty() {
            match self.join(conn, &mut subscriptions, &joins, &leaves, filter, asked) {
                Ok(()) => {}
                Err(NotJoined::Failed(error)) => return Some(Err(error)),
                Err(NotJoined::AskAgain) => return None,
            }
        }
        let mut removed = Vec::new();
        for topic in &leaves {
            removed.extend(self.take_out(&mut subscriptions, topic));
        }
        drop(subscriptions);
        removed.into_iter().for_each(Removed::finish);
        let joined = joins.into_iter().map(str::to_owned).collect();
        Some(Ok(TopicChange { joined, left: leaves.into_iter().map(String::from).collect() }))
    }

    /// The names to join that may not be.
    fn not_allowed<'a>(&self, wanted: &'a SubscriptionRequest) -> HashSet<&'a str> {
        if self.0.rules.is_empty() || wanted.how == Operation::Leave {
            return HashSet::new();
        }
        let topics = wanted.topics.iter().map(|topic| &**topic);
        topics.filter(|topic| self.0.rules.find(topic).is_some_and(|rule| !rule.allows_name(topic))).collect()
    }

    /// Adds subscriptions, all or none. The topics are valid and allowed; those in `leaves` do not
    /// count.
    fn join(
        &self,
        conn: &Arc<AnyConn>,
        subscriptions: &mut Subscriptions,
        joins: &[&str],
        leaves: &[Box<str>],
        filter: &mut Option<Filter>,
        asked: Option<&Attempt<'_>>,
    ) -> Result<(), NotJoined> {
        // Checked under the lock under which the connection's end takes all subscriptions.
        if subscriptions.ended() || conn.outbox.is_closed() {
            return Err(TopicError::closed().into());
        }
        let (limit, current) = (conn.settings.config.max_subscriptions, subscriptions.len() - leaves.len());
        if current + joins.len() > limit {
            return Err(TopicError::limit(limit, current).into());
        }
        if !self.0.rules.is_empty() {
            self.check_pattern_limits(subscriptions, joins, leaves)?;
        }
        let mut topics = self.0.topics.write();
        // Looked at under this lock: whoever takes rights back says so first, and looks for members
        // then. A topic may be among these that was not to be joined when the others were asked
        // about: the connection was removed from it since.
        if let Some(asked) = asked {
            let has_rule = |name: &&str| self.0.rules.find(name).is_some_and(|rule| rule.options.subscribe.is_some());
            if !asked.counts_for(joins.iter().copied().filter(has_rule)) {
                return Err(NotJoined::AskAgain);
            }
        }
        if !self.0.rules.is_empty() {
            for name in joins {
                let current = topics.get(*name).map_or(0, |topic| topic.len());
                let limit = self.0.rules.find(name).and_then(|rule| rule.options.max_members);
                if let Some(limit) = limit.filter(|limit| current >= *limit) {
                    return Err(TopicError::members_limit(name, limit, current).into());
                }
            }
        }
        let filter = filter.take();
        if filter.is_some() {
            // Before a publisher can find it.
            self.0.filters.fetch_add(joins.len(), Relaxed);
        }
        for name in joins {
            let topic = match topics.get(*name) {
                Some(topic) => topic,
                None => topics.entry((*name).into()).or_insert_with(|| Arc::new(Topic::new(name))),
            };
            let key = topic.insert(Arc::clone(conn), filter.clone());
            let limited_by = self.0.rules.limiting(name).map(|(rule, _)| rule.id());
            subscriptions.push(Arc::clone(topic), key, limited_by);
        }
        self.0.subscriptions.fetch_add(joins.len(), Relaxed);
        Ok(())
    }

    fn check_pattern_limits(
        &self,
        subscriptions: &Subscriptions,
        joins: &[&str],
        leaves: &[Box<str>],
    ) -> Result<(), TopicError> {
        let mut left: HashMap<RuleId, usize> = HashMap::new();
        for name in leaves {
            if let Some((rule, _)) = self.0.rules.limiting(name) {
                *left.entry(rule.id()).or_default() += 1;
            }
        }
        let mut joined: HashMap<RuleId, usize> = HashMap::new();
        for name in joins {
            let Some((rule, limit)) = self.0.rules.limiting(name) else { continue };
            let stay = subscriptions.count_of(rule.id()) - left.get(&rule.id()).copied().unwrap_or_default();
            let joined = joined.entry(rule.id()).or_default();
            if stay + *joined >= limit {
                return Err(TopicError::pattern_limit(rule.pattern(), limit, stay));
            }
            *joined += 1;
        }
        Ok(())
    }

    /// Ends one of a connection's subscriptions.
    fn take_out(&self, subscriptions: &mut Subscriptions, topic: &str) -> Option<Removed<AnyConn>> {
        let limited_by = self.0.rules.limiting(topic).map(|(rule, _)| rule.id());
        Some(self.leave(&subscriptions.remove(topic, limited_by)?))
    }

    /// Ends one subscription; what is left to do of that, with nothing locked.
    #[inline]
    fn leave(&self, subscription: &Subscription) -> Removed<AnyConn> {
        self.0.subscriptions.fetch_sub(1, Relaxed);
        let removed = subscription.topic.remove(subscription.place());
        if removed.has_filter() {
            self.0.filters.fetch_sub(1, Relaxed);
        }
        if removed.is_last() {
            self.forget(&subscription.topic);
        }
        removed
    }

    /// A topic had no member any more.
    fn forget(&self, topic: &Arc<Topic>) {
        let mut topics = self.0.topics.write();
        // Somebody may have joined since, or this may be an older topic of the same name.
        if topics.get(topic.name()).is_some_and(|other| Arc::ptr_eq(other, topic) && topic.len() == 0) {
            topics.remove(topic.name());
            shrink(&mut topics);
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

#[cfg(test)]
mod tests;
