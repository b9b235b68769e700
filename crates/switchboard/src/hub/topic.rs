//! One topic and its members.

use std::sync::Arc;

use parking_lot::Mutex;
use slab::Slab;

use crate::{
    conn::{AnyConn, ConnId, Pushed},
    transport::Frame,
};

/// What became of a frame for all members.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    /// How many took it.
    pub(super) count: usize,
    /// Whether the queue of one is half full.
    pub(super) pressed: bool,
}

pub(crate) struct Topic {
    name: Box<str>,
    members: Mutex<Slab<Arc<AnyConn>>>,
}

impl Topic {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), members: Mutex::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn len(&self) -> usize {
        self.members.lock().len()
    }

    pub(super) fn insert(&self, conn: Arc<AnyConn>) -> usize {
        self.members.lock().insert(conn)
    }

    /// How many are left.
    pub(super) fn remove(&self, key: usize) -> usize {
        let mut members = self.members.lock();
        let removed = members.try_remove(key);
        let left = members.len();
        if left == 0 {
            // A topic that was large once and is handed out at this moment keeps no room.
            *members = Slab::new();
        }
        drop(members);
        drop(removed);
        left
    }

    /// Puts the frame into every member's queue; nothing is written to a socket here.
    pub(super) fn deliver(&self, frame: &Frame, except: Option<ConnId>) -> Delivery {
        let members = self.members.lock();
        let others = members.iter().filter(|(_, conn)| Some(conn.id) != except);
        let mut delivery = Delivery::default();
        for (_, conn) in others {
            match conn.outbox.push(frame.clone()) {
                Pushed::Queued => delivery.count += 1,
                Pushed::Pressed => {
                    delivery.count += 1;
                    delivery.pressed = true;
                }
                Pushed::Closed => {}
            }
        }
        delivery
    }
}
