//! The two connections to one server: one for commands, one for subscriptions.
//!
//! They are apart, so that many messages do not delay the answers to commands. They live and die together: a node that
//! can publish and not hear, or the reverse, is no use.

use std::{
    borrow::Cow,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use switchboard_core::broker::BrokerError;
use tokio::{sync::mpsc, task::JoinSet};

use super::restore::BATCH;
use crate::{
    address::Address,
    link::{Connection, Expected, drive},
    shared::{Queues, Shared},
};

pub(crate) struct Pair {
    commands: Connection,
    /// None if nothing is ever subscribed.
    subscriptions: Option<Connection>,
}

impl Pair {
    /// Opens the connections.
    pub(crate) async fn connect(
        shared: &Shared,
        address: &Address,
        name: &str,
        expected: Expected,
    ) -> Result<Self, BrokerError> {
        let settings = &shared.settings;
        let connect = || settings.connector.connect(address, &settings.credentials, name, expected);
        if !settings.subscribes {
            return Ok(Self { commands: connect().await?, subscriptions: None });
        }
        let (commands, subscriptions) = tokio::try_join!(connect(), connect())?;
        Ok(Self { commands, subscriptions: Some(subscriptions) })
    }

    /// Begins to serve the connections.
    ///
    /// `on_ended` learns of partitions whose subscription the server has ended by itself.
    pub(super) fn serve(self, shared: &Arc<Shared>, on_ended: impl Fn(usize) + Send + 'static) -> Serving {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // A link restores one batch at a time, and each connection has at most one check of its own under way.
        let capacity = shared.settings.max_queued_operations + BATCH + 8;
        let (commands, command_requests) = mpsc::channel(capacity);
        let (subscriptions, subscription_requests) = mpsc::channel(capacity);
        let timing = shared.settings.timing;
        let mut tasks = JoinSet::new();
        tasks.spawn(drive(self.commands, command_requests, timing, |_, _| {}));
        let shared = Arc::clone(shared);
        if let Some(connection) = self.subscriptions {
            tasks.spawn(drive(connection, subscription_requests, timing, move |kind, data| {
                if let Some(partition) = shared.on_push(&kind, data) {
                    on_ended(partition);
                }
            }));
        }
        let queues = Queues { id: NEXT.fetch_add(1, Ordering::Relaxed), commands, subscriptions };
        Serving { queues, tasks }
    }
}

/// Connections at work. When this is dropped, they are closed.
pub(super) struct Serving {
    pub(super) queues: Queues,
    tasks: JoinSet<Cow<'static, str>>,
}

impl Serving {
    /// Waits until one of the connections is lost, and returns why.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn lost(&mut self) -> Cow<'static, str> {
        match self.tasks.join_next().await {
            Some(Ok(reason)) => reason,
            Some(Err(error)) => error.to_string().into(),
            None => pending().await,
        }
    }

    /// Closes the connections. Then all operations have their outcome.
    pub(super) async fn end(mut self) {
        self.tasks.shutdown().await;
    }
}
