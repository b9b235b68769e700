//! A connection with nothing but its queue.

mod outbox;

use std::sync::atomic::Ordering::SeqCst;

pub(crate) use self::outbox::{Mark, Outbox, Promise, Pushed, Sink, Total, Wrote};
use crate::{
    hub::Topic,
    sync::AtomicUsize,
    transport::{Frame, Pipe, Variants},
};

pub(crate) type ConnId = u32;

/// It is in no topic, or about to leave the one that it is in.
pub(crate) const GONE: usize = usize::MAX;

#[derive(Debug)]
pub(crate) struct AnyConn {
    pub(crate) id: ConnId,
    pub(crate) outbox: Outbox<Pipe>,
    /// Its place in the one topic that it is in, or `GONE`.
    pub(crate) place: AtomicUsize,
}

impl AnyConn {
    pub(crate) fn write_early(&self) {
        self.outbox.flush();
    }

    pub(crate) fn moved(&self, _: &Topic, from: usize, to: usize) -> bool {
        // Another place may not be noted while the lock is held under which it leaves.
        self.place.compare_exchange(from, to, SeqCst, SeqCst).is_ok()
    }

    pub(crate) fn make_room(&self, _: usize) {}

    pub(crate) fn check_size(&self, _: &Frame) {}

    pub(crate) fn variant(&self, frame: &Frame, _: &mut Variants) -> Option<Frame> {
        Some(frame.clone())
    }
}
