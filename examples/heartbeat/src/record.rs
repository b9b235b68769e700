//! The last closed connections.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

/// How many are kept.
const MAX_CLOSED: usize = 100;

/// How a connection was closed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Closed {
    pub(crate) client_id: String,
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) duration_ms: u128,
    /// Whether a ping found it dead.
    pub(crate) is_stale: bool,
}

/// The last closed connections, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<VecDeque<Closed>>);

impl Record {
    pub(crate) fn add(&self, closed: Closed) {
        // No code under the lock panics.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == MAX_CLOSED {
            all.pop_front();
        }
        all.push_back(closed);
    }

    pub(crate) fn all(&self) -> Vec<Closed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
