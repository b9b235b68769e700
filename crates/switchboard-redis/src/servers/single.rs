//! The link to one server: the only one, or the master that Sentinels name.

use std::{borrow::Cow, future::pending, pin::pin, sync::Arc};

use redis::Value;
use switchboard_core::{
    adapter::Backoff,
    broker::{BrokerError, LinkEvent},
};
use tokio::{
    sync::oneshot,
    time::{MissedTickBehavior, interval, sleep},
};

use super::{pair::Pair, restore, sentinel::Sentinels};
use crate::{
    address::Address,
    command::Command,
    link::{Expected, Request},
    settings::Servers,
    shared::{Queues, Shared},
};

/// Keeps the link up, for ever. `started` learns how the first attempt ended; after an error, this ends.
pub(crate) async fn run(shared: Arc<Shared>, name: String, started: oneshot::Sender<Result<(), BrokerError>>) {
    let mut started = Some(started);
    let mut backoff = Backoff::new(shared.settings.min_backoff, shared.settings.max_backoff);
    loop {
        match connect(&shared, &name).await {
            Ok((address, pair)) => {
                backoff.reset();
                serve(&shared, &name, &address, pair, started.take()).await;
            }
            Err(error) => {
                if let Some(started) = started.take() {
                    shared.stop();
                    let _ = started.send(Err(error));
                    return;
                }
                let pause = backoff.next_pause();
                tracing::warn!(%error, ?pause, "cannot connect to Redis");
                tokio::select! {
                    () = sleep(pause) => {}
                    () = shared.reconnect.notified() => {}
                }
            }
        }
    }
}

/// Serves a link until it is lost.
async fn serve(
    shared: &Arc<Shared>,
    name: &str,
    address: &Address,
    pair: Pair,
    started: Option<oneshot::Sender<Result<(), BrokerError>>>,
) {
    let mut reconnect = pin!(shared.reconnect.notified());
    reconnect.as_mut().enable();
    let mut serving = pair.serve(shared, |_| {});
    let queues = serving.queues.clone();
    tracing::info!(%address, "connected to Redis");
    shared.inbox.link(LinkEvent::Connected);
    // Before operations are possible: what is subscribed from now on is confirmed by itself.
    let channels = shared.channels(|_| true);
    shared.set_route(0, Some(&queues));
    if let Some(started) = started {
        let _ = started.send(Ok(()));
    }
    let restoring = async {
        restore::channels(shared, &queues, &channels).await;
        pending::<Cow<'static, str>>().await
    };
    let reason = tokio::select! {
        reason = serving.lost() => reason,
        reason = restoring => reason,
        reason = demoted(shared, name, address, &queues) => reason,
        () = reconnect => "a new link was asked for".into(),
    };
    shared.set_route(0, None);
    serving.end().await;
    tracing::warn!(%address, %reason, "the link to Redis is lost");
    shared.inbox.link(LinkEvent::Disconnected { reason });
}

async fn connect(shared: &Shared, name: &str) -> Result<(Address, Pair), BrokerError> {
    let (address, expected) = match sentinels(shared) {
        Some(sentinels) => (sentinels.master(shared, name).await?, Expected::Master),
        None => match &shared.settings.servers {
            Servers::Standalone(address) => (address.clone(), Expected::Standalone),
            Servers::Sentinel { .. } | Servers::Cluster(_) => return Err(crate::shared::closed()),
        },
    };
    let pair = Pair::connect(shared, &address, name, expected).await?;
    Ok((address, pair))
}

fn sentinels(shared: &Shared) -> Option<Sentinels<'_>> {
    let Servers::Sentinel { sentinels, credentials, master, tls } = &shared.settings.servers else { return None };
    Some(Sentinels { addresses: sentinels, credentials, master, tls: *tls })
}

/// Returns when the server is not the master any more, by its own word or that of Sentinels.
///
/// Publishing to a demoted master succeeds, and reaches no subscriber. Neither Sentinels alone tell of it in time (they may not
/// be reachable), nor the server alone (it may not know yet).
async fn demoted(shared: &Shared, name: &str, address: &Address, queues: &Queues) -> Cow<'static, str> {
    let mut checks = interval(shared.settings.topology_interval);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        checks.tick().await;
        if let Some(role) = role(queues).await
            && role != b"master"
        {
            return format!("{address} is a {} now", String::from_utf8_lossy(&role)).into();
        }
        let Some(sentinels) = sentinels(shared) else { continue };
        match sentinels.master(shared, name).await {
            Ok(master) if master != *address => return format!("the master is {master} now").into(),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "no Sentinel names the master"),
        }
    }
}

async fn role(queues: &Queues) -> Option<Vec<u8>> {
    let (answer, outcome) = oneshot::channel();
    let request = Request::internal(Command::words(["ROLE"]), |outcome| drop(answer.send(outcome)));
    queues.commands.try_send(request).ok()?;
    match outcome.await {
        Ok(Ok(Value::Array(parts))) => match parts.into_iter().next() {
            Some(Value::BulkString(role)) => Some(role),
            _ => None,
        },
        _ => None,
    }
}

/// Connects once, for [`RedisBrokerBuilder::connect`](crate::RedisBrokerBuilder::connect).
pub(crate) async fn probe(shared: &Shared, name: &str) -> Result<(), BrokerError> {
    connect(shared, name).await.map(drop)
}
