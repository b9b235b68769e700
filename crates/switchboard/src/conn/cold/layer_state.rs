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
pub(crate) struct LayerStateKey(usize);

impl LayerStateKey {
    /// Unlike all others.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

/// A list to which is only added, so that it is read without a lock. As long as the application has
/// layers that keep something for each connection.
#[derive(Default)]
pub(crate) struct LayerState(OnceLock<Box<Slot>>);

struct Slot {
    key: LayerStateKey,
    value: Box<dyn Any + Send + Sync>,
    next: LayerState,
}

impl LayerState {
    /// The value under this key, made if there is none yet. `None` if one of another type is.
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
