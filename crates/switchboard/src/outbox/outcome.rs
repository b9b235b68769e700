//! The results of pushing and writing.

/// The result of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// Queued.
    Queued,
    /// Queued, and enough is queued that the caller should write at once.
    WriteNow,
    /// Queued, and more than half of the limit is now queued.
    AboveWatermark,
    /// Not queued: the caller should write what is queued, [make
    /// room](super::Outbox::make_room) and [push it anyway](super::Outbox::push_anyway).
    NoRoom,
    /// Not queued: the connection is closing, perhaps because this frame overflowed the queue.
    Closed,
}

/// Who writes a frame that was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlushBy {
    /// The owner, which is woken.
    Owner,
    /// The caller, by [`Outbox::flush`](super::Outbox::flush), or the owner if only it can write.
    Caller,
}

/// The result of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// Everything was written.
    All,
    /// Another thread is writing and continues with the rest. It then wakes the owner.
    Busy,
    /// The sink accepts no more; the owner must wait for it.
    Blocked,
    /// The sink is broken.
    Broken,
}
