//! The room for operations that wait for an answer.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::broker::{BrokerError, BrokerErrorKind};

/// Bounds the operations that wait for an answer, in number and in bytes, over all connections of an adapter.
///
/// Cheap to clone; clones share the room. The texts of its errors name the settings `max_queued_operations` and
/// `max_queued_bytes`, which an adapter should have.
#[derive(Debug, Clone)]
pub struct Room {
    operations: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    max_bytes: usize,
}

/// The room of one operation, given back when this is dropped.
#[derive(Debug)]
#[must_use = "the room is given back when it is dropped"]
pub struct Permit {
    _operation: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

impl Room {
    /// The largest limit that [`new`](Self::new) takes: 268 435 456, on all platforms.
    pub const MAX: usize = 1 << 28;

    /// Creates room for that many operations and bytes. Limits above [`MAX`](Self::MAX) are lowered to it.
    #[must_use]
    pub fn new(max_operations: usize, max_bytes: usize) -> Self {
        let max_bytes = max_bytes.min(Self::MAX);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { operations: semaphore(max_operations.min(Self::MAX)), bytes: semaphore(max_bytes), max_bytes }
    }

    /// Takes room for an operation, without waiting. Its permit should live until the operation has its answer.
    ///
    /// # Errors
    ///
    /// [`Overloaded`](BrokerErrorKind::Overloaded) if there is no room now, and
    /// [`Rejected`](BrokerErrorKind::Rejected) if there never is, because the operation has more than `max_bytes`.
    pub fn take(&self, bytes: usize) -> Result<Permit, BrokerError> {
        let full = |what: &'static str| BrokerError::new(BrokerErrorKind::Overloaded, what);
        let permits = match u32::try_from(bytes) {
            Ok(permits) if bytes <= self.max_bytes => permits,
            _ => {
                let text = format!("the message takes {bytes} bytes, more than max_queued_bytes ({})", self.max_bytes);
                return Err(BrokerError::new(BrokerErrorKind::Rejected, text));
            }
        };
        let operation = Arc::clone(&self.operations)
            .try_acquire_owned()
            .map_err(|_| full("max_queued_operations operations wait for the server"))?;
        let bytes = Arc::clone(&self.bytes)
            .try_acquire_many_owned(permits)
            .map_err(|_| full("operations of max_queued_bytes wait for the server"))?;
        Ok(Permit { _operation: operation, _bytes: bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(room: &Room, bytes: usize) -> BrokerErrorKind {
        room.take(bytes).unwrap_err().kind()
    }

    #[test]
    fn room_is_given_back_with_the_permit() {
        let room = Room::new(2, 1000);
        let first = room.take(10).unwrap();
        let _second = room.take(10).unwrap();
        assert_eq!(kind(&room, 10), BrokerErrorKind::Overloaded);
        drop(first);
        drop(room.take(980).unwrap());
        assert_eq!(kind(&room, 991), BrokerErrorKind::Overloaded);
    }

    #[test]
    fn what_can_never_fit_is_told_from_what_does_not_fit_now() {
        let room = Room::new(2, 100);
        assert_eq!(kind(&room, 101), BrokerErrorKind::Rejected);
        assert_eq!(kind(&room, usize::MAX), BrokerErrorKind::Rejected);
        drop(room.take(100).unwrap());
        assert_eq!(kind(&Room::new(0, 100), 1), BrokerErrorKind::Overloaded);
        drop(Room::new(usize::MAX, usize::MAX).take(1).unwrap());
    }
}
