//! Capturing published messages, for tests of applications.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use tokio::sync::{Notify, futures::Notified};

use crate::{ConnId, wire::Frame};

/// A log keeps this many publishes; then the oldest are lost.
const MAX_RECORDS: usize = 16 * 1024;

/// The logs that capture what is published through a hub. Without any, a publish only reads a flag.
#[derive(Default)]
pub(crate) struct Captures {
    used: AtomicBool,
    logs: Mutex<Vec<Weak<PublishLog>>>,
}

impl Captures {
    /// Captures into a log from now on, as long as the log is held. Adding it twice has no effect.
    pub(crate) fn add(&self, log: &Arc<PublishLog>) {
        let mut logs = self.logs.lock();
        logs.retain(|other| other.strong_count() > 0);
        if !logs.iter().any(|other| std::ptr::eq(other.as_ptr(), Arc::as_ptr(log))) {
            logs.push(Arc::downgrade(log));
        }
        self.used.store(true, Relaxed);
    }

    /// Records a published message, with or without subscribers.
    pub(crate) fn record(&self, topic: &str, frame: &Frame, sender: Option<ConnId>) {
        if !self.used.load(Relaxed) {
            return;
        }
        for log in self.logs.lock().iter().filter_map(Weak::upgrade) {
            log.push(Record { topic: topic.into(), frame: frame.clone(), sender });
        }
    }
}

/// A published message.
pub(crate) struct Record {
    pub(crate) topic: Box<str>,
    pub(crate) frame: Frame,
    pub(crate) sender: Option<ConnId>,
}

/// Published messages that were not taken yet, in order.
#[derive(Default)]
pub(crate) struct PublishLog {
    records: Mutex<Records>,
    more: Notify,
}

#[derive(Default)]
struct Records {
    kept: VecDeque<Record>,
    lost: usize,
}

impl PublishLog {
    fn push(&self, record: Record) {
        let mut records = self.records.lock();
        if records.kept.len() == MAX_RECORDS {
            records.kept.pop_front();
            records.lost += 1;
        }
        records.kept.push_back(record);
        drop(records);
        self.more.notify_waiters();
    }

    /// Reads or takes records. `look` also gets the number of lost ones.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut VecDeque<Record>, usize) -> T) -> T {
        let Records { kept, lost } = &mut *self.records.lock();
        look(kept, *lost)
    }

    /// Completes when a further message is recorded after this was first polled or enabled.
    pub(crate) fn more(&self) -> Notified<'_> {
        self.more.notified()
    }
}
