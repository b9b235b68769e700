//! What the connections of a route share.

use parking_lot::Mutex;
use switchboard_core::envelope::Wire;

use crate::{Config, Hub};

/// The settings of a route, built once when it is mounted.
pub(crate) struct RouteSettings {
    pub(crate) hub: Hub,
    pub(crate) config: Config,
    /// The wire format for clients that use JSON.
    pub(crate) json: Wire,
    /// The wire format for clients that use MessagePack.
    pub(crate) messagepack: Wire,
    /// The hash of the contract.
    pub(crate) contract: Box<str>,
    /// The message types declared with `emits`; empty if there are none.
    pub(crate) emits: Vec<&'static str>,
    /// Undeclared types that were warned of.
    pub(crate) undeclared: Mutex<Vec<&'static str>>,
}

impl RouteSettings {
    /// In debug builds, warns once of each message type that is sent but not declared with `emits`.
    pub(crate) fn check_declared(&self, message_type: &'static str) {
        if !cfg!(debug_assertions) || self.emits.is_empty() || self.emits.contains(&message_type) {
            return;
        }
        let mut undeclared = self.undeclared.lock();
        if !undeclared.contains(&message_type) {
            undeclared.push(message_type);
            tracing::warn!("{message_type} is sent but not declared: add `.emits::<…>()` to the router");
        }
    }
}
