//! The server's requests that wait for the client's responses.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use parking_lot::Mutex;
use switchboard_core::WsError;
use tokio::sync::oneshot;

/// The prefix of the correlation ids of the server's requests.
pub(crate) const PREFIX: &str = "s:";

/// The payload of a response, if it has one, or why there is no response.
pub(crate) type Answer = Result<Option<Box<str>>, NoAnswer>;

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The client answered with this error.
    Error(WsError),
    /// The inbox is full, so the answer is not read.
    Overloaded,
}

/// The calls of one connection.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    state: Mutex<CallState>,
    /// The length of `CallState::pending`, to read without the lock.
    pending: AtomicUsize,
}

#[derive(Debug, Default)]
struct CallState {
    last_id: u64,
    /// In the order of their ids.
    pending: Vec<PendingCall>,
    ended: bool,
}

#[derive(Debug)]
struct PendingCall {
    id: u64,
    response: Cow<'static, str>,
    answer: oneshot::Sender<Answer>,
}

/// Why a call was not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallRefused {
    Closed,
    TooMany(usize),
}

impl Calls {
    /// Registers a call. Returns its id and the receiver of its answer.
    pub(crate) fn begin(
        &self,
        response: Cow<'static, str>,
        limit: usize,
    ) -> Result<(u64, oneshot::Receiver<Answer>), CallRefused> {
        let mut state = self.state.lock();
        if state.ended {
            return Err(CallRefused::Closed);
        }
        if state.pending.len() >= limit {
            return Err(CallRefused::TooMany(limit));
        }
        state.last_id += 1;
        let id = state.last_id;
        let (answer, receiver) = oneshot::channel();
        state.pending.push(PendingCall { id, response, answer });
        self.pending.store(state.pending.len(), Relaxed);
        Ok((id, receiver))
    }

    /// Removes a call whose caller has gone.
    pub(crate) fn forget(&self, id: u64) {
        let mut state = self.state.lock();
        state.pending.retain(|pending| pending.id != id);
        self.settle(&mut state);
    }

    fn settle(&self, state: &mut CallState) {
        if state.pending.is_empty() {
            state.pending = Vec::new();
        }
        self.pending.store(state.pending.len(), Relaxed);
    }

    /// Delivers an answer: a response of type `message_type`, or an error if `None`. Returns
    /// `false` if no such call is pending.
    pub(crate) fn answer(&self, correlation_id: &str, message_type: Option<&str>, answer: Answer) -> bool {
        let Some(id) = correlation_id.strip_prefix(PREFIX).and_then(canonical) else { return false };
        let mut state = self.state.lock();
        let fits = |pending: &PendingCall| pending.id == id && message_type.is_none_or(|name| name == pending.response);
        let Some(index) = state.pending.iter().position(fits) else { return false };
        let pending = state.pending.remove(index);
        self.settle(&mut state);
        drop(state);
        // Fails if the caller has gone meanwhile.
        pending.answer.send(answer).is_ok()
    }

    /// Fails all pending calls, since their answers will not be read.
    pub(crate) fn overload(&self) {
        for pending in self.take(false) {
            // Fails if the caller has gone.
            let _ = pending.answer.send(Err(NoAnswer::Overloaded));
        }
    }

    /// Fails all pending calls at the end of the connection, and refuses new ones.
    pub(crate) fn end(&self) {
        drop(self.take(true));
    }

    fn take(&self, ended: bool) -> Vec<PendingCall> {
        let mut state = self.state.lock();
        state.ended |= ended;
        let pending = std::mem::take(&mut state.pending);
        self.pending.store(0, Relaxed);
        pending
    }

    /// Returns whether any call is pending.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.load(Relaxed) > 0
    }
}

/// Parses an id as the server writes it, without leading zeros or a sign.
fn canonical(text: &str) -> Option<u64> {
    let id: u64 = text.parse().ok()?;
    (!text.starts_with(['0', '+'])).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(text: &str) -> Answer {
        Ok(Some(text.into()))
    }

    #[test]
    fn answers_find_their_calls() {
        let calls = Calls::default();
        let (first, mut one) = calls.begin("A".into(), 2).unwrap();
        let (second, mut two) = calls.begin("B".into(), 2).unwrap();
        assert_eq!((first, second), (1, 2));
        assert_eq!(calls.begin("C".into(), 2).unwrap_err(), CallRefused::TooMany(2));
        assert!(!calls.answer("s:2", Some("A"), ok("x")));
        assert!(calls.answer("s:2", Some("B"), ok("x")));
        assert_eq!(two.try_recv().unwrap().unwrap().as_deref(), Some("x"));
        assert!(!calls.answer("s:2", Some("B"), ok("x")));
        for not_ours in ["s:3", "s:0", "s:01", "s:+1", "s:", "s:x", "1", "c1"] {
            assert!(!calls.answer(not_ours, Some("A"), ok("x")), "{not_ours}");
        }
        assert!(calls.answer("s:1", None, Err(NoAnswer::Error(WsError::not_found("no")))));
        assert!(one.try_recv().unwrap().is_err());
        assert!(!calls.is_pending());
    }

    #[test]
    fn the_end_fails_pending_calls() {
        let calls = Calls::default();
        let (_, mut one) = calls.begin("A".into(), 2).unwrap();
        calls.overload();
        assert!(one.try_recv().unwrap().is_err());
        let (_, mut two) = calls.begin("A".into(), 2).unwrap();
        calls.end();
        assert!(two.try_recv().is_err());
        assert_eq!(calls.begin("A".into(), 2).unwrap_err(), CallRefused::Closed);
    }
}
