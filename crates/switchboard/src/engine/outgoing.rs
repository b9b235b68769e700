//! Frames on their way from the queue to the transport.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

use super::driver::Driver;
use crate::{
    conn::Outbox,
    transport::{Broken, Frame, Transport},
};

#[derive(Default)]
pub(super) struct Outgoing {
    batch: VecDeque<Frame>,
    /// What the transport was given since its last complete flush.
    handed: usize,
    /// There is something to flush.
    pub(super) unflushed: bool,
    /// The transport takes no more at the moment.
    blocked: bool,
}

impl Outgoing {
    /// Gives the transport what is queued, without flushing. `false` if it does not take more now.
    fn hand_over<T: Transport>(
        &mut self,
        outbox: &Outbox,
        transport: &mut T,
        cx: &mut Context<'_>,
    ) -> Result<bool, Broken> {
        if self.batch.is_empty() && !outbox.has_queued() {
            return Ok(true);
        }
        loop {
            if self.batch.is_empty() {
                outbox.take(&mut self.batch);
                if self.batch.is_empty() {
                    return Ok(true);
                }
            }
            let Poll::Ready(ready) = transport.poll_ready(cx) else {
                self.blocked = true;
                return Ok(false);
            };
            ready?;
            if std::mem::take(&mut self.blocked) {
                // It is ready again only once all that it had was flushed.
                outbox.written(std::mem::take(&mut self.handed));
            }
            if let Some(frame) = self.batch.pop_front() {
                self.handed += frame.cost();
                transport.queue(frame)?;
                self.unflushed = true;
            }
        }
    }

    fn flush<T: Transport>(
        &mut self,
        outbox: &Outbox,
        transport: &mut T,
        cx: &mut Context<'_>,
    ) -> Result<bool, Broken> {
        if !self.unflushed {
            return Ok(true);
        }
        let Poll::Ready(flushed) = transport.poll_flush(cx) else { return Ok(false) };
        flushed?;
        self.unflushed = false;
        self.blocked = false;
        outbox.written(std::mem::take(&mut self.handed));
        Ok(true)
    }

    /// Gives the transport a reply at once if nothing is queued before it; else gives it back.
    fn reply<T: Transport>(
        &mut self,
        frame: Frame,
        outbox: &Outbox,
        transport: &mut T,
        cx: &mut Context<'_>,
    ) -> Option<Frame> {
        let free = self.batch.is_empty() && !self.blocked && !outbox.has_queued() && !outbox.is_closed();
        if !free || !matches!(transport.poll_ready(cx), Poll::Ready(Ok(()))) {
            return Some(frame);
        }
        self.unflushed = true;
        // A transport that is broken says so at the next flush.
        _ = transport.queue(frame);
        None
    }

    /// Drops what was taken from the queue and not given to the transport.
    pub(super) fn forget(&mut self) {
        self.batch = VecDeque::new();
    }
}

impl<D: Send + Sync + 'static, T: Transport> Driver<D, T> {
    /// Sends a handler's reply, behind all that it sent and published before.
    pub(super) fn reply(&mut self, frame: Frame, cx: &mut Context<'_>) {
        let outbox = &self.conn.outbox;
        let left = match &mut self.transport {
            Some(transport) => self.outgoing.reply(frame, outbox, transport, cx),
            None => return,
        };
        if let Some(frame) = left {
            outbox.push_reply(frame);
        }
    }

    /// Gives the transport what is queued, without flushing it: so it leaves ahead of whatever the
    /// transport answers to what it reads next.
    pub(super) fn hand_over(&mut self, cx: &mut Context<'_>) -> Result<(), Broken> {
        let Some(transport) = &mut self.transport else { return Err(Broken) };
        self.outgoing.hand_over(&self.conn.outbox, transport, cx).map(drop)
    }

    /// Hands over what is queued and flushes it. `false` if the transport does not take more now.
    pub(super) fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, Broken> {
        let Some(transport) = &mut self.transport else { return Err(Broken) };
        let outbox = &self.conn.outbox;
        Ok(self.outgoing.hand_over(outbox, transport, cx)? && self.outgoing.flush(outbox, transport, cx)?)
    }
}
