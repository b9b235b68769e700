//! Requests and replies.

use std::{future, io, time::Instant};

use serde_json::Value;
use tokio::task::JoinSet;

use super::{client::Client, options::Options, tally::Tally, wire};

pub(super) async fn run(options: &Options) -> io::Result<Value> {
    let clients = options.target.connect_all(options.conns, |client| future::ready(Ok(client))).await?;
    let tally = Tally::default();
    let mut callers = JoinSet::new();
    for client in clients {
        let caller = Caller::new(client, options.depth, tally.clone());
        let tally = tally.clone();
        callers.spawn(async move {
            if let Err(error) = caller.run().await {
                tally.lock().bad(&error);
            }
        });
    }
    let mut result = tally.measure(&[options.pid], options.warmup, options.time).await?;
    callers.shutdown().await;
    tally.errors(&mut result);
    Ok(result.into())
}

/// A connection with several requests in flight.
struct Caller {
    client: Client,
    tally: Tally,
    /// The id and the time of each request in flight. The index is the id modulo their number.
    in_flight: Vec<(u64, Instant)>,
    text: String,
}

impl Caller {
    fn new(client: Client, depth: usize, tally: Tally) -> Self {
        let now = Instant::now();
        let in_flight = (0..depth as u64).map(|id| (id, now)).collect();
        Self { client, tally, in_flight, text: String::new() }
    }

    async fn run(mut self) -> io::Result<()> {
        for place in 0..self.in_flight.len() {
            wire::calc(&mut self.text, self.in_flight[place].0);
            self.client.push(&self.text);
        }
        loop {
            self.client.read().await?;
            self.answer()?;
        }
    }

    /// Checks the replies that have arrived, and sends a new request for each.
    fn answer(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let mut counts = self.tally.lock();
        let depth = self.in_flight.len() as u64;
        while let Some(text) = self.client.next_text()? {
            let id = match wire::check_reply(text) {
                Ok(id) => id,
                Err(error) => {
                    counts.bad(&error);
                    continue;
                }
            };
            let place = usize::try_from(id % depth).unwrap_or_default();
            let (expected, sent) = &mut self.in_flight[place];
            if *expected != id {
                counts.bad(&format!("a reply to {id}, which is not in flight"));
                continue;
            }
            counts.good(now - *sent);
            (*expected, *sent) = (id + depth, now);
            wire::calc(&mut self.text, id + depth);
            self.client.push(&self.text);
        }
        Ok(())
    }
}
