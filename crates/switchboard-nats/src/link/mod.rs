//! One link to a server: a client of its own, which is dropped when the link is lost.
//!
//! The client would connect again by itself. But it says that it is connected before it has subscribed again, keeps
//! publishes from before to send them later, and drops its events under load. So a link has one client and one
//! connection, and what follows is decided here.

mod confirm;
mod connect;
mod read;
mod write;

use std::{
    borrow::Cow,
    sync::{Arc, atomic::AtomicU64},
    time::Instant,
};

use switchboard_core::broker::Channel;
use tokio::{sync::mpsc, task::JoinSet};

pub(crate) use self::connect::{Link, connect};
use crate::{operation::Operation, shared::Shared, table::Subscription};

/// Operations and subscriptions that are confirmed by one message of the node to itself: what was sent before it has
/// been processed when it arrives.
struct Batch {
    number: u64,
    sent_at: Instant,
    operations: Vec<Operation>,
    restored: Vec<Channel>,
}

/// Runs a link until it is lost, and returns why. When it returns or is dropped, all operations have their outcome.
pub(crate) async fn run(
    link: Link,
    shared: &Arc<Shared>,
    operations: mpsc::Receiver<Operation>,
    restore: Vec<Arc<Subscription>>,
) -> Cow<'static, str> {
    let received = Arc::new(AtomicU64::new(link.received));
    let (streams, new_streams) = mpsc::channel(1024);
    let (batches, sent_batches) = mpsc::channel(1024);
    let statistics = link.client.statistics();
    let mut tasks = JoinSet::new();
    tasks.spawn(read::run(Arc::clone(shared), new_streams, Arc::clone(&received), statistics));
    tasks.spawn(write::run(
        Arc::clone(shared),
        link.client.clone(),
        link.echo.clone(),
        operations,
        restore,
        streams,
        batches,
    ));
    tasks.spawn(confirm::run(Arc::clone(shared), link, sent_batches, received));
    let reason = match tasks.join_next().await {
        Some(Ok(reason)) => reason,
        Some(Err(error)) => error.to_string().into(),
        None => "".into(),
    };
    tasks.shutdown().await;
    reason
}
