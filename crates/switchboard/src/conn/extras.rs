//! What few connections need.

use std::sync::OnceLock;

use parking_lot::Mutex;

use super::{ConnInner, attributes::Kept, calls::Calls, identity::Known, slots::Slots};
use crate::hub::{InFlight, Place};

/// Made when the first of it is needed, so that others do not pay for it.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    pub(crate) known: Mutex<Known>,
    pub(crate) calls: Calls,
    /// Changes of subscriptions that wait.
    pub(crate) in_flight: InFlight,
    pub(super) attributes: Kept,
    /// What it holds where places are limited.
    pub(crate) place: Mutex<Option<Box<Place>>>,
    /// What middleware keeps for it.
    pub(crate) slots: Slots,
}

/// Where they stand.
pub(crate) type ExtrasCell = OnceLock<Box<Extras>>;

impl<D: ?Sized> ConnInner<D> {
    pub(crate) fn extras(&self) -> &Extras {
        self.extras.get_or_init(Box::default)
    }

    pub(crate) fn existing_extras(&self) -> Option<&Extras> {
        self.extras.get().map(|extras| &**extras)
    }

    pub(crate) fn existing_calls(&self) -> Option<&Calls> {
        self.existing_extras().map(|extras| &extras.calls)
    }

    /// The calls to the client, if any waits for its answer.
    pub(crate) fn pending_calls(&self) -> Option<&Calls> {
        self.existing_calls().filter(|calls| calls.is_pending())
    }
}
