//! The topics and their members.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::extract::ws::Utf8Bytes;
use slab::Slab;
use tokio::sync::{
    Notify,
    mpsc::{self, error::TrySendError},
};

/// A connection as a member of topics.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) queue: mpsc::Sender<Utf8Bytes>,
    pub(super) too_slow: Arc<Notify>,
}

#[derive(Default)]
pub(super) struct Topics(Mutex<HashMap<String, Slab<Member>>>);

impl Topics {
    /// Adds a member and returns its key for leaving.
    pub(super) fn join(&self, topic: &str, member: Member) -> usize {
        let mut topics = self.lock();
        if let Some(members) = topics.get_mut(topic) {
            return members.insert(member);
        }
        topics.entry(topic.to_owned()).or_default().insert(member)
    }

    pub(super) fn leave(&self, topic: &str, key: usize) {
        let mut topics = self.lock();
        if let Some(members) = topics.get_mut(topic) {
            members.try_remove(key);
            if members.is_empty() {
                topics.remove(topic);
            }
        }
    }

    pub(super) fn publish(&self, topic: &str, event: &Utf8Bytes) {
        let topics = self.lock();
        for (_, member) in topics.get(topic).into_iter().flatten() {
            if let Err(TrySendError::Full(_)) = member.queue.try_send(event.clone()) {
                member.too_slow.notify_one();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Slab<Member>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
