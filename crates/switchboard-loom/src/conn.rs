//! A connection with nothing but its queue.

mod outbox;

pub(crate) use self::outbox::{Mark, Outbox, Promise, Pushed, Sink, Total, Wrote};
use crate::transport::{Frame, Pipe, Variants};

pub(crate) type ConnId = u32;

#[derive(Debug)]
pub(crate) struct AnyConn {
    pub(crate) id: ConnId,
    pub(crate) outbox: Outbox<Pipe>,
}

impl AnyConn {
    pub(crate) fn write_early(&self) {
        self.outbox.flush();
    }

    pub(crate) fn make_room(&self, _: usize) {}

    pub(crate) fn check_size(&self, _: &Frame) {}

    pub(crate) fn variant(&self, frame: &Frame, _: &mut Variants) -> Option<Frame> {
        Some(frame.clone())
    }
}
