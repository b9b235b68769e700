//! Which clients a request is for.

use std::sync::Arc;

use crate::{
    conn::{AnyConn, ConnId},
    hub::Hub,
};

/// The clients that a request is for, on all nodes.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    User(Arc<str>),
    /// The normalised name of a topic.
    Topic(Box<str>),
    Connection(ConnId),
}

impl Target {
    /// Returns the connections to this node.
    pub(crate) fn local(&self, hub: &Hub) -> Vec<Arc<AnyConn>> {
        match self {
            Self::User(user) => hub.0.registry.lock().of_user(user),
            Self::Topic(topic) => hub.local_members(topic).map(|conn| conn.inner().clone()).collect(),
            Self::Connection(id) => hub.0.connection(*id).into_iter().collect(),
        }
    }

    /// Returns whether other nodes may have more than these.
    pub(crate) fn may_be_elsewhere(&self, local: &[Arc<AnyConn>]) -> bool {
        !matches!(self, Self::Connection(_)) || local.is_empty()
    }
}
