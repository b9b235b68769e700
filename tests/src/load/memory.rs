//! Measures whether memory is returned after large messages.

use std::{
    io,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    client::{Client, PATIENCE},
    idle,
    options::Options,
    process::{self, Peak},
    wire::{self, Events},
};

/// The interval between two measurements of the server's memory.
const LOOK: Duration = Duration::from_millis(20);

/// A topic without members.
const EMPTY_TOPIC: &str = "nobody";

pub(super) async fn run(options: &Options) -> io::Result<Value> {
    let clients = options.target.connect_all(options.conns, idle::prepare).await?;
    sleep(Duration::from_secs(1)).await;
    let idle = process::memory(options.pid)?;
    // The memory counts as returned at a tenth above the baseline.
    let enough = idle + idle / 10;

    let mut peak = Peak::from_now_on(options.pid)?;
    let (mut held, mut errors) = (JoinSet::new(), Errors::default());
    let clients = all(clients, begin, options.size, &mut errors).await;
    // Now the server has half a message of each connection.
    sleep(LOOK * 10).await;
    peak.look()?;
    for client in all(clients, end, options.size, &mut errors).await {
        held.spawn(client.hold());
    }
    peak.look()?;

    let done = Instant::now();
    let (end, seconds) = loop {
        let now = process::memory(options.pid)?;
        if now <= enough {
            break (now, Some(done.elapsed().as_secs_f64()));
        }
        if done.elapsed() >= options.time {
            break (now, None);
        }
        sleep(LOOK).await;
    };
    if let Some(ended) = held.try_join_next() {
        errors.add(ended.map_or_else(|error| error.to_string(), |error| error.to_string()));
    }
    Ok(json!({
        "connections": options.conns,
        "memory_idle": idle,
        "memory_peak": peak.most(),
        "memory_end": end,
        "seconds_until_back": seconds,
        "errors": errors.count,
        "first_error": errors.first,
    }))
}

#[derive(Debug, Default)]
struct Errors {
    count: usize,
    first: Option<String>,
}

impl Errors {
    fn add(&mut self, error: String) {
        self.count += 1;
        self.first.get_or_insert(error);
    }
}

/// Calls a function on all connections at the same time. Returns those without an error.
async fn all<F>(clients: Vec<Client>, step: fn(Client, usize) -> F, size: usize, errors: &mut Errors) -> Vec<Client>
where
    F: Future<Output = io::Result<Client>> + Send + 'static,
{
    let steps = clients.into_iter().map(|client| timeout(PATIENCE, step(client, size)));
    let mut good = Vec::new();
    for done in steps.collect::<JoinSet<_>>().join_all().await {
        match done.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(client) => good.push(client),
            Err(error) => errors.add(error.to_string()),
        }
    }
    good
}

/// Sends the first half of a large message.
async fn begin(mut client: Client, size: usize) -> io::Result<Client> {
    let mut text = String::new();
    // The envelope is part of the message.
    Events::new(size.saturating_sub(100)).publish(&mut text, EMPTY_TOPIC, 1);
    client.push(&text);
    client.flush_half().await?;
    Ok(client)
}

/// Sends the second half, which is not answered, and a small message, which is.
async fn end(mut client: Client, _: usize) -> io::Result<Client> {
    let mut text = String::new();
    wire::calc(&mut text, 2);
    let reply = client.ask(&text).await?;
    wire::check_reply(&reply).map_err(io::Error::other)?;
    Ok(client)
}
