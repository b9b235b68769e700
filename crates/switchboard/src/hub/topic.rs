//! One topic and its members.
//!
//! A message is first put into every member's queue, under the topic's lock, and then written. So
//! the order of messages is that of the queues, which is settled before the publisher goes on, and
//! writing may take its time, in portions, by anyone.

use std::sync::Arc;

use parking_lot::Mutex;
use slab::Slab;
use tokio::task::yield_now;

use crate::{
    conn::{AnyConn, ConnId, Promise, Pushed},
    transport::Frame,
};

/// So many members are written to before other tasks get their turn: about half a millisecond.
const PORTION: usize = 256;

pub(crate) struct Topic {
    name: Box<str>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    members: Slab<Arc<AnyConn>>,
    /// Somebody is writing what members have queued.
    flushing: bool,
    /// Something was queued since that began.
    again: bool,
}

impl Topic {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), state: Mutex::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn len(&self) -> usize {
        self.state.lock().members.len()
    }

    pub(super) fn insert(&self, conn: Arc<AnyConn>) -> usize {
        self.state.lock().members.insert(conn)
    }

    /// How many are left.
    pub(super) fn remove(&self, key: usize) -> usize {
        let mut state = self.state.lock();
        let removed = state.members.try_remove(key);
        let left = state.members.len();
        if left == 0 {
            // A topic that was large once and is handed out at this moment keeps no room.
            state.members = Slab::new();
        }
        drop(state);
        drop(removed);
        left
    }

    /// Puts the frame into every member's queue; to be followed by [`flush`](Self::flush). Whether
    /// the queue of one is half full.
    pub(crate) fn push(&self, frame: &Frame, except: Option<ConnId>) -> bool {
        let mut pressed = false;
        let mut full = Vec::new();
        let mut state = self.state.lock();
        state.again = true;
        for (key, conn) in &state.members {
            if except == Some(conn.id) {
                continue;
            }
            match conn.outbox.push(frame.clone(), Promise::Caller) {
                Pushed::Queued | Pushed::Ripe | Pushed::Closed => {}
                Pushed::Pressed => pressed = true,
                Pushed::Full => full.push((key, Arc::clone(conn))),
            }
        }
        drop(state);
        for (key, conn) in full {
            pressed = true;
            // What waits may fit into the socket.
            conn.outbox.flush();
            let state = self.state.lock();
            // It may have left meanwhile.
            if state.members.get(key).is_some_and(|member| Arc::ptr_eq(member, &conn)) {
                conn.outbox.push(frame.clone(), Promise::Owner);
            }
        }
        pressed
    }

    /// Writes what members have queued. Goes on in a task of its own if there are many.
    pub(crate) fn flush(self: &Arc<Self>) {
        let mut portion = Vec::new();
        match self.start_flush(&mut portion) {
            Some(next) if tokio::runtime::Handle::try_current().is_ok() => {
                let topic = Arc::clone(self);
                tokio::spawn(async move {
                    let mut portion = Vec::new();
                    let mut next = Some(next);
                    while let Some(start) = next {
                        // Let others run, also those that publish more.
                        yield_now().await;
                        next = topic.flush_portion(start, &mut portion);
                    }
                });
            }
            mut next => {
                while let Some(start) = next {
                    next = self.flush_portion(start, &mut portion);
                }
            }
        }
    }

    /// The first portion. `None` if all is done, or somebody else is doing it.
    fn start_flush(&self, portion: &mut Vec<Arc<AnyConn>>) -> Option<usize> {
        let mut state = self.state.lock();
        if state.flushing {
            return None;
        }
        (state.flushing, state.again) = (true, false);
        drop(state);
        self.flush_portion(0, portion)
    }

    /// Writes to the members from this key on. The key to go on from, unless all is done.
    fn flush_portion(&self, start: usize, portion: &mut Vec<Arc<AnyConn>>) -> Option<usize> {
        let mut state = self.state.lock();
        let mut next = start;
        let end = state.members.capacity();
        while next < end && portion.len() < PORTION {
            if let Some(conn) = state.members.get(next)
                && conn.outbox.has_queued()
            {
                portion.push(Arc::clone(conn));
            }
            next += 1;
        }
        let next = if next < end {
            Some(next)
        } else if std::mem::take(&mut state.again) {
            Some(0)
        } else {
            state.flushing = false;
            None
        };
        drop(state);
        // Nothing is locked while writing.
        for conn in portion.drain(..) {
            conn.outbox.flush();
        }
        next
    }
}
