//! What a client may send, and how much it may ask for without reading.

use std::task::Context;

use switchboard_core::{CloseCode, WsError};

use super::Session;
use crate::{
    engine::{rates::Counted, throttle::Throttle},
    wire::encode,
};

impl<D: Send + Sync + 'static> Session<D> {
    /// A message has come: the connection is active now, which is noted once a turn. `false` if it is
    /// one too many.
    #[inline]
    pub(in crate::engine) fn touch(&mut self) -> bool {
        if !self.touched {
            self.touched = true;
            self.conn.touch();
            if self.conn.config().max_messages.is_some() {
                self.rates.look();
            }
        }
        match self.conn.config().max_messages {
            Some(limit) => self.count_message(limit),
            None => true,
        }
    }

    fn count_message(&mut self, limit: u32) -> bool {
        let fits = self.rates.count(Counted::Message) <= limit;
        if !fits {
            self.end_flood("too many messages", limit);
        }
        fits
    }

    /// Counts a message that reaches no handler. `false` if it is one too many.
    pub(super) fn count_unhandled(&mut self) -> bool {
        let limit = self.conn.config().max_unhandled_messages;
        self.rates.look();
        let fits = self.rates.count(Counted::Unhandled) <= limit;
        if !fits {
            self.end_flood("too many messages that no handler takes", limit);
        }
        fits
    }

    /// Counts a ping or pong. `false` if it is one too many.
    pub(in crate::engine) fn count_control(&mut self) -> bool {
        self.rates.look();
        self.rates.count(Counted::Control) <= self.conn.config().max_control_frames
    }

    /// Tells the client why, and closes.
    #[cold]
    fn end_flood(&mut self, what: &'static str, limit: u32) {
        if self.routing.hooks.text.is_none() {
            let error = WsError::resource_exhausted(what).with_detail("limit", limit).with_retry_after_ms(10_000);
            if let Some(frame) = encode::error(&error, None, false) {
                self.push_own(frame);
            }
        }
        self.conn.outbox.close(CloseCode::FLOOD, what);
    }

    /// A turn begins: what others have queued since the last is told apart.
    pub(super) fn begin_throttling(&mut self) {
        let Some(throttle) = &mut self.throttle else { return };
        let backlog = self.conn.outbox.backlog();
        if backlog.waits() == 0 {
            // Not only is nothing queued: the socket has taken it all.
            self.throttle = None;
        } else {
            throttle.skip(backlog);
        }
    }

    /// Whether more than half of the outbound limit waits of what the client has asked for itself.
    #[inline]
    pub(in crate::engine) fn is_throttled(&mut self) -> bool {
        self.conn.outbox.is_pressed() && self.look_at_throttle()
    }

    #[inline(never)]
    fn look_at_throttle(&mut self) -> bool {
        self.throttled = self.conn.outbox.pressing().is_some_and(|backlog| {
            // What there was before the first look counts as its own until it has left.
            let throttle = self.throttle.get_or_insert_with(|| Box::new(Throttle::new(backlog, true)));
            let half = self.conn.config().max_outbound_bytes / 2;
            throttle.own(backlog) > u64::try_from(half).unwrap_or(u64::MAX)
        });
        self.throttled
    }

    /// Whether what was held back in this turn may go on.
    pub(in crate::engine) fn is_let_go(&mut self) -> bool {
        self.throttled && !self.is_throttled()
    }

    /// Not all could be written in this turn. `true` once the client has taken nothing for too long
    /// while it is not read: nothing else would end that.
    pub(in crate::engine) fn poll_stall(&mut self, cx: &mut Context<'_>) -> bool {
        let stalls = self.is_full();
        let (backlog, clear) = (self.conn.outbox.backlog(), self.clear);
        let throttle = self.throttle.get_or_insert_with(|| Box::new(Throttle::new(backlog, clear)));
        // Of this turn, too, what was put out last.
        throttle.own(backlog);
        if !stalls {
            throttle.end_stall();
            return false;
        }
        let patience = self.conn.config().pong_timeout;
        let outbox = &self.conn.outbox;
        throttle.poll_stall(backlog.written, patience, || outbox.poke(), cx).is_ready()
    }
}
