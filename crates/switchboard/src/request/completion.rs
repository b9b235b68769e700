//! The one end of a request.

use crate::sync::Mutex;

/// Whether a request has ended. Its handler, the connection's task and whoever reports progress may
/// all want to say something; exactly one says the last word, and nothing comes after it.
#[derive(Debug, Default)]
pub(crate) struct Completion {
    ended: Mutex<bool>,
}

impl Completion {
    /// Ends the request. `true` for whoever did: only it may send a reply or an error.
    pub(crate) fn end(&self) -> bool {
        !std::mem::replace(&mut *self.ended.lock(), true)
    }

    /// Runs `push`, which must only queue a frame, unless the request has ended: the last word will
    /// come behind it. `None` if it has.
    pub(crate) fn before_end<T>(&self, push: impl FnOnce() -> T) -> Option<T> {
        let ended = self.ended.lock();
        (!*ended).then(push)
    }
}
