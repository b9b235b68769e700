//! Values by key, with subscriptions to their changes.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use switchboard::WsError;
use tokio::{sync::watch, task::AbortHandle};

/// How many keys there may be.
const MAX_KEYS: usize = 10_000;

/// A store. Subscribers see the newest value, not each one: if changes are faster than
/// notifications, some are skipped.
#[derive(Debug)]
pub struct Store<T>(Mutex<HashMap<String, watch::Sender<T>>>);

/// The store has too many keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreFull;

impl<T: Default + Send + Sync + 'static> Store<T> {
    /// Returns the result of a closure for the value, if there is one. No closure here may use the
    /// store.
    pub fn get<R>(&self, key: &str, read: impl FnOnce(&T) -> R) -> Option<R> {
        self.lock().get(key).map(|value| read(&value.borrow()))
    }

    /// Changes a value, starting with the default one if there is none.
    ///
    /// # Errors
    ///
    /// The key is new, and the store is full.
    pub fn update(&self, key: &str, change: impl FnOnce(&mut T)) -> Result<(), StoreFull> {
        let mut values = self.lock();
        if let Some(value) = values.get(key) {
            value.send_modify(change);
            return Ok(());
        }
        if values.len() >= MAX_KEYS {
            return Err(StoreFull);
        }
        let mut value = T::default();
        change(&mut value);
        values.insert(key.to_owned(), watch::Sender::new(value));
        Ok(())
    }

    /// Replaces a value.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn set(&self, key: &str, value: T) -> Result<(), StoreFull> {
        self.update(key, |current| *current = value)
    }

    /// Changes a value, and removes it if the closure returns `true`.
    pub fn remove_if(&self, key: &str, change: impl FnOnce(&mut T) -> bool) {
        let mut values = self.lock();
        let Some(value) = values.get(key) else { return };
        let mut remove = false;
        value.send_modify(|value| remove = change(value));
        if remove {
            values.remove(key);
        }
    }

    /// Calls a closure with the current value, and after each change, until the subscription is
    /// dropped or the value is removed. Returns `None` if there is no value.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn subscribe(&self, key: &str, mut tell: impl FnMut(&T) + Send + 'static) -> Option<Subscription> {
        let mut values = self.lock().get(key)?.subscribe();
        values.mark_changed();
        let task = tokio::spawn(async move {
            while values.changed().await.is_ok() {
                tell(&values.borrow_and_update());
            }
        });
        Some(Subscription(task.abort_handle()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// A subscription, which ends when it is dropped.
#[derive(Debug)]
pub struct Subscription(AbortHandle);

impl Drop for Subscription {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Display for StoreFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store has {MAX_KEYS} keys")
    }
}

impl std::error::Error for StoreFull {}

impl From<StoreFull> for WsError {
    fn from(error: StoreFull) -> Self {
        Self::resource_exhausted(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn get_set_update_subscribe_and_unsubscribe() {
        let store = Store::<Vec<u32>>::default();
        assert_eq!(store.get("a", Vec::len), None);
        assert!(store.subscribe("a", |_| ()).is_none());
        store.set("a", vec![1]).unwrap();
        let (changes, mut received) = mpsc::unbounded_channel();
        let subscription = store.subscribe("a", move |value| drop(changes.send(value.clone()))).unwrap();
        assert_eq!(received.recv().await.unwrap(), [1]);
        assert_eq!(store.update("a", |value| value.push(2)), Ok(()));
        assert_eq!(received.recv().await.unwrap(), [1, 2]);
        // Changes of another key do not notify it.
        store.set("b", vec![9]).unwrap();
        drop(subscription);
        // Its closure was dropped with it.
        assert_eq!(received.recv().await, None);
        store.remove_if("a", |value| value.is_empty());
        assert_eq!(store.get("a", Clone::clone), Some(vec![1, 2]));
        store.remove_if("a", |_| true);
        assert_eq!(store.get("a", Clone::clone), None);
    }
}
