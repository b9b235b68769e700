//! The per-connection state of middleware.

use std::{
    any::Any,
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// Identifies the layer that a value belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LayerStateKey(usize);

impl LayerStateKey {
    /// Creates a unique key.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

/// An append-only linked list, read without a lock. It is as long as the number of layers with
/// per-connection state.
#[derive(Default)]
pub(crate) struct LayerState(OnceLock<Box<Slot>>);

struct Slot {
    key: LayerStateKey,
    value: Box<dyn Any + Send + Sync>,
    next: LayerState,
}

impl LayerState {
    /// Returns the value under this key, created with `make` if there is none. `None` if it has
    /// another type.
    pub(crate) fn get<T: Send + Sync + 'static>(&self, key: LayerStateKey, make: impl Fn() -> T) -> Option<&T> {
        let mut layer_state = self;
        loop {
            let make = || Box::new(Slot { key, value: Box::new(make()), next: Self::default() });
            let slot = layer_state.0.get_or_init(make);
            if slot.key == key {
                return slot.value.downcast_ref();
            }
            layer_state = &slot.next;
        }
    }
}

impl fmt::Debug for LayerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerState").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_value() {
        let (layer_state, one, other) = (LayerState::default(), LayerStateKey::new(), LayerStateKey::new());
        for _ in 0..2 {
            assert_eq!(layer_state.get(one, || 1), Some(&1));
            assert_eq!(layer_state.get(other, || "2"), Some(&"2"));
        }
        assert_eq!(layer_state.get(other, || 3), None);
    }
}
