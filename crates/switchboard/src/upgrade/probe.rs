//! Finds the hub of a route for `switchboard::test`.

use std::{fmt, sync::Arc};

use http::request::Parts;
use parking_lot::Mutex;

use crate::{Hub, hub::PublishLog};

/// Sent as an extension of each request of a test server; the upgrade records the route's hub in
/// it.
#[derive(Clone, Default)]
pub(crate) struct Probe(Arc<Inner>);

#[derive(Default)]
struct Inner {
    hub: Mutex<Option<Hub>>,
    log: Arc<PublishLog>,
}

impl Probe {
    /// Records the hub in the request's probe, if it has one.
    pub(crate) fn tell(parts: &Parts, hub: &Hub) {
        if let Some(probe) = parts.extensions.get::<Self>() {
            probe.found(hub);
        }
    }

    /// Records a hub. The first is the app's; publishes through the others are captured, too.
    pub(crate) fn found(&self, hub: &Hub) {
        self.0.hub.lock().get_or_insert_with(|| hub.clone());
        hub.captures().add(&self.0.log);
    }

    pub(crate) fn hub(&self) -> Option<Hub> {
        self.0.hub.lock().clone()
    }

    pub(crate) fn log(&self) -> &Arc<PublishLog> {
        &self.0.log
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").finish_non_exhaustive()
    }
}
