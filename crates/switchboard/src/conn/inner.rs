//! What a connection's handles, its task and its topics share.

use std::{any::Any, net::SocketAddr, sync::Arc};

use parking_lot::Mutex;

use super::{ConnId, Outbox};
use crate::{Config, Hub, extract::Kept, hub::Subscriptions};

/// One allocation for all; topics hold it with the data's type erased.
pub(crate) struct ConnInner<D: ?Sized> {
    pub(crate) id: ConnId,
    pub(crate) outbox: Outbox,
    pub(crate) subscriptions: Mutex<Subscriptions>,
    pub(crate) hub: Hub,
    pub(crate) config: Config,
    pub(crate) state: Arc<dyn Any + Send + Sync>,
    pub(crate) kept: Kept,
    pub(crate) remote_addr: Option<SocketAddr>,
    pub(crate) data: D,
}

/// A connection whatever its data.
pub(crate) type AnyConn = ConnInner<dyn Any + Send + Sync>;
