//! The queue of one connection.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// How many items may wait.
const CAPACITY: usize = 10;

/// Filled by the handlers of one connection, one at a time, and emptied by one task.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// An item may have been added, or the queue closed.
    filled: Notify,
    /// Room may have become free.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    last_id: u64,
    closed: bool,
}

#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) id: u64,
    pub(crate) data: String,
}

/// There is no room for the data, which is returned.
#[derive(Debug)]
pub(crate) struct Full {
    pub(crate) data: String,
    pub(crate) depth: usize,
}

impl Queue {
    /// Appends data and returns its id.
    pub(crate) fn push(&self, data: String) -> Result<u64, Full> {
        let mut state = self.lock();
        let depth = state.items.len();
        if depth >= CAPACITY { Err(Full { data, depth }) } else { Ok(self.take(&mut state, data)) }
    }

    /// Appends data, and drops the first item if there is no room. Returns the data's id, and the
    /// number of items.
    pub(crate) fn push_dropping_oldest(&self, data: String) -> (u64, usize) {
        let mut state = self.lock();
        while state.items.len() >= CAPACITY {
            state.items.pop_front();
        }
        let id = self.take(&mut state, data);
        (id, state.items.len())
    }

    /// Waits for room. If dropped before it is ready, nothing was added.
    pub(crate) async fn push_when_possible(&self, mut data: String) -> u64 {
        loop {
            match self.push(data) {
                Ok(id) => return id,
                Err(full) => data = full.data,
            }
            // Also if room became free since then: a notification without a waiter is kept.
            self.emptied.notified().await;
        }
    }

    /// Waits for an item. Returns `false` if there is none and the queue is closed.
    pub(crate) async fn filled(&self) -> bool {
        loop {
            {
                let state = self.lock();
                if !state.items.is_empty() || state.closed {
                    return !state.items.is_empty();
                }
            }
            self.filled.notified().await;
        }
    }

    pub(crate) fn pop(&self) -> Option<Item> {
        let item = self.lock().items.pop_front();
        self.emptied.notify_one();
        item
    }

    /// Closes the queue: no more items are added.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    fn take(&self, state: &mut State, data: String) -> u64 {
        state.last_id += 1;
        state.items.push_back(Item { id: state.last_id, data });
        self.filled.notify_one();
        state.last_id
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code under the lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
