//! Limits on what a client sends, and backpressure on what it requests without reading.

use std::{task::Context, time::Duration};

use switchboard_core::{CloseCode, WsError};

use super::Session;
use crate::{
    engine::{rates::Counted, throttle::Throttle},
    wire::encode,
};

impl<D: Send + Sync + 'static> Session<D> {
    /// Counts a message, and records once per turn that the connection is active. Returns `false`
    /// if the message exceeds [`max_messages`](crate::Config::max_messages).
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

    /// Counts a message that reaches no handler. Returns `false` if it exceeds the limit.
    pub(super) fn count_unhandled(&mut self) -> bool {
        let limit = self.conn.config().max_unhandled_messages;
        self.rates.look();
        let fits = self.rates.count(Counted::Unhandled) <= limit;
        if !fits {
            self.end_flood("too many messages that reach no handler", limit);
        }
        fits
    }

    /// Counts a ping or pong. Returns `false` if it exceeds the limit.
    pub(in crate::engine) fn count_control(&mut self) -> bool {
        self.rates.look();
        self.rates.count(Counted::Control) <= self.conn.config().max_control_frames
    }

    /// Sends the reason to the client and closes the connection.
    #[cold]
    fn end_flood(&mut self, what: &'static str, limit: u32) {
        if self.routing.hooks.text.is_none() {
            let error =
                WsError::resource_exhausted(what).with_detail("limit", limit).with_retry_after(Duration::from_secs(10));
            if let Some(frame) = encode::error(&error, None, false) {
                self.push_own(frame);
            }
        }
        self.conn.outbox.close(CloseCode::FLOOD, what);
    }

    /// Starts a turn: bytes that others queued since the last one do not count for throttling.
    pub(super) fn begin_throttling(&mut self) {
        let Some(throttle) = &mut self.throttle else { return };
        let backlog = self.conn.outbox.backlog();
        if backlog.queued() == 0 {
            // Everything pushed has been written.
            self.throttle = None;
        } else {
            throttle.skip(backlog);
        }
    }

    /// Whether the client's own requests fill more than half of the outbound limit.
    #[inline]
    pub(in crate::engine) fn is_throttled(&mut self) -> bool {
        self.conn.outbox.is_above_watermark() && self.update_throttle()
    }

    #[inline(never)]
    fn update_throttle(&mut self) -> bool {
        self.throttled = self.conn.outbox.backlog_above_watermark().is_some_and(|backlog| {
            // Bytes queued before throttling was first considered count as the client's own.
            let throttle = self.throttle.get_or_insert_with(|| Box::new(Throttle::new(backlog, true)));
            let half = self.conn.config().max_outbound_bytes / 2;
            throttle.own(backlog) > u64::try_from(half).unwrap_or(u64::MAX)
        });
        self.throttled
    }

    /// Whether the connection was throttled in this turn and no longer is.
    pub(in crate::engine) fn is_resumed(&mut self) -> bool {
        self.throttled && !self.is_throttled()
    }

    /// Called when a turn could not write everything. Returns `true` once the client has read
    /// nothing for [`pong_timeout`](crate::Config::pong_timeout) while it is not read itself:
    /// nothing else would end that.
    pub(in crate::engine) fn poll_stall(&mut self, cx: &mut Context<'_>) -> bool {
        let stalls = self.is_full();
        let (backlog, clear) = (self.conn.outbox.backlog(), self.clear);
        let throttle = self.throttle.get_or_insert_with(|| Box::new(Throttle::new(backlog, clear)));
        // Count what this turn pushed last.
        throttle.own(backlog);
        if !stalls {
            throttle.end_stall();
            return false;
        }
        let timeout = self.conn.config().pong_timeout;
        let outbox = &self.conn.outbox;
        throttle.poll_stall(backlog.written, timeout, || outbox.retry_blocked(), cx).is_ready()
    }
}
