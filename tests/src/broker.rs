//! The broker of a server's hub, from the environment.

use std::{env, io, time::Duration};

use switchboard::{Hub, HubBuilder};
use switchboard_nats::NatsBroker;
use switchboard_redis::RedisBroker;
use tokio::time::timeout;

/// How long a server waits for its broker before it accepts clients all the same.
const PATIENCE: Duration = Duration::from_secs(5);

/// Builds a hub, on the broker in `SWITCHBOARD_BROKER` if there is one: `redis://host:port`,
/// `redis-cluster://host:port,host:port…` or `nats://host:port`, with the prefix in
/// `SWITCHBOARD_PREFIX`.
///
/// # Errors
///
/// If the value is no such address.
pub async fn build(builder: HubBuilder) -> io::Result<Hub> {
    let Ok(url) = env::var("SWITCHBOARD_BROKER") else { return Ok(builder.build()) };
    let prefix = env::var("SWITCHBOARD_PREFIX").unwrap_or_else(|_| "sb".to_owned());
    let hub = if url.starts_with("nats:") || url.starts_with("tls:") {
        let broker = NatsBroker::builder(url).prefix(prefix).build();
        builder.broker(broker.map_err(io::Error::other)?).build()
    } else {
        builder.broker(redis(&url, prefix)?).build()
    };
    // Without its broker a server works as far as it can.
    let _ = timeout(PATIENCE, hub.ready()).await;
    Ok(hub)
}

fn redis(url: &str, prefix: String) -> io::Result<RedisBroker> {
    let broker = match url.strip_prefix("redis-cluster://") {
        None => RedisBroker::builder(url),
        Some(servers) => {
            let mut urls = servers.split(',').map(|server| format!("redis://{server}"));
            let first = RedisBroker::builder(urls.next().unwrap_or_default()).cluster();
            urls.fold(first, |builder, url| builder.url(url))
        }
    };
    broker.prefix(prefix).build().map_err(io::Error::other)
}
