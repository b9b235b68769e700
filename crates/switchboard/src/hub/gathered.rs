//! What was asked of all nodes.

use std::{fmt, ops::Deref};

/// What is known of all nodes, and whether all of them are in it: the number of a topic's
/// [subscribers](crate::TopicHandle::subscriber_count), a user's
/// [connections](crate::UserHandle::connections), how many of them were
/// [closed](crate::UserHandle::disconnect).
///
/// It dereferences to the value, and compares like it.
///
/// ```
/// use switchboard::Hub;
///
/// async fn size(hub: &Hub) -> String {
///     let members = hub.topic("room:1").subscriber_count().await;
///     if members.is_complete() { format!("{members} members") } else { format!("at least {members} members") }
/// }
/// # let _ = size;
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Gathered<T> {
    value: T,
    is_complete: bool,
}

impl<T> Gathered<T> {
    pub(crate) fn new(value: T, is_complete: bool) -> Self {
        Self { value, is_complete }
    }

    /// What one node knows by itself.
    pub(crate) fn local(value: T) -> Self {
        Self::new(value, true)
    }

    /// Returns whether all nodes are taken into account, as far as is known. If not, a node is silent or did not answer in
    /// time, or the broker cannot be reached. Always `true` without a [broker](crate::HubBuilder::broker).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns the value.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Gathered<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq<U>, U> PartialEq<U> for Gathered<T> {
    fn eq(&self, other: &U) -> bool {
        self.value == *other
    }
}

impl<T: fmt::Display> fmt::Display for Gathered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
