//! Authorizations of subscriptions in progress. A revocation invalidates the answers of those that
//! began before it.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::{conn::ConnId, hub::registry::KeyedList, shrink::shrink};

/// For each topic and connection, whether the answer is still valid. A connection has one change of
/// a topic at a time (see `InFlight`), and so at most one authorization.
#[derive(Debug, Default)]
pub(crate) struct Authorizations(Mutex<HashMap<Arc<str>, FxHashMap<ConnId, bool>>>);

impl Authorizations {
    /// Invalidates the authorizations in progress for a topic, of one connection or of all. Call it
    /// before looking for subscribers to remove.
    pub(crate) fn invalidate(&self, topic: &str, conn: Option<ConnId>) {
        let mut topics = self.0.lock();
        let Some(conns) = topics.get_mut(topic) else { return };
        match conn {
            Some(conn) => conns.get_mut(&conn).into_iter().for_each(|valid| *valid = false),
            None => conns.values_mut().for_each(|valid| *valid = false),
        }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}

/// The authorizations of one change; removed when dropped.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    authorizations: &'a Authorizations,
    conn: ConnId,
    topics: KeyedList<Arc<str>>,
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(authorizations: &'a Authorizations, conn: ConnId) -> Self {
        Self { authorizations, conn, topics: KeyedList::default() }
    }

    /// Returns whether a topic has to be authorised: not if this was begun before and is still
    /// valid.
    pub(crate) fn begin(&mut self, topic: &Arc<str>) -> bool {
        let mut topics = self.authorizations.0.lock();
        if self.topics.contains(topic) {
            let valid = topics.get_mut(topic).and_then(|conns| conns.get_mut(&self.conn));
            return valid.is_some_and(|valid| !std::mem::replace(valid, true));
        }
        topics.entry(Arc::clone(topic)).or_default().insert(self.conn, true);
        self.topics.push(Arc::clone(topic));
        true
    }

    /// Returns whether all of these topics were authorised, and the answers are still valid.
    pub(crate) fn is_valid_for<'t>(&self, names: impl IntoIterator<Item = &'t str>) -> bool {
        let mut names = names.into_iter().peekable();
        if names.peek().is_none() {
            return true;
        }
        let topics = self.authorizations.0.lock();
        names.all(|name| topics.get(name).and_then(|conns| conns.get(&self.conn)) == Some(&true))
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.topics.len() == 0 {
            return;
        }
        let mut topics = self.authorizations.0.lock();
        for name in self.topics.iter() {
            if let Some(conns) = topics.get_mut(name) {
                conns.remove(&self.conn);
                if conns.is_empty() {
                    topics.remove(name);
                }
            }
        }
        shrink(&mut topics);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_authorizations_of_the_same_topic_and_connection_are_invalidated() {
        let authorizations = Authorizations::default();
        let [ann, bob] = [ConnId::new(), ConnId::new()];
        let [mut of_ann, mut of_bob] = [ann, bob].map(|conn| Attempt::new(&authorizations, conn));
        let [a, b] = ["a", "b"].map(Arc::from);
        assert!(of_ann.begin(&a) && of_ann.begin(&b));
        assert!(of_bob.begin(&a) && !of_bob.begin(&a));
        assert!(of_ann.is_valid_for(["a", "b"]) && !of_bob.is_valid_for(["a", "b"]));
        authorizations.invalidate("c", None);
        authorizations.invalidate("b", Some(bob));
        assert!(of_ann.is_valid_for(["a", "b"]) && of_bob.is_valid_for(["a"]));
        authorizations.invalidate("a", Some(ann));
        assert!(!of_ann.is_valid_for(["a"]) && of_ann.is_valid_for(["b"]) && of_bob.is_valid_for(["a"]));
        assert!(!of_ann.begin(&b) && of_ann.begin(&a) && of_ann.is_valid_for(["a", "b"]));
        authorizations.invalidate("a", None);
        assert!(!of_ann.is_valid_for(["a"]) && !of_bob.is_valid_for(["a"]) && of_ann.is_valid_for(["b"]));
        drop(of_ann);
        assert!(of_bob.begin(&a) && !authorizations.is_empty());
        drop(of_bob);
        assert!(authorizations.is_empty());
    }
}
