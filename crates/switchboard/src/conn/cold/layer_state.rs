//! Values that belong to a connection, of those who ask for them: the state of middleware.

use std::{
    any::Any,
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// Whose value it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotKey(usize);

impl SlotKey {
    /// Unlike all others.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

/// A list to which is only added, so that it is read without a lock. As long as the application has
/// layers that keep something for each connection.
#[derive(Default)]
pub(crate) struct Slots(OnceLock<Box<Slot>>);

struct Slot {
    key: SlotKey,
    value: Box<dyn Any + Send + Sync>,
    next: Slots,
}

impl Slots {
    /// The value under this key, made if there is none yet. `None` if one of another type is.
    pub(crate) fn get<T: Send + Sync + 'static>(&self, key: SlotKey, make: impl Fn() -> T) -> Option<&T> {
        let mut slots = self;
        loop {
            let make = || Box::new(Slot { key, value: Box::new(make()), next: Self::default() });
            let slot = slots.0.get_or_init(make);
            if slot.key == key {
                return slot.value.downcast_ref();
            }
            slots = &slot.next;
        }
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_value() {
        let (slots, one, other) = (Slots::default(), SlotKey::new(), SlotKey::new());
        for _ in 0..2 {
            assert_eq!(slots.get(one, || 1), Some(&1));
            assert_eq!(slots.get(other, || "2"), Some(&"2"));
        }
        assert_eq!(slots.get(other, || 3), None);
    }
}
