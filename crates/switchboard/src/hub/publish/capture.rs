//! What is published, for tests of applications.

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

/// So many publishes are kept for one who captures; then the oldest go.
const KEPT: usize = 16 * 1024;

/// Who captures what is published through a hub. Whatever nobody captures costs one look at a flag.
#[derive(Default)]
pub(crate) struct Captures {
    used: AtomicBool,
    logs: Mutex<Vec<Weak<PublishLog>>>,
}

impl Captures {
    /// From now on, as long as the log is held. Once, however often it is added.
    pub(crate) fn add(&self, log: &Arc<PublishLog>) {
        let mut logs = self.logs.lock();
        logs.retain(|other| other.strong_count() > 0);
        if !logs.iter().any(|other| std::ptr::eq(other.as_ptr(), Arc::as_ptr(log))) {
            logs.push(Arc::downgrade(log));
        }
        self.used.store(true, Relaxed);
    }

    /// A message was published, to anyone or nobody.
    pub(crate) fn record(&self, topic: &str, frame: &Frame, sender: Option<ConnId>) {
        if !self.used.load(Relaxed) {
            return;
        }
        for log in self.logs.lock().iter().filter_map(Weak::upgrade) {
            log.push(Record { topic: topic.into(), frame: frame.clone(), sender });
        }
    }
}

/// One message that was published.
pub(crate) struct Record {
    pub(crate) topic: Box<str>,
    pub(crate) frame: Frame,
    pub(crate) sender: Option<ConnId>,
}

/// What was published and not looked at yet, in that order.
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
        if records.kept.len() == KEPT {
            records.kept.pop_front();
            records.lost += 1;
        }
        records.kept.push_back(record);
        drop(records);
        self.more.notify_waiters();
    }

    /// Looks at them, or takes some; with how many were lost.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut VecDeque<Record>, usize) -> T) -> T {
        let Records { kept, lost } = &mut *self.records.lock();
        look(kept, *lost)
    }

    /// Ready when there is one more, counted from when it is first polled or enabled.
    pub(crate) fn more(&self) -> Notified<'_> {
        self.more.notified()
    }
}
