//! The cases of the suite.

pub(super) mod delivery;
pub(super) mod lifecycle;
pub(super) mod names;
pub(super) mod subscriptions;
