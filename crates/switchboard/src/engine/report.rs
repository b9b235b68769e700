//! What becomes of results: replies and errors for the client, the log, and the error hooks.

use std::{error::Error as _, sync::Arc};

use switchboard_core::{CloseCode, ErrorCode, WsError};

use tracing::Span;

use super::{
    running::{Job, Outcome, Running, each},
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

/// How many failures may wait for the error hooks while something else runs.
const MAX_FAILURES: usize = 32;

impl<D: Send + Sync + 'static> Session<D> {
    /// A handler has ended, or could not begin.
    #[inline]
    pub(super) fn finish_call(&mut self, id: CallId<'_>, span: &Span, outcome: Outcome) {
        // By far the most have put out their reply already.
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
            Ok(replied) => match self.put_out(replied) {
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
        let error = match outcome.into_result().and_then(|replied| self.put_out(replied)) {
            Ok(()) => return self.succeed(running),
            Err(error) => error,
        };
        running.record(error.code().as_str());
        let (conn, routing) = (&self.conn, &self.routing);
        match running.give_up(|future, span| routing.detach(conn, future, span)) {
            Job::Call(_, id) => self.fail_request(error, id.id()),
            Job::Binary if self.routing.hooks.text.is_none() => self.fail(error, None, None, false),
            Job::Fallback(id) => self.fail(error, None, id.as_deref(), id.is_some()),
            Job::Refresh(id) => self.fail(error, None, Some(&id), true),
            // A protocol of the application's own: it alone knows what an error looks like.
            Job::Text | Job::Binary => {
                self.log(&error, None);
                self.tell(None, error);
            }
            Job::Open => {
                self.log(&error, Some("on_open"));
                drop_quietly(error);
                self.conn.outbox.close(CloseCode::SERVER_ERROR, "the connection could not be set up");
            }
            Job::Reauthorize => {
                self.reauthorized(&error);
                drop_quietly(error);
            }
            // Each of their hooks has its own protection.
            Job::Error | Job::Close | Job::Over => {
                self.log(&error, None);
                drop_quietly(error);
            }
        }
    }

    /// Sends a reply that was not put out yet. It may not fit into the client's envelope.
    fn put_out(&self, replied: Replied) -> Result<(), WsError> {
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

    /// Sends what this library has made, which fits into every envelope.
    pub(super) fn push_own(&self, frame: Frame) {
        _ = self.conn.push_reply(frame);
    }

    /// The hooks have not said that the connection may stay.
    fn reauthorized(&mut self, error: &WsError) {
        let code = match error.code() {
            ErrorCode::Unauthenticated => CloseCode::UNAUTHENTICATED,
            ErrorCode::PermissionDenied => CloseCode::FORBIDDEN,
            // Whatever they could not ask: that must not empty the server.
            _ => return self.log(error, Some("on_reauthorize")),
        };
        self.conn.outbox.close(code, switchboard_core::close_reason(error.message()));
    }

    /// Of a message that has a route.
    pub(super) fn fail_request(&mut self, error: WsError, id: CallId<'_>) {
        self.fail(error, Some(id.message_type), id.correlation_id, id.is_rpc);
    }

    /// Tells the client, the log and the error hooks.
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
        self.tell(message_type, error);
    }

    /// The error hooks run when nothing else does, and before the next message is handled.
    fn tell(&mut self, message_type: Option<&'static str>, error: WsError) {
        if self.routing.hooks.error.is_empty() {
            return drop_quietly(error);
        }
        let failures = self.failures.get_or_insert_default();
        if failures.len() < MAX_FAILURES {
            failures.push_back(Failure::new(message_type, error));
            return;
        }
        if let Some(suppressed) = self.conn.hub().may_log() {
            tracing::warn!(suppressed, "too many failures at once: on_error does not see all of them");
        }
        drop_quietly(error);
    }

    /// Makes the next failure's hooks what is running. `false` if there is none.
    pub(super) fn start_error_hooks(&mut self) -> bool {
        let Some(failures) = &mut self.failures else { return false };
        let failure = failures.pop_front();
        if failures.is_empty() {
            self.failures = None;
        }
        let Some(failure) = failure else { return false };
        let (conn, routing) = (Arc::clone(&self.conn), Arc::clone(&self.routing));
        self.running = Some(Box::new(Running::hooks(Job::Error, async move {
            each(&conn, "on_error", &routing.hooks.error, failure).await;
        })));
        true
    }

    fn log(&self, error: &WsError, what: Option<&str>) {
        log(&self.conn, error, what);
    }
}

/// Texts may be a client's: they stand in fields, and what they say never is a line of its own.
pub(super) fn log<D>(conn: &ConnInner<D>, error: &WsError, what: Option<&str>) {
    if *error.code() == ErrorCode::Internal {
        // Whoever can make it fail must not fill the disk with it.
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
            tracing::debug!(what, code, error, details, "refused");
        }
    }
}
