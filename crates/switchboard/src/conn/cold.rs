//! What few connections need.

mod attributes;
mod layer_state;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use parking_lot::Mutex;

pub use self::attributes::{Attributes, TooManyAttributes};
pub(crate) use self::layer_state::{LayerState, LayerStateKey};
use crate::{
    conn::{ConnInner, call::Calls, cold::attributes::AttributeStore, identity::CurrentIdentity},
    hub::{ConnectionPermit, InFlight},
};

/// Made when the first of it is needed, so that others do not pay for it.
#[derive(Debug, Default)]
pub(crate) struct Cold {
    pub(crate) identity: Mutex<CurrentIdentity>,
    pub(crate) calls: Calls,
    /// Changes of subscriptions that wait.
    pub(crate) in_flight: InFlight,
    pub(crate) attributes: AttributeStore,
    /// What it holds where places are limited.
    pub(crate) permit: Mutex<Option<Box<ConnectionPermit>>>,
    /// Counts its handlers that go on although it gave them up.
    detached: OnceLock<Arc<AtomicUsize>>,
    /// What middleware keeps for it.
    pub(crate) layer_state: LayerState,
}

/// Where they stand.
pub(crate) type ColdCell = OnceLock<Box<Cold>>;

impl<D: ?Sized> ConnInner<D> {
    pub(crate) fn cold(&self) -> &Cold {
        self.cold.get_or_init(Box::default)
    }

    pub(crate) fn existing_cold(&self) -> Option<&Cold> {
        self.cold.get().map(|cold| &**cold)
    }

    pub(crate) fn existing_calls(&self) -> Option<&Calls> {
        self.existing_cold().map(|cold| &cold.calls)
    }

    /// How many of its handlers go on although it gave them up.
    pub(crate) fn detached(&self) -> usize {
        let count = self.existing_cold().and_then(|cold| cold.detached.get());
        count.map_or(0, |count| count.load(Relaxed))
    }

    /// What counts those handlers, which may go on for longer than the connection is kept.
    pub(crate) fn detached_counter(&self) -> Arc<AtomicUsize> {
        Arc::clone(self.cold().detached.get_or_init(Arc::default))
    }

    /// The calls to the client, if any waits for its answer.
    pub(crate) fn pending_calls(&self) -> Option<&Calls> {
        self.existing_calls().filter(|calls| calls.is_pending())
    }
}
