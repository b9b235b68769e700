//! Reports results: replies and errors to the client, the log and the error hooks.

use std::{error::Error as _, sync::Arc};

use switchboard_core::{CloseCode, ErrorCode, WsError};

use tracing::Span;

use super::{
    running::{Job, Outcome, Running, run_each},
    session::Session,
};
use crate::{
    conn::{ConnInner, Replied},
    guard::{cut, drop_quietly, quietly},
    handler::Failure,
    metrics,
    request::CallId,
    wire::{Frame, encode},
};

impl Outcome {
    #[inline]
    pub(super) fn into_result(self) -> Result<Replied, WsError> {
        match self {
            Self::Done(result) => result,
            Self::Panicked(text) => Err(WsError::internal(format!("panicked: {text}"))),
            Self::TimedOut => Err(WsError::deadline_exceeded("the deadline has passed")),
        }
    }
}

/// How many failures may wait for the error hooks.
const MAX_FAILURES: usize = 32;

impl<D: Send + Sync + 'static> Session<D> {
    /// Reports the outcome of a handler, including one that could not start.
    #[inline]
    pub(super) fn finish_call(&mut self, id: CallId<'_>, span: &Span, outcome: Outcome) {
        // The common case: the reply has been sent already.
        if let Outcome::Done(Ok(Replied::Sent | Replied::Nothing)) = outcome {
            span.record("outcome", "OK");
            metrics::handled(id.message_type, "OK");
        } else {
            self.finish_call_otherwise(id, span, outcome);
        }
    }

    #[inline(never)]
    fn finish_call_otherwise(&mut self, id: CallId<'_>, span: &Span, outcome: Outcome) {
        match outcome.into_result() {
            Ok(replied) => match self.send_reply(replied) {
                Ok(()) => {
                    span.record("outcome", "OK");
                    metrics::handled(id.message_type, "OK");
                }
                Err(error) => self.fail_call(error, id, span),
            },
            Err(error) => self.fail_call(error, id, span),
        }
    }

    fn fail_call(&mut self, error: WsError, id: CallId<'_>, span: &Span) {
        span.record("outcome", error.code().as_str());
        self.fail_request(error, id);
    }

    pub(super) fn finish(&mut self, running: &mut Running, outcome: Outcome) {
        let error = match outcome.into_result().and_then(|replied| self.send_reply(replied)) {
            Ok(()) => return self.succeed(running),
            Err(error) => error,
        };
        running.record(error.code().as_str());
        let (conn, routing) = (&self.conn, &self.routing);
        match running.cancel(|future, span| routing.detach(conn, future, span)) {
            Job::Call(_, id) => self.fail_request(error, id.id()),
            Job::Binary if self.routing.hooks.text.is_none() => self.fail(error, None, None, false),
            Job::Fallback(id) => self.fail(error, None, id.as_deref(), id.is_some()),
            Job::Refresh(id) => self.fail(error, None, Some(&id), true),
            // The application has its own protocol, so no error envelope is sent.
            Job::Text | Job::Binary => {
                self.log(&error, None);
                self.queue_failure(None, error);
            }
            Job::Open => {
                self.log_failed_hook(&error, "`on_open` failed: the connection is closed");
                drop_quietly(error);
                self.conn.outbox.close(CloseCode::SERVER_ERROR, "the connection could not be set up");
            }
            Job::Reauthorize => {
                self.reauthorization_failed(&error);
                drop_quietly(error);
            }
            // Only for failures outside the hooks: `run_each` handles their own.
            Job::Error | Job::Close | Job::Over => {
                self.log(&error, None);
                drop_quietly(error);
            }
        }
    }

    /// Sends a reply that has not been sent yet. Fails if it does not fit the client's envelope.
    fn send_reply(&self, replied: Replied) -> Result<(), WsError> {
        match replied {
            Replied::Frame(frame) => self.conn.push_reply(frame).map_err(WsError::internal),
            Replied::Sent | Replied::Nothing => Ok(()),
        }
    }

    fn succeed(&mut self, running: &Running) {
        running.record("OK");
        match &running.what {
            Job::Call(_, id) => metrics::handled(id.id().message_type, "OK"),
            Job::Refresh(id) => self.refreshed(id),
            _ => {}
        }
    }

    fn refreshed(&mut self, id: &str) {
        let expires_in = self.conn.expires_in();
        let millis = expires_in.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        let payload = serde_json::json!({ "expiresInMs": millis });
        if let Some(frame) = encode::control("$ws:refreshed", Some(id), &payload) {
            self.push_own(frame);
        }
    }

    /// Sends a frame of this library, which fits every envelope.
    pub(super) fn push_own(&self, frame: Frame) {
        _ = self.conn.push_reply(frame);
    }

    /// Closes the connection if the `on_reauthorize` hooks refused it.
    fn reauthorization_failed(&mut self, error: &WsError) {
        let code = match error.code() {
            ErrorCode::Unauthenticated => CloseCode::UNAUTHENTICATED,
            ErrorCode::PermissionDenied => CloseCode::FORBIDDEN,
            // An outage of what the hooks depend on must not close all connections.
            _ => return self.log_failed_hook(error, "`on_reauthorize` did not decide: the connection stays open"),
        };
        self.conn.outbox.close(code, switchboard_core::close_reason(error.message()));
    }

    /// Reports the failure of a message with a route.
    pub(super) fn fail_request(&mut self, error: WsError, id: CallId<'_>) {
        self.fail(error, Some(id.message_type), id.correlation_id, id.is_rpc);
    }

    /// Reports a failure to the client, the log and the error hooks.
    pub(super) fn fail(
        &mut self,
        error: WsError,
        message_type: Option<&'static str>,
        correlation_id: Option<&str>,
        is_rpc: bool,
    ) {
        if let Some(frame) = encode::error(&error, correlation_id, is_rpc) {
            self.push_own(frame);
        }
        metrics::handled(message_type.unwrap_or(metrics::UNKNOWN), metrics::code(error.code()));
        self.log(&error, message_type);
        self.queue_failure(message_type, error);
    }

    /// Queues a failure for the error hooks, which run when nothing else does, before the next
    /// message.
    fn queue_failure(&mut self, message_type: Option<&'static str>, error: WsError) {
        if self.routing.hooks.error.is_empty() {
            return drop_quietly(error);
        }
        let failures = self.failures.get_or_insert_default();
        if failures.len() < MAX_FAILURES {
            failures.push_back(Failure::new(message_type, error));
            return;
        }
        if let Some(suppressed) = self.conn.hub().may_log() {
            tracing::warn!(suppressed, "more than {MAX_FAILURES} failures wait: on_error does not see all of them");
        }
        drop_quietly(error);
    }

    /// Starts the hooks for the next failure. Returns `false` if there is none.
    pub(super) fn start_error_hooks(&mut self) -> bool {
        let Some(failures) = &mut self.failures else { return false };
        let failure = failures.pop_front();
        if failures.is_empty() {
            self.failures = None;
        }
        let Some(failure) = failure else { return false };
        let (conn, routing) = (Arc::clone(&self.conn), Arc::clone(&self.routing));
        self.running = Some(Box::new(Running::hooks(Job::Error, async move {
            run_each(&conn, "on_error", &routing.hooks.error, failure).await;
        })));
        true
    }

    /// Logs the failure of a hook that decides about a connection: no client is told why.
    fn log_failed_hook(&self, error: &WsError, outcome: &'static str) {
        if *error.code() == ErrorCode::Internal {
            self.log(error, Some(outcome));
        } else if let Some(suppressed) = self.conn.hub().may_log() {
            let (code, error) = (cut(error.code().as_str()), cut(error.message()));
            tracing::warn!(code, error, suppressed, "{outcome}");
        }
    }

    fn log(&self, error: &WsError, what: Option<&str>) {
        log(&self.conn, error, what);
    }
}

/// Logs a failure. Its texts may come from a client, so they are fields, which formatters escape.
pub(super) fn log<D>(conn: &ConnInner<D>, error: &WsError, what: Option<&str>) {
    if *error.code() == ErrorCode::Internal {
        // Limited, since clients can cause failures at will.
        if let Some(suppressed) = conn.hub().may_log() {
            let source = error.source().map(|source| quietly("an error's text", || source.to_string()));
            let source = source.map(|text| text.unwrap_or_else(|| "(its text panicked)".to_owned()));
            let (error, source) = (cut(error.message()), source.as_deref().map(cut));
            tracing::error!(what, error, source, suppressed, "a message or a hook failed");
        }
    } else {
        if tracing::enabled!(tracing::Level::DEBUG) {
            let details = error.details::<serde_json::Value>().map(|details| details.to_string());
            let (code, error, details) =
                (cut(error.code().as_str()), cut(error.message()), details.as_deref().map(cut));
            tracing::debug!(what, code, error, details, "a message or hook ended with an error");
        }
    }
}
