//! Measures the cost of an idle connection.

use std::{io, time::Duration};

use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use super::{client::Client, options::Options, process, topic::Topic, wire};

/// Files that are open besides connections.
const OTHER_FILES: usize = 100;

/// How long the server gets to become idle.
const REST: Duration = Duration::from_secs(1);

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
pub(super) async fn run(options: &Options) -> io::Result<Value> {
    // The server has the same limit.
    let count = options.conns.min(process::open_files()?.saturating_sub(OTHER_FILES));
    // Memory that is allocated once must not count.
    drop(prepare(Client::connect(&options.target).await?).await?);
    sleep(REST).await;

    let (before, cpu_before) = (process::memory(options.pid)?, process::cpu_time(options.pid)?);
    let clients = options.target.connect_all(count, prepare).await?;
    let cpu = process::cpu_time(options.pid)?.saturating_sub(cpu_before);
    let mut held = JoinSet::new();
    for client in clients {
        held.spawn(client.hold());
    }
    sleep(REST).await;
    let held_memory = process::memory(options.pid)?;
    let ended = held.try_join_next().map(|error| error.map_or_else(|error| error.to_string(), |e| e.to_string()));
    held.shutdown().await;
    sleep(REST).await;
    let after = process::memory(options.pid)?;

    Ok(json!({
        "connections": count,
        "bytes_per_connection": held_memory.saturating_sub(before) as f64 / count as f64,
        "server_us_per_connect": cpu.as_secs_f64() * 1e6 / count as f64,
        "memory_before": before,
        "memory_held": held_memory,
        "memory_after": after,
        "errors": u64::from(ended.is_some()),
        "first_error": ended,
    }))
}

/// Joins the topic and sends a request, as most connections have done before they become idle.
pub(super) async fn prepare(client: Client) -> io::Result<Client> {
    let mut client = Topic::join(client).await?;
    let mut request = String::new();
    wire::calc(&mut request, 1);
    let reply = client.ask(&request).await?;
    wire::check_reply(&reply).map_err(io::Error::other)?;
    Ok(client)
}
