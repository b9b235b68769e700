//! Values by key, whose changes reach those who have subscribed.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use switchboard::WsError;
use tokio::{sync::watch, task::AbortHandle};

/// How many keys there may be.
const MAX_KEYS: usize = 10_000;

/// The store. Subscribers see the newest value, not each: if changes come faster than they are told,
/// some are left out.
#[derive(Debug)]
pub struct Store<T>(Mutex<HashMap<String, watch::Sender<T>>>);

/// There are too many keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreFull;

impl<T: Default + Send + Sync + 'static> Store<T> {
    /// What a closure makes of the value, if there is one. It must not use the store, as no closure here.
    pub fn get<R>(&self, key: &str, read: impl FnOnce(&T) -> R) -> Option<R> {
        self.lock().get(key).map(|value| read(&value.borrow()))
    }

    /// Changes a value, beginning with the default one if there is none.
    ///
    /// # Errors
    ///
    /// There is none, and too many others.
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

    /// Puts a value in the place of what there is.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn set(&self, key: &str, value: T) -> Result<(), StoreFull> {
        self.update(key, |current| *current = value)
    }

    /// Changes a value, and removes it if the closure says so.
    pub fn remove_if(&self, key: &str, change: impl FnOnce(&mut T) -> bool) {
        let mut values = self.lock();
        let Some(value) = values.get(key) else { return };
        let mut remove = false;
        value.send_modify(|value| remove = change(value));
        if remove {
            values.remove(key);
        }
    }

    /// Calls a closure with the value as it is, and whenever it has changed, until the subscription is
    /// dropped or the value is removed. `None` if there is no value.
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

/// Ends when it is dropped.
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
        let (told, mut heard) = mpsc::unbounded_channel();
        let subscription = store.subscribe("a", move |value| drop(told.send(value.clone()))).unwrap();
        assert_eq!(heard.recv().await.unwrap(), [1]);
        assert_eq!(store.update("a", |value| value.push(2)), Ok(()));
        assert_eq!(heard.recv().await.unwrap(), [1, 2]);
        // Another key is none of its business.
        store.set("b", vec![9]).unwrap();
        drop(subscription);
        // What it was told by is gone with it.
        assert_eq!(heard.recv().await, None);
        store.remove_if("a", |value| value.is_empty());
        assert_eq!(store.get("a", Clone::clone), Some(vec![1, 2]));
        store.remove_if("a", |_| true);
        assert_eq!(store.get("a", Clone::clone), None);
    }
}
