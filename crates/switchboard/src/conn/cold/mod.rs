//! State that few connections need.

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

/// State that few connections need, allocated on first use.
#[derive(Debug, Default)]
pub(crate) struct Cold {
    pub(crate) identity: Mutex<CurrentIdentity>,
    pub(crate) calls: Calls,
    /// Changes of subscriptions that wait for an authorization.
    pub(crate) in_flight: InFlight,
    pub(crate) attributes: AttributeStore,
    /// Held where the number of connections is limited.
    pub(crate) permit: Mutex<Option<Box<ConnectionPermit>>>,
    /// The number of detached handlers that still run.
    detached: OnceLock<Arc<AtomicUsize>>,
    /// The per-connection state of middleware.
    pub(crate) layer_state: LayerState,
}

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

    /// Returns the number of detached handlers that still run.
    pub(crate) fn detached(&self) -> usize {
        let count = self.existing_cold().and_then(|cold| cold.detached.get());
        count.map_or(0, |count| count.load(Relaxed))
    }

    /// Returns the counter of detached handlers, which may outlive the connection.
    pub(crate) fn detached_counter(&self) -> Arc<AtomicUsize> {
        Arc::clone(self.cold().detached.get_or_init(Arc::default))
    }

    /// Returns the calls to the client, if any is pending.
    pub(crate) fn pending_calls(&self) -> Option<&Calls> {
        self.existing_calls().filter(|calls| calls.is_pending())
    }
}
