//! What becomes of frames.

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// Queued.
    Queued,
    /// Queued, and there is enough to be written at once.
    WriteNow,
    /// Queued, and more than half of the limit waits now.
    AboveWatermark,
    /// Not queued: the caller should write what is, [make room](super::Outbox::make_room) and [push
    /// it anyway](super::Outbox::push_anyway).
    NoRoom,
    /// The connection is closing, as it is once its queue overflows.
    Closed,
}

/// Who makes sure that a frame which was pushed is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlushBy {
    /// The owner: it is woken.
    Owner,
    /// The caller, by [`Outbox::flush`](super::Outbox::flush); the owner where only it can write.
    Caller,
}

/// How far writing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// Nothing is left.
    All,
    /// Somebody else is writing and goes on with what is left. The owner is woken after.
    Busy,
    /// The sink takes no more; the owner has to wait for it.
    Blocked,
    /// It never will again.
    Broken,
}
