//! Accepts frames: reads them, and starts, queues or refuses their messages.

use std::{borrow::Cow, task::Context, time::Duration};

use bytes::Bytes;
use switchboard_core::{
    WsError,
    envelope::{Inbound, MalformedEnvelope},
};

use super::{Session, has_slot};
use crate::{
    engine::incoming::{self, Incoming, Refusal, Work},
    request::Call,
    wire::encode,
};

impl<D: Send + Sync + 'static> Session<D> {
    #[inline]
    pub(in crate::engine) fn accept_text(&mut self, text: &str, cx: &mut Context<'_>) {
        let bytes = text.len();
        if self.is_too_long(bytes, cx) {
            return;
        }
        if self.routing.hooks.text.is_some() {
            return self.accept(Incoming::Work(Work::Text(text.into())), bytes, cx);
        }
        if self.conn.dialect.standard {
            return self.accept_envelope(text, bytes, cx);
        }
        match self.conn.wire().text_to_standard(text) {
            // The inbox keeps the converted text, so its length counts.
            Ok(text) => self.accept_envelope(&text, text.len(), cx),
            Err(malformed) => self.accept(incoming::malformed_frame(malformed), bytes, cx),
        }
    }

    pub(in crate::engine) fn accept_binary(&mut self, frame: &[u8], cx: &mut Context<'_>) {
        let bytes = frame.len();
        if self.is_too_long(bytes, cx) {
            return;
        }
        if self.conn.dialect.messagepack {
            return match self.conn.wire().messagepack_to_standard(frame) {
                // The inbox keeps the converted text, which may be longer, so its length counts.
                Ok(text) => self.accept_envelope(&text, text.len(), cx),
                Err(malformed) => self.accept(incoming::malformed_frame(malformed), bytes, cx),
            };
        }
        if self.routing.hooks.binary.is_some() {
            return self.accept(Incoming::Work(Work::Binary(Bytes::copy_from_slice(frame))), bytes, cx);
        }
        match std::str::from_utf8(frame) {
            Ok(text) => self.accept_text(text, cx),
            Err(_) => self.accept(incoming::malformed_frame(MalformedEnvelope), bytes, cx),
        }
    }

    /// Refuses a message over the soft limit. It is not parsed, so the error has no correlation id.
    #[inline]
    fn is_too_long(&mut self, bytes: usize, cx: &mut Context<'_>) -> bool {
        match self.conn.config().soft_max_message_bytes {
            Some(limit) if bytes > limit => self.refuse_too_long(bytes, limit, cx),
            _ => return false,
        }
        true
    }

    #[cold]
    fn refuse_too_long(&mut self, bytes: usize, limit: usize, cx: &mut Context<'_>) {
        let error = WsError::resource_exhausted("the message is too long")
            .with_detail("observed", bytes)
            .with_detail("limit", limit)
            .never_retry();
        self.accept(Incoming::Work(Work::Refuse(Refusal::of_frame(error))), 0, cx);
    }

    #[inline]
    fn accept_envelope(&mut self, text: &str, bytes: usize, cx: &mut Context<'_>) {
        let inbound = match Inbound::from_json(text) {
            Ok(inbound) => inbound,
            Err(malformed) => return self.accept(incoming::malformed_frame(malformed), bytes, cx),
        };
        if self.conn.pending_calls().is_some() && self.accept_answer(&inbound) {
            return;
        }
        match incoming::envelope(&self.routing, self.conn.dialect, text, &inbound) {
            // The common case. Requests of the protocol, which begin with `$`, are counted.
            Incoming::Work(Work::Call(index, call)) if self.is_free() && !call.message_type.starts_with('$') => {
                self.call(index, call, Duration::ZERO, cx);
            }
            incoming => self.accept(incoming, bytes, cx),
        }
    }

    #[inline(never)]
    fn accept(&mut self, incoming: Incoming<'_>, bytes: usize, cx: &mut Context<'_>) {
        if !incoming.is_handled() && !self.count_unhandled() {
            return;
        }
        match incoming {
            Incoming::Work(work) => self.accept_work(work, bytes, cx),
            Incoming::Abort(id) => self.abort(&id),
            Incoming::Heartbeat => {
                // Fails only if the connection is closing.
                _ = self.conn.push(encode::heartbeat_ack());
            }
            Incoming::LateAnswer => self.conn.hub().count_late_answer(),
        }
    }

    /// Completes the call that this answers. Returns `false` if it answers none; it is then handled
    /// like any other message.
    #[inline(never)]
    fn accept_answer(&mut self, inbound: &Inbound<'_>) -> bool {
        if !incoming::is_answer(inbound) {
            return false;
        }
        let id = inbound.meta().correlation_id().map(Cow::Borrowed).unwrap_or_default();
        let (message_type, answer) = incoming::answer(inbound);
        self.conn.pending_calls().is_some_and(|calls| calls.answer(&id, message_type.as_deref(), answer))
    }

    /// Whether nothing runs or waits in order.
    #[inline]
    fn is_idle(&self) -> bool {
        self.running.is_none() && self.failures.is_none() && self.inbox.is_empty()
    }

    /// Whether any message can be handled at once.
    #[inline]
    pub(super) fn is_free(&mut self) -> bool {
        self.is_idle() && self.concurrent.is_none() && !self.draining && !self.is_paused()
    }

    fn accept_work(&mut self, mut work: Work<Call<'_>>, bytes: usize, cx: &mut Context<'_>) {
        if self.is_free() {
            return self.start(work, Duration::ZERO, cx);
        }
        let paused = self.is_paused();
        let idle = self.is_idle() && !paused;
        let concurrent = self.may_run_concurrently(&work).map(|may| may && !paused);
        let is_request = work.request().is_some();
        if self.draining {
            return self.reject(work.keep());
        }
        if let Some(refusal) = self.refuse_duplicate(&work) {
            if incoming::is_handled(&work) && !self.count_unhandled() {
                return;
            }
            work = Work::Refuse(refusal);
        } else if is_request && let Some(refusal) = self.refuse_request(&work) {
            // Refused at once, not behind the requests in flight.
            return self.refuse(refusal);
        }
        let auth_hooks = matches!(work, Work::Refresh(..)) && self.can_run_auth_hooks();
        match concurrent {
            _ if auth_hooks => self.start(work, Duration::ZERO, cx),
            Some(true) => self.start(work, Duration::ZERO, cx),
            None if idle => self.start(work, Duration::ZERO, cx),
            _ => {
                let timeout = match &work {
                    Work::Call(index, call) => Some(self.timeout(*index, *call)),
                    _ => None,
                };
                self.inbox.push(work.keep(), bytes, timeout);
            }
        }
    }

    /// Whether it may start beside running handlers; `None` if its route is handled in order.
    fn may_run_concurrently(&self, work: &Work<Call<'_>>) -> Option<bool> {
        let Work::Call(index, _) = work else { return None };
        let limit = self.routing.table.get(*index).options.concurrent;
        (limit > 0).then(|| !self.is_opening() && has_slot(self.concurrent.as_deref(), *index, limit))
    }

    /// Refuses a message with the id of a request in flight.
    fn refuse_duplicate(&self, work: &Work<Call<'_>>) -> Option<Refusal> {
        let id = work.correlation_id().filter(|id| self.has_request(id))?;
        let (message_type, is_bad) = match work {
            Work::Call(_, call) => (Some(call.message_type), false),
            Work::Refuse(refusal) => (refusal.message_type, refusal.is_bad),
            _ => (None, false),
        };
        // Uncorrelated: a correlated error would settle the first request.
        let error =
            WsError::already_exists("a request with this correlationId is in flight").with_detail("correlationId", id);
        Some(Refusal { error, message_type, correlation_id: None, is_rpc: false, is_bad })
    }

    /// Refuses a request beyond [`max_requests`](crate::Config::max_requests).
    fn refuse_request(&self, work: &Work<Call<'_>>) -> Option<Refusal> {
        let id = work.request()?;
        let (limit, current) = (self.conn.config().max_requests, self.requests());
        if current < limit {
            return None;
        }
        let error = WsError::resource_exhausted("too many requests in flight")
            .with_detail("limit", limit)
            .with_detail("current", current);
        let (message_type, correlation_id) = (Some(id.message_type), id.correlation_id.map(Into::into));
        Some(Refusal { error, message_type, correlation_id, is_rpc: true, is_bad: false })
    }
}
