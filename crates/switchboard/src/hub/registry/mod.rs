//! The connections of a hub: by id, by user and by address.

mod connections;
mod keyed_list;
mod permit;
mod user_events;
mod users;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use rustc_hash::FxHashMap;

#[cfg(feature = "cluster")]
pub(crate) use self::users::send_to_all;
pub use self::{
    connections::{ConnectionHandle, Connections, Members},
    user_events::{UserEvent, UserEvents},
    users::UserHandle,
};
pub(crate) use self::{
    keyed_list::{Keyed, KeyedList},
    permit::ConnectionPermit,
    user_events::UserFeed,
};
use crate::{
    conn::{AnyConn, ConnId},
    shrink::shrink,
};

/// The connections of a hub.
#[derive(Default)]
pub(crate) struct Registry {
    /// Ids are chosen by the server, so a fast hash is safe.
    by_id: FxHashMap<ConnId, Arc<AnyConn>>,
    /// In the order of identification.
    by_user: HashMap<Arc<str>, KeyedList<ConnId>>,
    by_ip: HashMap<IpAddr, usize>,
    /// The number of permits held, also by connections that are not listed yet.
    permits: usize,
}

/// A limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LimitExceeded {
    pub(crate) limit: usize,
    pub(crate) current: usize,
}

impl Keyed for ConnId {
    type Key = Self;
    type OwnedKey = Self;

    fn key(&self) -> &Self {
        self
    }

    fn owned_key(&self) -> Self {
        *self
    }
}

impl Registry {
    pub(crate) fn insert(&mut self, conn: Arc<AnyConn>) {
        self.by_id.insert(conn.id, conn);
    }

    pub(crate) fn remove(&mut self, id: ConnId) -> Option<Arc<AnyConn>> {
        let removed = self.by_id.remove(&id);
        shrink(&mut self.by_id);
        removed
    }

    pub(crate) fn get(&self, id: ConnId) -> Option<&Arc<AnyConn>> {
        self.by_id.get(&id)
    }

    pub(crate) fn ids(&self) -> Vec<ConnId> {
        self.by_id.keys().copied().collect()
    }

    pub(crate) fn all(&self) -> Vec<Arc<AnyConn>> {
        self.by_id.values().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Adds a connection to a user, who has some on other nodes. Returns the number of the user's
    /// connections to this node.
    pub(crate) fn add_user(
        &mut self,
        user: &Arc<str>,
        id: ConnId,
        limit: Option<usize>,
        elsewhere: usize,
    ) -> Result<usize, LimitExceeded> {
        let current = self.by_user.get(user).map_or(0, KeyedList::len);
        let everywhere = current.saturating_add(elsewhere);
        if let Some(limit) = limit.filter(|limit| everywhere >= *limit) {
            return Err(LimitExceeded { limit, current: everywhere });
        }
        self.by_user.entry(Arc::clone(user)).or_default().push(id);
        Ok(current + 1)
    }

    pub(crate) fn is_online(&self, user: &str) -> bool {
        self.by_user.contains_key(user)
    }

    pub(crate) fn users(&self) -> Vec<Arc<str>> {
        self.by_user.keys().cloned().collect()
    }

    pub(crate) fn user_count(&self) -> usize {
        self.by_user.len()
    }

    pub(crate) fn ids_of(&self, user: &str) -> Vec<ConnId> {
        self.by_user.get(user).map_or_else(Vec::new, |ids| ids.iter().copied().collect())
    }

    pub(crate) fn of_user(&self, user: &str) -> Vec<Arc<AnyConn>> {
        let ids = self.by_user.get(user).into_iter().flat_map(KeyedList::iter);
        ids.filter_map(|id| self.by_id.get(id).cloned()).collect()
    }

    /// Removes a connection from a user. Returns the number of the user's remaining connections, or
    /// `None` if it was not the user's.
    pub(crate) fn remove_user(&mut self, user: &str, id: ConnId) -> Option<usize> {
        let ids = self.by_user.get_mut(user)?;
        ids.remove(&id)?;
        let left = ids.len();
        if left == 0 {
            self.by_user.remove(user);
            shrink(&mut self.by_user);
        }
        Some(left)
    }

    /// Acquires a permit for a connection from this address.
    pub(crate) fn acquire_permit(
        &mut self,
        ip: Option<IpAddr>,
        limit: Option<usize>,
        ip_limit: Option<usize>,
    ) -> Result<(), LimitExceeded> {
        if let Some(limit) = limit.filter(|limit| self.permits >= *limit) {
            return Err(LimitExceeded { limit, current: self.permits });
        }
        if let Some(ip) = ip {
            // A refused connection must not leave an entry.
            let current = self.by_ip.get(&ip).copied().unwrap_or_default();
            if let Some(limit) = ip_limit.filter(|limit| current >= *limit) {
                return Err(LimitExceeded { limit, current });
            }
            self.by_ip.insert(ip, current + 1);
        }
        self.permits += 1;
        Ok(())
    }

    pub(crate) fn release_permit(&mut self, ip: Option<IpAddr>) {
        self.permits -= 1;
        if let Some(ip) = ip
            && let Some(count) = self.by_ip.get_mut(&ip)
        {
            *count -= 1;
            if *count == 0 {
                self.by_ip.remove(&ip);
                shrink(&mut self.by_ip);
            }
        }
    }
}

/// Returns the address that connections are counted by: IPv6 clients usually own a whole /64
/// network.
pub(crate) fn counted_address(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_limited_in_total_and_by_address() {
        let mut registry = Registry::default();
        let (a, b) = (Some(IpAddr::from([1, 1, 1, 1])), Some(IpAddr::from([2, 2, 2, 2])));
        let limits = (Some(3), Some(2));
        for _ in 0..2 {
            assert_eq!(registry.acquire_permit(a, limits.0, limits.1), Ok(()));
        }
        assert_eq!(registry.acquire_permit(a, limits.0, limits.1), Err(LimitExceeded { limit: 2, current: 2 }));
        assert_eq!(registry.acquire_permit(b, limits.0, limits.1), Ok(()));
        assert_eq!(registry.acquire_permit(b, limits.0, limits.1), Err(LimitExceeded { limit: 3, current: 3 }));
        registry.release_permit(a);
        assert_eq!(registry.acquire_permit(b, limits.0, limits.1), Ok(()));
        for ip in [a, b, b] {
            registry.release_permit(ip);
        }
        assert!(registry.by_ip.is_empty() && registry.permits == 0);
        assert_eq!(registry.acquire_permit(a, None, Some(0)), Err(LimitExceeded { limit: 0, current: 0 }));
        assert!(registry.by_ip.is_empty());
    }

    #[test]
    fn users_keep_the_order_of_connections_and_free_memory() {
        let mut registry = Registry::default();
        let users: Vec<Arc<str>> = (0..5000).map(|n| n.to_string().into()).collect();
        let ids: Vec<(ConnId, ConnId)> = users.iter().map(|_| (ConnId::new(), ConnId::new())).collect();
        for (user, (one, two)) in users.iter().zip(&ids) {
            assert_eq!(registry.add_user(user, *one, Some(2), 0), Ok(1));
            assert_eq!(registry.add_user(user, *two, Some(2), 0), Ok(2));
            assert_eq!(registry.add_user(user, ConnId::new(), Some(2), 0), Err(LimitExceeded { limit: 2, current: 2 }));
            let over = registry.add_user(user, ConnId::new(), Some(9), 7);
            assert_eq!(over, Err(LimitExceeded { limit: 9, current: 9 }));
            assert_eq!(registry.ids_of(user), [*one, *two]);
        }
        assert_eq!((registry.user_count(), registry.users().len()), (5000, 5000));
        for (user, (one, two)) in users.iter().zip(&ids) {
            assert_eq!(registry.remove_user(user, *one), Some(1));
            // A connection that is not the user's changes nothing.
            assert_eq!(registry.remove_user(user, *one), None);
            assert!(registry.is_online(user) && registry.ids_of(user) == [*two]);
            assert_eq!(registry.remove_user(user, *two), Some(0));
            assert!(!registry.is_online(user));
        }
        assert!(registry.by_user.capacity() <= 64, "{}", registry.by_user.capacity());
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        let parse = |text: &str| counted_address(text.parse().unwrap());
        assert_eq!(parse("2001:db8:1:2:3::4"), parse("2001:db8:1:2:ffff::1"));
        assert_ne!(parse("2001:db8:1:2::"), parse("2001:db8:1:3::"));
        assert_eq!(parse("::ffff:10.0.0.1"), parse("10.0.0.1"));
        assert_ne!(parse("10.0.0.1"), parse("10.0.0.2"));
    }
}
