//! The state of a merged router.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// The state of a router that has its own by `with_state`.
#[derive(Debug)]
pub struct StateScope {
    /// Unique; 0 is the state of the mounted router.
    pub(crate) id: usize,
    pub(crate) state: Arc<dyn Any + Send + Sync>,
}

impl StateScope {
    pub(crate) fn new(state: Arc<dyn Any + Send + Sync>) -> Arc<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        Arc::new(Self { id: NEXT.fetch_add(1, Relaxed), state })
    }
}
