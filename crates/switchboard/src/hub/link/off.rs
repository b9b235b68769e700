//! Stands in for the link without the feature `cluster`: there is never one, so nothing of it costs anything.

use std::{
    future::Ready,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use switchboard_core::CloseCode;

use super::RawAnswer;
use crate::{
    conn::{CallError, ConnId},
    hub::{Gathered, HubInner, PublishError, TopicError, calls::Target, publish::Outgoing},
    wire::Frame,
};

/// Has no value.
#[derive(Debug)]
pub(crate) enum Link {}

#[derive(Debug, Clone, Default)]
pub(crate) struct LinkSettings {}

/// The number of a publish to several topics, which only other nodes need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group;

impl Group {
    pub(crate) fn new() -> Self {
        Self
    }
}

pub(crate) type BusPublish = Ready<Result<(), PublishError>>;

impl Link {
    pub(crate) fn start(_: LinkSettings, _: &Weak<HubInner>) -> Option<Arc<Self>> {
        None
    }

    pub(crate) fn publish(
        &self,
        _: &Arc<str>,
        _: &Outgoing,
        _: &[ConnId],
        _: Option<Group>,
        _: Option<&str>,
        _: bool,
    ) -> Result<BusPublish, PublishError> {
        match *self {}
    }
}

/// Has no value.
pub(crate) enum RemoteResponses {}

impl RemoteResponses {
    pub(crate) fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<(ConnId, RawAnswer)>> {
        match *self {}
    }

    pub(crate) fn is_complete(&self) -> bool {
        match *self {}
    }
}

impl Link {
    pub(crate) fn request_clients(
        &self,
        _: &Target,
        _: &Frame,
        _: &str,
        _: Duration,
    ) -> Result<Option<RemoteResponses>, CallError> {
        match *self {}
    }
}

/// Methods that are never called.
macro_rules! never {
    ($(fn $name:ident($($arg:ty),*) $(-> $result:ty)?;)* $(async fn $later:ident($($later_arg:ty),*) -> $later_result:ty;)*) => {
        impl Link {
            $(pub(crate) fn $name(&self $(, _: $arg)*) $(-> $result)? {
                match *self {}
            })*
            $(pub(crate) fn $later(&self $(, _: $later_arg)*) -> Ready<$later_result> {
                match *self {}
            })*
        }
    };
}

never! {
    fn leave(&Arc<str>);
    fn close();
    fn drain();
    fn user_connected(&Arc<str>, ConnId) -> bool;
    fn user_disconnected(&Arc<str>, ConnId) -> bool;
    fn user_connections(&str) -> Gathered<usize>;
    fn connections_elsewhere(&Arc<str>) -> usize;
    fn watch_users();
    async fn ids_of_user(&str) -> Gathered<Vec<ConnId>>;
    async fn send_to_user(&str, &str) -> Gathered<usize>;
    async fn disconnect_user(&str, CloseCode, &str) -> Gathered<usize>;
    async fn revoke_user(&str, &str) -> Gathered<usize>;
    async fn reauthorize_user(&str) -> Gathered<usize>;
    async fn send_to(ConnId, &str) -> bool;
    async fn disconnect(ConnId, CloseCode, &str) -> bool;
    async fn reauthorize(ConnId) -> bool;
    async fn subscriber_count(&str) -> Gathered<usize>;
    async fn remove_subscriber(&str, ConnId) -> bool;
    async fn reauthorize_topic(&str) -> Gathered<usize>;
}

/// Nothing is held.
pub(crate) struct Holds;

impl Holds {
    pub(crate) fn new(_: Option<&Arc<Link>>) -> Self {
        Self
    }

    pub(crate) fn are_needed(&self) -> bool {
        false
    }

    #[expect(clippy::unused_async, reason = "with the feature it waits")]
    pub(crate) async fn join(&mut self, _: Vec<Arc<str>>) -> Result<(), TopicError> {
        Ok(())
    }

    pub(crate) fn have<'a>(&mut self, _: impl Iterator<Item = &'a Arc<str>>, _: bool) -> bool {
        true
    }

    pub(crate) fn keep(&mut self, _: &Arc<str>) {}
}
