//! What the connections of one route share.

use parking_lot::Mutex;
use switchboard_core::envelope::Wire;

use crate::{Config, Hub};

/// Built once at mount.
pub(crate) struct RouteSettings {
    pub(crate) hub: Hub,
    pub(crate) config: Config,
    /// How frames look for those who speak JSON, and for those who speak MessagePack.
    pub(crate) json: Wire,
    pub(crate) messagepack: Wire,
    /// The hash of the contract.
    pub(crate) contract: Box<str>,
    /// The types that the application says it sends, if it says so.
    pub(crate) emits: Vec<&'static str>,
    /// Those that were sent without having been named, once each.
    pub(crate) undeclared: Mutex<Vec<&'static str>>,
}

impl RouteSettings {
    /// In debug builds: says once of each type that it is sent although the router does not say so.
    pub(crate) fn check_declared(&self, message_type: &'static str) {
        if !cfg!(debug_assertions) || self.emits.is_empty() || self.emits.contains(&message_type) {
            return;
        }
        let mut undeclared = self.undeclared.lock();
        if !undeclared.contains(&message_type) {
            undeclared.push(message_type);
            tracing::warn!("{message_type} is sent, but not named: add `.emits::<…>()` to the router");
        }
    }
}
