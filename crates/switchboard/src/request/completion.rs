//! The end of a request.

use crate::sync::Mutex;

/// Whether a request has ended. Its handler, its progress and the connection's task may all send
/// frames for it; exactly one of them sends the reply or error, and nothing follows that.
#[derive(Debug, Default)]
pub(crate) struct Completion {
    ended: Mutex<bool>,
}

impl Completion {
    /// Ends the request. Returns `true` to the first caller, which alone may send a reply or an error.
    pub(crate) fn end(&self) -> bool {
        !std::mem::replace(&mut *self.ended.lock(), true)
    }

    /// Runs `push`, which must only queue a frame, unless the request has ended. The reply or error will
    /// be queued behind it.
    pub(crate) fn before_end<T>(&self, push: impl FnOnce() -> T) -> Option<T> {
        let ended = self.ended.lock();
        (!*ended).then(push)
    }
}
