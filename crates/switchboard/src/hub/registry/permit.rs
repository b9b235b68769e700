//! Permits for connections, and upgrades in progress.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use crate::hub::{Hub, HubInner, builder::HubLimits, registry::LimitExceeded};

/// A permit for a connection where their number is limited; released on drop.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    hub: Arc<HubInner>,
    ip: Option<IpAddr>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.hub.registry.lock().release_permit(self.ip);
    }
}

/// An upgrade in progress, counted until dropped.
#[derive(Debug)]
pub(crate) struct PendingUpgrade(Arc<HubInner>);

impl Drop for PendingUpgrade {
    fn drop(&mut self) {
        self.0.pending_upgrades.fetch_sub(1, Relaxed);
    }
}

impl Hub {
    /// Returns the limits of connections and upgrades.
    pub(crate) fn limits(&self) -> &HubLimits {
        &self.0.limits
    }

    /// Acquires a permit for a connection from this address; `None` if connections are not limited.
    pub(crate) fn acquire_permit(&self, ip: Option<IpAddr>) -> Result<Option<Box<ConnectionPermit>>, LimitExceeded> {
        let HubLimits { max_connections, max_connections_per_ip, .. } = self.0.limits;
        if max_connections.is_none() && max_connections_per_ip.is_none() {
            return Ok(None);
        }
        let ip = ip.filter(|_| max_connections_per_ip.is_some()).map(super::counted_address);
        self.0.registry.lock().acquire_permit(ip, max_connections, max_connections_per_ip)?;
        Ok(Some(Box::new(ConnectionPermit { hub: Arc::clone(&self.0), ip })))
    }

    /// Counts an upgrade in progress. `None` if there are too many.
    pub(crate) fn begin_upgrade(&self) -> Option<PendingUpgrade> {
        let before = self.0.pending_upgrades.fetch_add(1, Relaxed);
        let pending = PendingUpgrade(Arc::clone(&self.0));
        (before < self.0.limits.max_pending_upgrades).then_some(pending)
    }
}
