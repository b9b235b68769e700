//! What becomes of results: replies and errors for the client, the log, and the error hooks.

use std::error::Error as _;

use switchboard_core::{CloseCode, ErrorCode, WsError};

use super::{
    running::{Outcome, Running, What, all},
    session::Session,
};
use crate::{
    encode::{self, Replied},
    handler::Failure,
};

/// How many failures may wait for the error hooks while something else runs.
const MAX_FAILURES: usize = 32;

impl<D: Send + Sync + 'static> Session<D> {
    pub(super) fn finish(&mut self, what: &What, outcome: Outcome) {
        let error = match outcome {
            Outcome::Done(Ok(Replied::Nothing | Replied::Sent)) => return,
            Outcome::Done(Ok(Replied::Frame(frame))) => return self.conn.push_reply(frame),
            Outcome::Done(Err(error)) => error,
            Outcome::Panicked(text) => WsError::internal(format!("panicked: {text}")),
            Outcome::TimedOut => WsError::deadline_exceeded("the deadline has passed"),
        };
        match what {
            What::Call(id) => self.fail(error, Some(id.message_type), id.correlation_id(), id.is_rpc),
            What::Binary if self.routing.hooks.text.is_none() => self.fail(error, None, None, false),
            // A protocol of the application's own: it alone knows what an error looks like.
            What::Text | What::Binary => {
                self.log(&error, None);
                self.tell(None, error);
            }
            What::Open => {
                self.log(&error, Some("on_open"));
                self.conn.outbox.close(CloseCode::SERVER_ERROR, "the connection could not be set up");
            }
            What::Error => self.log(&error, Some("on_error")),
            What::Close => self.log(&error, Some("on_close")),
        }
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
            self.conn.push_reply(frame);
        }
        self.log(&error, message_type);
        self.tell(message_type, error);
    }

    /// The error hooks run when nothing else does, and before the next message is handled.
    fn tell(&mut self, message_type: Option<&'static str>, error: WsError) {
        if self.routing.hooks.error.is_empty() {
            return;
        }
        if self.failures.len() < MAX_FAILURES {
            self.failures.push_back(Failure::new(message_type, error));
        } else {
            tracing::warn!(conn = %self.conn.id, "too many failures at once: on_error does not see all of them");
        }
    }

    /// Makes the next failure's hooks what is running. `false` if there is none.
    pub(super) fn start_error_hooks(&mut self) -> bool {
        let Some(failure) = self.failures.pop_front() else { return false };
        let (conn, hooks) = (&self.conn, &self.routing.hooks.error);
        let timeout = conn.config().hook_timeout;
        self.running = Some(Box::new(Running::hook(What::Error, timeout, || all(conn, hooks, failure))));
        true
    }

    fn log(&self, error: &WsError, what: Option<&str>) {
        let conn = self.conn.id;
        if *error.code() == ErrorCode::Internal {
            let source = error.source().map(tracing::field::display);
            tracing::error!(%conn, what, source, "{}", error.message());
        } else {
            tracing::debug!(%conn, what, "{error}");
        }
    }
}
